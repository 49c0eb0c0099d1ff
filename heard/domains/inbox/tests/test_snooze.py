"""Not now: out of the lists until a moment, back by itself, sooner when the person speaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.domains.inbox import actions, queries, rules
from heard.domains.inbox.facts import CaseSnoozed, CasesReturned
from heard.domains.inbox.models import Case, CaseEvent
from heard.domains.journal.models import Fact
from heard.domains.organizations import actions as organizations
from heard.domains.organizations.queries import actor_of
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotAllowed
from heard.foundation.tenancy import Role
from tests.cast import work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")
NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # a Friday


def _listed(actor, view: str) -> list[int]:
    return [row.case_id for row in queries.cases(actor, queries.Wanted(view)).rows]


def _at(moment: datetime):
    return clock.frozen(moment)


# Which moments are offered --------------------------------------------------------------------------


def test_later_means_what_people_mean() -> None:
    found = dict(rules.snooze_times(NOW))
    assert found == {
        "hours": NOW + timedelta(hours=3),
        "tomorrow": datetime(2026, 11, 21, 9, tzinfo=UTC),
        "monday": datetime(2026, 11, 23, 9, tzinfo=UTC),
    }
    sunday, monday = NOW + timedelta(days=2), NOW + timedelta(days=3)
    assert [key for key, _ in rules.snooze_times(sunday)] == ["hours", "tomorrow"]
    assert dict(rules.snooze_times(monday))["monday"] == datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_nine_is_nine_where_clocks_change_overnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 24, 18, 0, tzinfo=berlin)
    tomorrow = dict(rules.snooze_times(before))["tomorrow"]
    assert (tomorrow.hour, tomorrow.utcoffset()) == (9, timedelta(hours=1))
    assert before.utcoffset() == timedelta(hours=2)


@given(st.datetimes(timezones=st.timezones()).filter(lambda now: 1970 < now.year < 2100))
def test_every_moment_offered_is_still_to_come_and_each_another(now: datetime) -> None:
    moments = [moment.astimezone(UTC) for _, moment in rules.snooze_times(now)]
    latest = now.astimezone(UTC) + rules.LONGEST_SNOOZE
    assert len(set(moments)) == len(moments)
    assert all(now.astimezone(UTC) < moment <= latest for moment in moments)


# Snoozing and waking --------------------------------------------------------------------------------


def test_it_leaves_the_lists_and_comes_back_on_top_at_its_time(cast, line) -> None:
    with _at(NOW):
        first, second = (
            line.case(1, "ann", sent_at=NOW),
            line.case(2, "ben", sent_at=NOW + timedelta(seconds=1)),
        )
        actions.assign_case(cast.alice, first, member_id=cast.alice.member_id, team_id=None)
        actions.mark_seen(cast.alice, first, queries.case(cast.alice, first).last_at)
        actions.snooze_case(cast.alice, first, NOW + timedelta(hours=3))
        assert (_listed(cast.alice, "open"), _listed(cast.alice, "snoozed")) == ([second], [first])
        assert _listed(cast.alice, "mine") == []
        assert queries.case(cast.alice, first).snoozed_until == NOW + timedelta(hours=3)
    with _at(NOW + timedelta(hours=2, minutes=59)):
        work()
        assert _listed(cast.alice, "open") == [second]
    with _at(NOW + timedelta(hours=3, seconds=1)):
        work()
        assert (_listed(cast.alice, "open"), _listed(cast.alice, "mine")) == ([first, second], [first])
        assert queries.cases(cast.alice, queries.Wanted()).rows[0].is_unread
        assert queries.case(cast.alice, first).snoozed_until is None
        work()
    assert [event.kind for event in CaseEvent.objects.filter(case_id=first)] == [
        "assigned",
        "snoozed",
        "woken",
    ]
    assert (
        Fact.objects.filter(kind=CaseSnoozed.kind).count()
        == Fact.objects.filter(kind=CasesReturned.kind).count()
        == 1
    )


def test_the_person_waits_all_the_same_and_their_word_wakes_it(cast, line) -> None:
    with _at(NOW):
        case_id = line.case(1, "ann", sent_at=NOW)
        waiting = queries.case(cast.alice, case_id).waiting_since
        actions.snooze_case(cast.alice, case_id, NOW + timedelta(days=3))
        assert queries.case(cast.alice, case_id).waiting_since == waiting
    with _at(NOW + timedelta(hours=1)):
        line.says(message(2, "ann", text="Well?", sent_at=NOW + timedelta(hours=1)))
        assert _listed(cast.alice, "open") == [case_id]
        assert Case.objects.count() == 1
    with _at(NOW + timedelta(days=4)):
        assert actions.wake_due(clock.now(), 100) == 0


def test_done_and_open_end_it(cast, line) -> None:
    with _at(NOW):
        case_id = line.case()
        for status in ("open", "pending", "done"):
            if status == "done":
                actions.set_status(cast.alice, case_id, "open")
            actions.snooze_case(cast.alice, case_id, NOW + timedelta(hours=1))
            actions.set_status(cast.alice, case_id, status)
            assert queries.case(cast.alice, case_id).status == status
    with _at(NOW + timedelta(days=1)):
        assert actions.wake_due(clock.now(), 100) == 0
        assert queries.case(cast.alice, case_id).status == "done"


def test_those_that_are_due_wake_once_whoever_looks(cast, line) -> None:
    with _at(NOW):
        ids = {line.case(number, f"p{number}") for number in range(1, 6)}
        for case_id in ids:
            actions.snooze_case(cast.alice, case_id, NOW + timedelta(minutes=case_id % 3 + 1))
    later = NOW + timedelta(hours=1)
    assert [actions.wake_due(later, 3), actions.wake_due(later, 3), actions.wake_due(later, 3)] == [3, 2, 0]
    assert CaseEvent.objects.filter(kind="woken").count() == 5
    assert Fact.objects.filter(kind=CasesReturned.kind).count() == 2


@pytest.mark.parametrize(
    "until", [NOW, NOW - timedelta(seconds=1), NOW + timedelta(days=367)], ids=["now", "past", "next year"]
)
def test_a_moment_that_cannot_be_waited_for_is_refused(cast, line, until) -> None:
    with _at(NOW):
        case_id = line.case()
        with pytest.raises(Invalid):
            actions.snooze_case(cast.alice, case_id, until)
        with pytest.raises(Invalid):
            actions.set_status(cast.alice, case_id, "snoozed")
        assert queries.case(cast.alice, case_id).status == "open"


def test_what_is_closed_and_who_may_not(cast, line) -> None:
    with _at(NOW):
        case_id = line.case()
        member_id = organizations.add_member(cast.alice, "Olga", "olga@example.org", Role.OBSERVER)
        with pytest.raises(NotAllowed):
            actions.snooze_case(
                actor_of(cast.alice.organization_id, member_id), case_id, NOW + timedelta(hours=1)
            )
        actions.set_status(cast.alice, case_id, "done")
        with pytest.raises(Conflict):
            actions.snooze_case(cast.alice, case_id, NOW + timedelta(hours=1))


# The page -------------------------------------------------------------------------------------------


def test_the_page_offers_it_says_it_and_takes_it_back(cast, line) -> None:
    case_id = line.case()
    browser = cast.browser(cast.alice)
    asked = {"headers": {"HX-Request": "true", "HX-Target": "header#thread-head"}}
    page = browser.get(f"/c/{case_id}").content.decode()
    assert "Tomorrow, " in page
    until = (clock.now() + timedelta(days=2)).replace(microsecond=0)
    answer = browser.post(f"/c/{case_id}/snooze", {"until": clock.iso(until)}, **asked)
    assert ">Snoozed</span>" in answer.content.decode()
    assert "Snoozed until" in answer["HX-Trigger"]
    assert "undo_url" in answer["HX-Trigger"]
    listed = browser.get("/inbox/snoozed/").content.decode()
    assert f'href="/c/{case_id}"' in listed
    assert ">until " in listed
    assert "snoozed this until" in browser.get(f"/c/{case_id}").content.decode()
    assert f'href="/c/{case_id}"' not in browser.get("/inbox/").content.decode()
    browser.post(f"/c/{case_id}/status?to=open&undo=1", **asked)
    assert queries.case(cast.alice, case_id).status == "open"


@pytest.mark.parametrize("status", ["open", "pending", "done", "spam"])
def test_what_ends_it_is_taken_back_to_the_moment_it_had(cast, line, status) -> None:
    case_id = line.case()
    until = (clock.now() + timedelta(days=2)).replace(microsecond=0)
    actions.snooze_case(cast.alice, case_id, until)
    browser = cast.browser(cast.alice)
    answer = browser.post(
        f"/c/{case_id}/status?to={status}", headers={"HX-Request": "true", "HX-Target": "header#thread-head"}
    )
    assert queries.case(cast.alice, case_id).status == status
    assert browser.post(json.loads(answer["HX-Trigger"])["heard:toast"]["undo_url"]).status_code == 302
    case = queries.case(cast.alice, case_id)
    assert (case.status, case.snoozed_until) == ("snoozed", until)


def test_a_time_of_ones_own_is_read_in_the_organizations_zone(cast, line) -> None:
    organizations.change_organization(cast.alice, name="Northbridge", timezone="Europe/Berlin")
    case_id = line.case()
    browser = cast.browser(cast.alice)
    day = (clock.now() + timedelta(days=10)).date()
    browser.post(f"/c/{case_id}/snooze", {"until": "", "until_local": f"{day}T09:30"})
    until = queries.case(cast.alice, case_id).snoozed_until
    assert until is not None
    assert until.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%d %H:%M") == f"{day} 09:30"
    for wrong in ("", "soon", "2026-99-99T00:00", "0001-01-01T00:00"):
        answer = browser.post(f"/c/{case_id}/snooze", {"until": "", "until_local": wrong})
        assert answer.status_code == 422, wrong
    assert queries.case(cast.alice, case_id).snoozed_until == until
