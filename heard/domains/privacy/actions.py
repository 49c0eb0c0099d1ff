"""People can be forgotten: erasing asks every room, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from heard.domains.channels import actions as channels
from heard.domains.contacts import actions as contacts
from heard.domains.contacts import queries as contact_queries
from heard.domains.conversations import actions as conversations
from heard.domains.conversations import queries as conversation_queries
from heard.domains.inbox import actions as inbox
from heard.domains.journal import actions as journal
from heard.domains.media import actions as media
from heard.domains.organizations.queries import Permission, require
from heard.domains.outbox import actions as outbox
from heard.domains.privacy import queries
from heard.domains.privacy.facts import PersonErased, PersonExported
from heard.foundation.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Erased:
    """What was emptied."""

    messages: int
    files: int
    notes: int
    deliveries: int


def erase_person(actor: Actor, contact_id: int, *, suppress: bool) -> Erased:
    """Anonymise a person here: names, handles, words, files; rows, counts and the journal stay.

    With ``suppress`` their identities are never collected again. What stands on the networks stays
    there. Raw deliveries that may hold their words are emptied too: what was understood of other
    people in them is kept in its own messages.
    """
    require(actor, Permission.ERASE_PERSON)
    contact_queries.person(actor, contact_id)
    with transaction.atomic():
        files = conversation_queries.files_of_contact(actor.organization_id, contact_id)
        marks = conversation_queries.delivery_marks(actor.organization_id, contact_id)
        outbox.erase_contact(actor, contact_id)
        messages = conversations.erase_contact(actor, contact_id)
        notes = inbox.erase_contact(actor, contact_id)
        contacts.erase(actor, contact_id, suppress=suppress)
        erased_files = media.erase(actor.organization_id, files)
        fact = PersonErased(contact_id, messages, erased_files, suppress)
        journal.append(actor.organization_id, actor.label, [fact])
    deliveries = channels.empty_deliveries(actor.organization_id, marks)
    return Erased(messages, erased_files, notes, deliveries)


def export_person(actor: Actor, contact_id: int) -> bytes:
    """Everything held about a person, as JSON (UTF-8) they can be given; noted in the journal."""
    require(actor, Permission.EXPORT_PERSON)
    found = queries.everything_about(actor, contact_id)
    with transaction.atomic():
        journal.append(actor.organization_id, actor.label, [PersonExported(contact_id)])
    return found
