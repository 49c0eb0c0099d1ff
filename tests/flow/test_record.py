"""What is changed about channels and people stands in the record."""

from __future__ import annotations

import pytest

from heard.domains.channels import actions as channels
from heard.domains.contacts import actions as contacts
from heard.domains.contacts.models import Contact
from heard.domains.journal import actions as journal
from heard.domains.journal import queries as record
from heard.domains.organizations import actions as organizations
from tests.cast import Cast, Line
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


def recorded(cast: Cast) -> list[str]:
    journal.seal_all(cast.alice.organization_id)
    found = record.sealed_after(cast.alice.organization_id, 0, 1000)
    return [record.in_words(fact) for fact in found if fact.actor == cast.alice.label]


def test_another_brand_of_a_channel_is_recorded(cast: Cast, line: Line) -> None:
    brand_id = organizations.add_brand(cast.alice, "Nordlicht")
    channels.change_brand(cast.alice, line.channel_id, brand_id)
    assert f"Channel brand changed: brand {brand_id}, channel {line.channel_id}" in recorded(cast)


def test_a_note_about_a_person_is_recorded_without_its_words(cast: Cast, line: Line) -> None:
    line.says(message(1))
    contact_id = Contact.objects.get().pk
    contacts.write_note(cast.alice, contact_id, "Prefers short answers.")
    assert f"Contact note written: contact {contact_id}" in recorded(cast)
    assert "short" not in " ".join(recorded(cast))
