"""What people say becomes cases, and what colleagues do with them (on both databases)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard.connectorkit.vocabulary import Ref, Visibility
from heard.domains.channels import actions as channels
from heard.domains.contacts import actions as contacts
from heard.domains.inbox import actions, queries
from heard.domains.inbox.models import Case, CaseConversation, CaseEvent, Episode
from heard.domains.journal.models import Fact
from heard.domains.notifications import queries as notifications
from heard.domains.organizations import actions as organizations
from heard.domains.organizations import queries as people
from heard.foundation import clock
from heard.foundation.errors import Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Actor, Role
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def observer(cast) -> Actor:
    """Olga, who only looks on."""
    found = organizations.add_member(cast.alice, "Olga Orr", "olga@northbridge.example", Role.OBSERVER)
    return people.actor_of(cast.alice.organization_id, found)


def _status(case_id: int) -> str:
    return Case.objects.get(pk=case_id).status


def _said(kind: str) -> int:
    return Fact.objects.filter(kind=kind).count()


# How words become cases ------------------------------------------------------------------------------


def test_a_persons_conversations_public_and_private_stand_together(line) -> None:
    case_id = line.case(1, "ann")
    line.says(
        message(2, "ann"),
        message(3, "ann", visibility=Visibility.PRIVATE, thread_key="chat"),
        message(4, "ben"),
    )
    assert Case.objects.count() == 2
    assert CaseConversation.objects.filter(case_id=case_id).count() == 3


@pytest.mark.parametrize(("hours", "same"), [(71, True), (73, False)])
def test_who_writes_again_soon_is_still_on_the_same_matter(cast, line, hours: int, same: bool) -> None:
    case_id = line.case(1, "ann")
    actions.set_status(cast.alice, case_id, "done")
    later = clock.now() + timedelta(hours=hours)
    with clock.frozen(later):
        line.says(message(2, "ann", sent_at=later))
    assert (Case.objects.count() == 1) is same
    assert (_status(case_id) == "open") is same
    spans = list(Episode.objects.filter(case_id=case_id).order_by("pk").values_list("resolved_at", flat=True))
    assert len(spans) == (2 if same else 1)
    assert spans[0] is not None


def test_an_answer_in_a_thread_that_is_done_opens_it_again_however_late(cast, line) -> None:
    case_id = line.case(1, "ann")
    actions.set_status(cast.alice, case_id, "done")
    later = clock.now() + timedelta(days=40)
    with clock.frozen(later):
        line.says(message(2, "ann", sent_at=later, thread_key="m1", parent=Ref("m1"), mentions_us=False))
    assert (Case.objects.count(), _status(case_id)) == (1, "open")


def test_spam_stays_spam_and_an_absence_note_wakes_nothing(cast, line) -> None:
    spam, done = line.case(1, "zorro"), line.case(2, "ann")
    actions.set_status(cast.alice, spam, "spam")
    actions.set_status(cast.alice, done, "done")
    line.says(
        message(3, "zorro", parent=Ref("m1"), mentions_us=False),
        message(4, "ann", parent=Ref("m2"), mentions_us=False, automatic=True),
    )
    assert (_status(spam), _status(done)) == ("spam", "done")


def test_what_a_blocked_person_says_is_kept_and_opens_nothing(cast, line) -> None:
    from heard.domains.conversations.models import Message

    case_id = line.case(1, "zorro")
    contacts.block(cast.alice, Case.objects.get(pk=case_id).contact_id)
    actions.set_status(cast.alice, case_id, "spam")
    line.says(message(2, "zorro"), message(3, "ann"))
    assert Message.objects.filter(native_id="m2").exists()
    assert [row.person_name for row in queries.cases(cast.alice, queries.Wanted()).rows] == ["Ann"]


def test_each_message_in_its_case_whatever_the_batches_were(cast, line) -> None:
    """Two hundred words by twenty people, handed in at odd sizes: twenty cases, each with its person's."""
    said = [message(number, f"p{number % 20}") for number in range(200)]
    for start, size in ((0, 1), (1, 37), (38, 2), (40, 160)):
        line.says(*said[start : start + size])
    assert Case.objects.count() == 20
    assert set(Case.objects.values_list("contact__identity__handle", flat=True)) == {
        f"@p{number}" for number in range(20)
    }
    assert CaseConversation.objects.count() == 200


# What colleagues do -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["done", "spam"])
def test_what_is_over_stops_the_clocks_and_opening_it_begins_another_span(cast, line, status: str) -> None:
    case_id = line.case()
    assert Case.objects.get().waiting_since is not None
    actions.set_status(cast.bob, case_id, status)
    assert (_status(case_id), Case.objects.get().waiting_since) == (status, None)
    assert Episode.objects.get().resolved_at is not None
    actions.set_status(cast.bob, case_id, "open")
    assert Episode.objects.filter(resolved_at__isnull=True).count() == 1
    assert Episode.objects.count() == 2
    assert [event.value for event in queries.events(cast.bob, case_id)] == [status, "open"]


def test_the_same_status_again_is_nothing_new_and_an_unknown_one_is_refused(cast, line) -> None:
    case_id = line.case()
    actions.set_status(cast.alice, case_id, "open")
    with pytest.raises(Invalid, match="no status"):
        actions.set_status(cast.alice, case_id, "archived")
    assert _said("inbox.CaseStatusChanged") == CaseEvent.objects.count() == 0


def test_whom_it_is_given_to_is_told_and_nobody_else(cast, line) -> None:
    case_id = line.case()
    team = people.teams(cast.alice)[0].id
    actions.assign_case(cast.alice, case_id, member_id=cast.bob.member_id, team_id=team)
    row = Case.objects.get(pk=case_id)
    assert (row.owner_id, row.team_id) == (cast.bob.member_id, team)
    assert notifications.unread(cast.bob) == 1
    actions.assign_case(cast.alice, case_id, member_id=cast.bob.member_id, team_id=None)
    actions.assign_case(cast.bob, case_id, member_id=cast.bob.member_id, team_id=None)
    actions.assign_case(cast.alice, case_id, member_id=cast.alice.member_id, team_id=None)
    assert (notifications.unread(cast.bob), notifications.unread(cast.alice)) == (1, 0)
    assert _said("inbox.CaseAssigned") == 3


def test_it_is_given_to_our_own_people_and_teams_only(cast, line) -> None:
    case_id = line.case()
    theirs = organizations.create_team(cast.charlie, name="Southern service")
    for given in (
        {"member_id": cast.charlie.member_id, "team_id": None},
        {"member_id": None, "team_id": theirs},
    ):
        with pytest.raises(Invalid, match="no such"):
            actions.assign_case(cast.alice, case_id, **given)
    assert Case.objects.get().owner_id is None


def test_a_note_stays_with_the_case_and_the_record_holds_none_of_its_words(cast, line) -> None:
    case_id = line.case()
    actions.write_note(cast.bob, case_id, "  She rang twice.\0 ")
    (note,) = queries.notes(cast.alice, case_id)
    assert (note.text, note.author_id) == ("She rang twice.", cast.bob.member_id)
    body = bytes(Fact.objects.get(kind="inbox.NoteWritten").body)
    assert b"rang" not in body
    assert line.network.posts == []
    for text, problem in (("  \0 ", "Write something"), ("x" * 10_001, "at most 10,000")):
        with pytest.raises(Invalid, match=problem):
            actions.write_note(cast.bob, case_id, text)
    assert len(queries.notes(cast.alice, case_id)) == 1


def test_who_only_looks_on_changes_nothing(cast, line, observer: Actor) -> None:
    case_id = line.case()
    assert queries.case(observer, case_id).case_id == case_id
    for tried in (
        lambda: actions.set_status(observer, case_id, "done"),
        lambda: actions.assign_case(observer, case_id, member_id=None, team_id=None),
        lambda: actions.write_note(observer, case_id, "Hello"),
    ):
        with pytest.raises(NotAllowed):
            tried()
    assert _status(case_id) == "open"


def test_who_may_not_see_the_account_finds_no_case_to_work_on(cast, line) -> None:
    case_id = line.case()
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    for tried in (
        lambda: queries.case(cast.bob, case_id),
        lambda: actions.set_status(cast.bob, case_id, "done"),
        lambda: actions.assign_case(cast.bob, case_id, member_id=None, team_id=None),
        lambda: actions.write_note(cast.bob, case_id, "Hello"),
        lambda: actions.mark_seen(cast.bob, case_id, clock.now()),
    ):
        with pytest.raises(NotFound):
            tried()
    assert _status(case_id) == "open"


def test_what_one_has_read_is_unread_for_the_other_and_new_words_make_it_unread_again(cast, line) -> None:
    def unread(actor: Actor) -> bool:
        return queries.cases(actor, queries.Wanted()).rows[0].is_unread

    case_id = line.case(1, "ann", sent_at=clock.now())
    assert unread(cast.alice)
    shown_upto = queries.case(cast.alice, case_id).last_at
    actions.mark_seen(cast.alice, case_id, shown_upto)
    assert (unread(cast.alice), unread(cast.bob)) == (False, True)
    later = clock.now() + timedelta(minutes=1)
    with clock.frozen(later):
        line.says(message(2, "ann", sent_at=later))
    assert unread(cast.alice)
    # Who only sees the older page now has not read what it does not show.
    actions.mark_seen(cast.alice, case_id, shown_upto)
    assert unread(cast.alice)
    actions.mark_seen(cast.alice, case_id, later)
    actions.mark_seen(cast.alice, case_id, shown_upto)
    assert not unread(cast.alice)
