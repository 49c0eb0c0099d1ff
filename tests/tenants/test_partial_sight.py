"""Who may see only some of the accounts of a case: what of its notes, its person and its news they get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard.connectorkit.vocabulary import WhoAmI
from heard.domains.channels.actions import change_access
from heard.domains.contacts import queries as contacts
from heard.domains.contacts.models import Identity
from heard.domains.inbox import actions, queries
from heard.domains.inbox.models import Case, Note
from heard.domains.organizations.actions import add_member
from heard.domains.organizations.queries import actor_of
from heard.domains.privacy.queries import everything_about
from heard.foundation import clock
from heard.foundation.tenancy import Role
from tests.cast import Line, connect, message

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def board(cast, line, network, monkeypatch) -> Line:
    """A second account, which Bob may not see."""
    monkeypatch.setattr(network, "identify", lambda _link: WhoAmI("board", "@board", "The board"))
    found = connect(cast.alice, network)
    change_access(cast.alice, found.channel_id, member_id=cast.bob.member_id, access="none")
    return found


def texts(actor, case_id: int) -> list[str]:
    return [note.text for note in queries.notes(actor, case_id)]


@pytest.fixture
def case_id(cast, line, board) -> int:
    """Ann's matter, on both accounts: a note from before she wrote to the board, and one from after."""
    found = line.case(1, "ann", sent_at=clock.now() - timedelta(hours=2))
    actions.write_note(cast.alice, found, "She is kind")
    Note.objects.update(written_at=clock.now() - timedelta(hours=1))
    board.says(message(2, "ann", sent_at=clock.now()))
    assert Case.objects.count() == 1
    actions.write_note(cast.alice, found, "She told the board she will sue")
    return found


def test_a_note_is_kept_from_who_may_not_see_what_it_may_tell_of(cast, case_id) -> None:
    assert texts(cast.alice, case_id) == ["She is kind", "She told the board she will sue"]
    assert texts(cast.bob, case_id) == ["She is kind"]
    assert "will sue" in cast.browser(cast.alice).get(f"/c/{case_id}").content.decode()
    assert "will sue" not in cast.browser(cast.bob).get(f"/c/{case_id}").content.decode()


def test_a_note_of_who_could_not_see_it_either_is_read(cast, board, case_id) -> None:
    dora_id = add_member(cast.alice, "Dora Dunn", "dora@northbridge.example", Role.AGENT)
    change_access(cast.alice, board.channel_id, member_id=dora_id, access="none")
    dora = actor_of(cast.alice.organization_id, dora_id)
    actions.write_note(dora, case_id, "From Dora")
    actions.write_note(cast.bob, case_id, "From Bob")
    assert texts(cast.bob, case_id) == texts(dora, case_id) == ["She is kind", "From Dora", "From Bob"]
    assert len(texts(cast.alice, case_id)) == 4


def test_a_right_given_back_gives_the_notes_back(cast, board, case_id) -> None:
    change_access(cast.alice, board.channel_id, member_id=cast.bob.member_id, access="")
    assert len(texts(cast.bob, case_id)) == 2


def test_a_handle_of_an_account_that_one_may_not_see_is_not_shown(cast, board, case_id) -> None:
    board.says(message(3, "quiet-ann"))
    ann = Case.objects.get(pk=case_id).contact_id
    Identity.objects.filter(native_id="quiet-ann").update(contact_id=ann)
    seen = {
        actor: [line.handle for line in contacts.contact(actor, ann).identities]
        for actor in (cast.alice, cast.bob)
    }
    assert seen == {cast.alice: ["@ann", "@quiet-ann"], cast.bob: ["@ann"]}
    for path in (f"/people/{ann}", f"/c/{case_id}"):
        assert "@quiet-ann" in cast.browser(cast.alice).get(path).content.decode()
        assert "@quiet-ann" not in cast.browser(cast.bob).get(path).content.decode()


def test_an_export_holds_what_its_maker_may_not_see(cast, board, case_id) -> None:
    ann = Case.objects.get(pk=case_id).contact_id
    board.says(message(3, "quiet-ann"))
    Identity.objects.filter(native_id="quiet-ann").update(contact_id=ann)
    change_access(cast.alice, board.channel_id, member_id=cast.alice.member_id, access="none")
    found = everything_about(cast.alice, ann).decode()
    assert "quiet-ann" in found
    assert "will sue" in found


def test_news_of_a_case_goes_to_who_may_see_something_of_it(cast, board, case_id) -> None:
    hidden = board.case(4, "ben")
    assert queries.visible_among(cast.alice, {case_id, hidden}) == {case_id, hidden}
    assert queries.visible_among(cast.bob, {case_id, hidden}) == {case_id}
