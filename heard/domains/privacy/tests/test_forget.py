"""People can be forgotten (invariant 11; ``domain.md`` X14)."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.db import connections

from heard.connectorkit.vocabulary import Author, Verb
from heard.domains.channels.models import Delivery
from heard.domains.contacts.models import Contact
from heard.domains.conversations.models import Message
from heard.domains.inbox import actions as inbox
from heard.domains.inbox.models import Case
from heard.domains.journal import queries as journal
from heard.domains.organizations import queries as organizations
from heard.domains.outbox import actions as outbox
from heard.domains.privacy import actions, queries
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


def test_every_column_is_classified() -> None:
    assert queries.unclassified_columns() == []
