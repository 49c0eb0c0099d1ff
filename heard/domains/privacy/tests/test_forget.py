"""People can be forgotten (invariant 11; ``domain.md`` X14)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connections

from heard.connectorkit.vocabulary import Attachment, AttachmentKind, Author, MessageSeen, Verb
from heard.domains.channels.actions import change_access
from heard.domains.channels.models import Delivery
from heard.domains.contacts.models import Contact
from heard.domains.conversations import queries as conversations
from heard.domains.conversations.models import Message
from heard.domains.inbox import actions as inbox
from heard.domains.inbox.models import Case
from heard.domains.journal import queries as journal
from heard.domains.media import queries as media
from heard.domains.media.actions import store
from heard.domains.organizations import queries as organizations
from heard.domains.outbox import actions as outbox
from heard.domains.outbox.models import Outbound
from heard.domains.privacy import actions, queries
from heard.foundation import clock
from heard.foundation.errors import NotAllowed, NotFound
from heard.foundation.work.loop import drain
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")
SECRET_WORDS = "my order 4711 never came"


def _contact(line) -> int:
    case_id = line.case(1, "zelda", text=SECRET_WORDS)
    return Case.objects.get(pk=case_id).contact_id


def _everything_stored() -> str:
    found = []
    for model in apps.get_models():
        if model.__module__.startswith("heard.domains."):
            alias = (
                "deliveries"
                if getattr(model, "in_deliveries_file", False) and "deliveries" in connections
                else "default"
            )
            for row in model.objects.using(alias).values():
                found += [
                    bytes(value).decode("utf-8", "replace")
                    if isinstance(value, bytes | memoryview)
                    else str(value)
                    for value in row.values()
                ]
    return "\n".join(found)


def test_erasing_leaves_no_word_and_no_handle_anywhere_and_the_journal_holds(cast, line) -> None:
    contact_id = _contact(line)
    case = Case.objects.get()
    outbox.submit(
        cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, text="Dear Zelda, sorry", undo_seconds=0
    )
    drain()
    inbox.write_note(cast.alice, case.pk, "Zelda is upset")
    assert "zelda" in _everything_stored().lower()
    actions.erase_person(cast.alice, contact_id, suppress=False)
    left = _everything_stored().lower()
    assert "zelda" not in left
    assert "4711" not in left
    assert Message.objects.count() == 2
    drain()
    assert journal.verify(cast.alice.organization_id).holds


def test_a_suppressed_person_is_not_collected_again_and_others_are(cast, line) -> None:
    actions.erase_person(cast.alice, _contact(line), suppress=True)
    line.says(message(2, "zelda"), message(3, "yves"))
    assert set(Contact.objects.values_list("name", flat=True)) == {"", "Yves"}
    assert not Message.objects.filter(native_id="m2").exists()


def test_without_suppression_the_same_person_may_come_again(cast, line) -> None:
    actions.erase_person(cast.alice, _contact(line), suppress=False)
    line.says(message(2, "zelda"))
    assert Contact.objects.filter(name="Zelda").count() == 1


def test_the_raw_delivery_is_emptied_too(cast, line) -> None:
    contact_id = _contact(line)
    assert SECRET_WORDS.encode() in bytes(Delivery.objects.get().body)
    actions.erase_person(cast.alice, contact_id, suppress=False)
    assert bytes(Delivery.objects.get().body) == b""


def test_an_export_holds_their_words_and_nobody_elses(cast, line) -> None:
    contact_id = _contact(line)
    line.says(message(9, "other", text="not zelda's words", author=Author("other", "@other", "Other")))
    found = json.loads(actions.export_person(cast.alice, contact_id))
    assert [entry["text"] for entry in found["messages"]] == [SECRET_WORDS]
    assert found["person"]["identities"][0]["handle"] == "@zelda"


def test_who_may(cast, line) -> None:
    contact_id = _contact(line)
    with pytest.raises(NotAllowed):
        actions.erase_person(cast.bob, contact_id, suppress=False)
    with pytest.raises(NotFound):
        actions.erase_person(cast.charlie, contact_id, suppress=False)
    assert organizations.may(cast.alice, organizations.Permission.ERASE_PERSON)
    assert Contact.objects.get(pk=contact_id).name == "Zelda"


def test_the_pages_ask_for_the_name_and_then_forget(cast, line) -> None:
    contact_id = _contact(line)
    alice = cast.browser(cast.alice)
    assert alice.get(f"/people/{contact_id}/privacy").status_code == 200
    assert alice.post(f"/people/{contact_id}/erase", {"confirm_name": "Somebody else"}).status_code == 422
    assert Contact.objects.get(pk=contact_id).name == "Zelda"
    assert alice.post(f"/people/{contact_id}/erase", {"confirm_name": "Zelda"}).status_code == 200
    assert Contact.objects.get(pk=contact_id).name == ""
    assert cast.browser(cast.charlie).get(f"/people/{contact_id}/privacy").status_code == 404
    assert cast.browser(cast.bob).post(f"/people/{contact_id}/export").status_code == 403


def _with_file(number: int, person: str, data: bytes) -> MessageSeen:
    return message(
        number, person, attachments=(Attachment("1", AttachmentKind.FILE, name="logo", data=data),)
    )


def test_a_file_that_others_sent_too_stays_theirs_and_one_of_their_own_goes(cast, line) -> None:
    line.says(_with_file(1, "zelda", b"the same logo"), _with_file(2, "yves", b"the same logo"))
    line.says(_with_file(3, "zelda", b"hers alone"))
    shared = (
        conversations.messages_of(cast.alice.organization_id, _conversations("m2"))[0].attachments[0].file_id
    )
    own = (
        conversations.messages_of(cast.alice.organization_id, _conversations("m3"))[-1].attachments[0].file_id
    )
    zelda = Contact.objects.get(name="Zelda")
    assert actions.erase_person(cast.alice, zelda.pk, suppress=False).files == 1
    assert media.contents(cast.alice.organization_id, [shared])[0][2] == b"the same logo"
    with pytest.raises(NotFound):
        media.file(cast.alice, own)


def test_a_file_that_was_sent_to_them_goes_too(cast, line) -> None:
    contact_id = _contact(line)
    picture = b"\x89PNG\r\n\x1a\n4711"
    file_id = store(cast.alice.organization_id, name="bill.png", content_type="image/png", data=picture)
    target = Case.objects.get().last_inbound_id
    outbox.submit(cast.alice, verb=Verb.REPLY, target_id=target, file_ids=[file_id], undo_seconds=0)
    drain()
    assert media.file(cast.alice, file_id).name == "bill.png"
    assert actions.erase_person(cast.alice, contact_id, suppress=False).files == 1
    with pytest.raises(NotFound):
        media.file(cast.alice, file_id)


@pytest.mark.parametrize(
    ("fault", "state"),
    [("", "sent"), ("rejected", "cancelled"), ("unreachable", "cancelled"), ("after", "cancelled")],
)
@pytest.mark.parametrize("erased", [True, False])
def test_what_is_being_sent_while_its_person_is_erased_is_erased_where_it_ends(
    cast, line, network, fault: str, state: str, erased: bool
) -> None:
    contact_id = _contact(line)
    file_id = store(
        cast.alice.organization_id, name="bill.png", content_type="image/png", data=b"\x89PNG\r\n\x1a\n1"
    )
    target = Case.objects.get().last_inbound_id
    outbox.submit(
        cast.alice, verb=Verb.REPLY, target_id=target, text="Dear Zelda", file_ids=[file_id], undo_seconds=0
    )

    def meanwhile(_order) -> str:
        if erased and not Contact.objects.get(pk=contact_id).erased_at:
            actions.erase_person(cast.alice, contact_id, suppress=False)
        return fault

    network.fault = meanwhile
    drain()
    network.fault = lambda _order: ""
    with clock.frozen(clock.now() + timedelta(hours=1)):
        drain()
    kept = str([*Outbound.objects.values("text", "alts"), *Message.objects.values("text")])
    assert ("Dear Zelda" in kept) != erased
    if erased:
        assert Outbound.objects.get().state == state
        assert len(network.posts) == (fault in {"", "after"})
    if not fault and erased:
        assert Message.objects.get(direction="out").state == "erased"
        with pytest.raises(NotFound):
            media.file(cast.alice, file_id)


def test_an_export_is_whole_also_where_whoever_hands_it_out_may_not_look(
    cast, line, connect_line, network
) -> None:
    identify = network.identify
    network.identify = lambda link: replace(identify(link), native_id="us-too")
    second = connect_line(cast.alice)
    contact_id = _contact(line)
    inbox.write_note(cast.alice, Case.objects.get().pk, "Zelda is upset")
    inbox.set_status(cast.alice, Case.objects.get().pk, "spam")
    second.says(message(2, "zelda"))
    whole = json.loads(queries.everything_about(cast.alice, contact_id))["cases"]
    change_access(cast.alice, line.channel_id, member_id=cast.alice.member_id, access="none")
    assert json.loads(queries.everything_about(cast.alice, contact_id))["cases"] == whole
    assert len(whole) == 2


def _conversations(native_id: str) -> list[int]:
    return list(Message.objects.filter(native_id=native_id).values_list("conversation_id", flat=True))


def test_every_column_is_classified() -> None:
    assert queries.unclassified_columns() == []
