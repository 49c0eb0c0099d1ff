"""What a member is writing: kept while they write, theirs alone, gone once it is sent."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.test import Client

from heard.connectorkit.vocabulary import MessageKind, Visibility
from heard.domains.channels import actions as channels
from heard.domains.conversations.models import Message
from heard.domains.inbox import actions, queries
from heard.domains.inbox.models import Draft
from heard.domains.organizations import actions as organizations
from heard.domains.organizations.queries import actor_of
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Role
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


_sent = itertools.count(1)


def _keep(actor, case_id: int, text: str, **more: Any) -> None:
    given = {"mode": "reply", "key": "first", "text": text, "sequence": next(_sent), **more}
    actions.keep_draft(actor, case_id, **given)


def test_the_newest_words_are_kept_and_nobody_else_reads_them(cast, line) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "We are so")
    _keep(cast.alice, case_id, "We are sorry", mode="direct", subject="Your order")
    kept = queries.draft(cast.alice, case_id)
    assert (kept.mode, kept.text, kept.subject) == ("direct", "We are sorry", "Your order")
    assert queries.draft(cast.bob, case_id) is None
    assert queries.with_draft(cast.alice, [case_id, 0]) == {case_id}
    assert queries.with_draft(cast.bob, [case_id]) == set()
    _keep(cast.bob, case_id, "Mine")
    assert queries.draft(cast.alice, case_id).text == "We are sorry"


def test_an_emptied_field_throws_the_draft_away(cast, line) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "We are sorry")
    _keep(cast.alice, case_id, " \n ")
    assert queries.draft(cast.alice, case_id) is None
    assert queries.with_draft(cast.alice, [case_id]) == set()


def test_what_was_on_its_way_while_it_was_sent_does_not_come_back(cast, line) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "We are sorry")
    actions.end_draft(cast.alice, case_id, key="first")
    assert queries.draft(cast.alice, case_id) is None
    with pytest.raises(Conflict):
        _keep(cast.alice, case_id, "We are sor")
    assert queries.draft(cast.alice, case_id) is None
    _keep(cast.alice, case_id, "And another thing", key="second")
    assert queries.draft(cast.alice, case_id).text == "And another thing"


def test_sent_before_anything_was_kept_it_does_not_come_back_either(cast, line) -> None:
    case_id = line.case()
    actions.end_draft(cast.alice, case_id, key="first")
    with pytest.raises(Conflict):
        _keep(cast.alice, case_id, "We are sorry")
    assert queries.draft(cast.alice, case_id) is None


def test_what_is_sent_in_one_tab_leaves_the_words_of_another(cast, line) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "Written on the phone", key="phone")
    actions.end_draft(cast.alice, case_id, key="a note from the desk")
    assert queries.draft(cast.alice, case_id).text == "Written on the phone"
    actions.end_draft(cast.alice, case_id, key="phone")
    assert queries.draft(cast.alice, case_id) is None


def test_what_was_begun_on_another_device_is_gone_once_it_is_sent_from_here(cast, line) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "Begun at the desk", key="desk")
    begun = queries.draft(cast.alice, case_id).changed_at
    actions.end_draft(cast.alice, case_id, key="phone", continued=begun)
    assert queries.draft(cast.alice, case_id) is None
    _keep(cast.alice, case_id, "Begun again", key="desk too")
    begun = queries.draft(cast.alice, case_id).changed_at
    _keep(cast.alice, case_id, "Begun again, and gone on", key="desk too")
    actions.end_draft(cast.alice, case_id, key="phone too", continued=begun)
    assert queries.draft(cast.alice, case_id).text == "Begun again, and gone on"


def test_older_words_that_arrive_late_change_nothing(cast, line) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "We are sorry", sequence=10_002)
    with pytest.raises(Conflict):
        _keep(cast.alice, case_id, "We are", sequence=10_001)
    assert queries.draft(cast.alice, case_id).text == "We are sorry"


def test_private_words_are_not_offered_to_the_public(cast, line) -> None:
    case_id = line.case(1, "ann", visibility=Visibility.PRIVATE, kind=MessageKind.DIRECT_MESSAGE)
    private = Message.objects.get().pk
    browser = cast.browser(cast.alice)
    kept = {"mode": "reply", "text": "Your password is safe", "target": private, "sequence": 1}
    assert browser.post(f"/c/{case_id}/draft", {**kept, "submission_key": "k"}).status_code == 204
    line.says(message(2, "ann", text="And in public?"))
    page = browser.get(f"/c/{case_id}").content.decode()
    assert Message.objects.count() == 2
    assert "Your password is safe</textarea>" in page
    assert "Private reply" in page
    assert f'name="target_reply" value="{private}"' in page
    Message.objects.filter(pk=private).update(state="deleted")
    page = browser.get(f"/c/{case_id}").content.decode()
    assert "Your password is safe</textarea>" in page
    assert 'value="note" checked' in page


def test_who_is_not_signed_in_is_not_told_that_it_was_kept(line) -> None:
    case_id = line.case()
    answer = Client().post(f"/c/{case_id}/draft", {"mode": "reply", "text": "Hello", "submission_key": "k"})
    assert answer.status_code == 302
    assert not Draft.objects.exists()


def test_who_may_answer_on_one_account_only_is_kept_too(cast, line) -> None:
    case_id = line.case()
    member_id = organizations.add_member(cast.alice, "Olga", "olga@example.org", Role.OBSERVER)
    channels.change_access(cast.alice, line.channel_id, member_id=member_id, access="reply")
    observer = actor_of(cast.alice.organization_id, member_id)
    _keep(observer, case_id, "Hello")
    assert queries.draft(observer, case_id).text == "Hello"


@pytest.mark.parametrize(
    ("given", "error"),
    [({"mode": "shout"}, Invalid), ({"text": "a" * 100_001}, Invalid)],
    ids=["no such way", "longer than anything"],
)
def test_what_cannot_be_kept_is_refused_and_what_was_kept_stays(cast, line, given, error) -> None:
    case_id = line.case()
    _keep(cast.alice, case_id, "We are sorry")
    with pytest.raises(error):
        _keep(cast.alice, case_id, **{"text": "Newer", **given})
    assert queries.draft(cast.alice, case_id).text == "We are sorry"


def test_who_may_not_see_the_case_keeps_nothing_in_it(cast, line) -> None:
    case_id = line.case()
    with pytest.raises(NotFound):
        _keep(cast.charlie, case_id, "Hello")
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    with pytest.raises(NotFound):
        _keep(cast.bob, case_id, "Hello")
    assert not Draft.objects.exists()


def test_who_only_watches_keeps_nothing(cast, line) -> None:
    case_id = line.case()
    member_id = organizations.add_member(cast.alice, "Olga", "olga@example.org", Role.OBSERVER)
    observer = actor_of(cast.alice.organization_id, member_id)
    with pytest.raises(NotAllowed):
        _keep(observer, case_id, "Hello")


def test_a_forgotten_person_is_forgotten_in_drafts_too(cast, line) -> None:
    case_id = line.case()
    _keep(cast.bob, case_id, "Dear Ann, your address", subject="Ann's order")
    contact_id = queries.case(cast.alice, case_id).contact_id
    actions.erase_contact(cast.alice, contact_id)
    assert queries.draft(cast.bob, case_id) is None
    assert not Draft.objects.exclude(text="", subject="").exists()


def test_the_page_gives_the_words_back_and_sending_ends_them(cast, line) -> None:
    case_id = line.case()
    browser = cast.browser(cast.alice)
    kept = {"mode": "note", "text": "Ask the <warehouse>", "submission_key": "k1", "sequence": 1}
    assert browser.post(f"/c/{case_id}/draft", kept).status_code == 204
    page = browser.get(f"/c/{case_id}").content.decode()
    assert "Ask the &lt;warehouse&gt;</textarea>" in page
    assert 'value="note" checked' in page
    assert ">Draft</span>" in page
    assert ">Draft</span>" not in cast.browser(cast.bob).get("/inbox/").content.decode()
    assert browser.post(f"/c/{case_id}/draft", {"mode": "shout", "text": "x"}).status_code == 422
    browser.post(f"/c/{case_id}/answer", kept)
    page = browser.get(f"/c/{case_id}").content.decode()
    assert "warehouse&gt;</textarea>" not in page
    assert ">Draft</span>" not in page


def test_what_the_server_refuses_stays_in_the_draft(cast, line) -> None:
    case_id = line.case()
    browser = cast.browser(cast.alice)
    kept = {"mode": "reply", "text": "long " * 2000, "submission_key": "k1", "sequence": 1}
    browser.post(f"/c/{case_id}/draft", kept)
    assert browser.post(f"/c/{case_id}/answer", kept).status_code == 422
    assert queries.draft(cast.alice, case_id).text == kept["text"]
