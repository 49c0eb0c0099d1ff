"""The lists of the inbox: what stands in which, in what order, and that paging loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heard.connectorkit.vocabulary import Visibility
from heard.domains.channels import actions as channels
from heard.domains.inbox import actions, queries
from heard.domains.inbox.models import Case
from heard.domains.inbox.queries import Wanted
from heard.domains.organizations import actions as organizations
from heard.domains.organizations import queries as people
from heard.foundation.errors import Invalid, NotFound
from heard.foundation.tenancy import Actor
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def listed(actor: Actor, view: str = "open", **filters: object) -> list[str]:
    """Whose cases stand in a list, from its top; its count says the same."""
    wanted = Wanted(view, **filters)
    rows = queries.cases(actor, wanted).rows
    assert queries.count(actor, wanted) == len(rows)
    return [row.person_name for row in rows]


@pytest.fixture
def five(cast, line) -> dict[str, int]:
    """Five people wrote, one a minute, the last in private; the cases by person."""
    for number, person in enumerate(["ann", "ben", "cat", "dan"]):
        line.says(message(number, person, sent_at=AT + timedelta(minutes=number)))
    line.says(
        message(9, "eve", visibility=Visibility.PRIVATE, thread_key="eve", sent_at=AT + timedelta(minutes=9))
    )
    return {row.contact.name.lower(): row.pk for row in Case.objects.select_related("contact")}


def test_the_newest_word_stands_at_the_top(cast, line, five) -> None:
    assert listed(cast.alice) == ["Eve", "Dan", "Cat", "Ben", "Ann"]
    line.says(message(20, "ann", sent_at=AT + timedelta(hours=1)))
    assert listed(cast.alice) == ["Ann", "Eve", "Dan", "Cat", "Ben"]
    assert queries.cases(cast.alice, Wanted()).rows[0].last_text == "Hello 20"


def test_each_list_holds_what_its_name_says(cast, five) -> None:
    team = people.teams(cast.alice)[0].id
    actions.set_status(cast.alice, five["ann"], "done")
    actions.set_status(cast.alice, five["ben"], "spam")
    actions.set_status(cast.alice, five["cat"], "pending")
    actions.assign_case(cast.alice, five["cat"], member_id=cast.bob.member_id, team_id=None)
    actions.assign_case(cast.alice, five["dan"], member_id=None, team_id=team)
    assert listed(cast.bob) == ["Eve", "Dan"]
    assert listed(cast.bob, "done") == ["Ann"]
    assert listed(cast.bob, "spam") == ["Ben"]
    assert listed(cast.bob, "pending") == ["Cat"]
    assert listed(cast.bob, "mine") == ["Cat"]
    assert listed(cast.alice, "mine") == []
    assert listed(cast.alice, f"team-{team}") == ["Dan"]
    assert listed(cast.alice, "all") == ["Eve", "Dan", "Cat", "Ann"]


def test_filters_narrow_a_list(cast, connect_line, five, line) -> None:
    actions.assign_case(cast.alice, five["ann"], member_id=cast.bob.member_id, team_id=None)
    assert listed(cast.alice, unassigned=True) == ["Eve", "Dan", "Cat", "Ben"]
    assert listed(cast.alice, visibility="private") == ["Eve"]
    assert listed(cast.alice, visibility="public") == ["Dan", "Cat", "Ben", "Ann"]
    assert listed(cast.alice, channel_id=line.channel_id) == listed(cast.alice)
    assert listed(cast.alice, channel_id=line.channel_id + 1) == []
    Case.objects.filter(pk=five["ben"]).update(waiting_since=None)
    assert listed(cast.alice, waiting=True) == ["Eve", "Dan", "Cat", "Ann"]


def test_another_company_has_lists_of_its_own(cast, connect_line, five) -> None:
    southern = connect_line(cast.charlie)
    southern.says(message(30, "fay"))
    assert listed(cast.charlie) == ["Fay"]
    assert "Fay" not in listed(cast.alice, "all")


def test_what_came_on_a_hidden_account_only_is_in_no_list(cast, line, five) -> None:
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    assert listed(cast.bob, "all") == []
    assert len(listed(cast.alice, "all")) == 5


@pytest.mark.parametrize("limit", [1, 3, 7, 23, 50])
def test_page_after_page_is_the_whole_list_once_even_where_all_came_at_one_moment(
    cast, line, limit: int
) -> None:
    line.says(*(message(number, f"p{number}", sent_at=AT) for number in range(23)))
    seen: list[int] = []
    after = ""
    for _ in range(30):
        page = queries.cases(cast.alice, Wanted(), after=after, limit=limit)
        seen += [row.case_id for row in page.rows]
        after = page.next_key
        if not after:
            break
    assert after == ""
    assert seen == sorted(Case.objects.values_list("pk", flat=True), reverse=True)


def test_what_arrives_while_one_reads_on_moves_nothing_away(cast, line, five) -> None:
    first = queries.cases(cast.alice, Wanted(), limit=2)
    line.says(message(40, "new", sent_at=AT + timedelta(hours=2)))
    rest = queries.cases(cast.alice, Wanted(), after=first.next_key)
    assert [row.person_name for row in (*first.rows, *rest.rows)] == ["Eve", "Dan", "Cat", "Ben", "Ann"]


@pytest.mark.parametrize("key", ["x", "e30", "WzEsMl0", "W251bGwsIG51bGxd", "é", "A" * 5_000])
def test_a_broken_place_in_a_list_is_a_sentence(cast, line, key: str) -> None:
    with pytest.raises(Invalid, match="start at its top"):
        queries.cases(cast.alice, Wanted(), after=key)
    assert cast.browser(cast.alice).get("/inbox/", {"after": key}).status_code in {400, 422}


@pytest.mark.parametrize("view", ["team-0x1", "team-", "nothing", "team-99999999999999999999"])
def test_a_list_that_is_none_is_not_found(cast, line, view: str) -> None:
    with pytest.raises(NotFound):
        queries.cases(cast.alice, Wanted(view))
    assert cast.browser(cast.alice).get(f"/inbox/{view}/").status_code == 404


def test_the_list_of_somebody_elses_team_is_not_found(cast, line) -> None:
    theirs = organizations.create_team(cast.charlie, name="Southern service")
    assert cast.browser(cast.alice).get(f"/inbox/team-{theirs}/").status_code == 404
