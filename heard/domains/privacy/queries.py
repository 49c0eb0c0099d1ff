"""What is held about a person."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.apps import apps

from heard.domains.contacts import queries as contacts
from heard.domains.conversations import queries as conversations
from heard.domains.inbox import queries as inbox
from heard.foundation import clock
from heard.foundation.privacy import Classified
from heard.foundation.tenancy import Actor, system


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is held about somebody."""

    messages: int
    cases: int
    files: int


def counts(actor: Actor, contact_id: int) -> Counts:
    """How much is held about somebody."""
    said = conversations.said_by(actor.organization_id, contact_id)
    cases = inbox.cases_of_contact(actor, contact_id, limit=1000)
    files = conversations.files_of_contact(actor.organization_id, contact_id)
    return Counts(len(said), len(cases), len(files))


def everything_about(actor: Actor, contact_id: int) -> bytes:
    """Everything held about a person, as JSON (UTF-8, two spaces): Art. 15 and 20 GDPR.

    What they said, what they were told, what colleagues noted about them, the cases and their times;
    of other people in the same threads nothing.
    """
    contacts.person(actor, contact_id)
    # Everything, also where whoever hands it out may not look: the person has a right to all of it.
    whole = system(actor.organization_id)
    person = contacts.contact(whole, contact_id)
    cases = inbox.cases_of_contact(whole, contact_id, limit=10_000)
    found = {
        "made_at": clock.iso(clock.now()),
        "person": {
            "name": person.name,
            "note": person.note,
            "first_seen_at": clock.iso(person.first_seen_at),
            "identities": [
                {
                    "network": identity.network,
                    "scope": identity.scope,
                    "id": identity.native_id,
                    "handle": identity.handle,
                    "name": identity.name,
                    "url": identity.url,
                }
                for identity in person.identities
            ],
        },
        "messages": [
            {
                "direction": {"in": "said", "out": "was told"}.get(message.direction, "context"),
                "kind": message.kind,
                "visibility": message.visibility,
                "sent_at": clock.iso(message.sent_at),
                "subject": message.subject,
                "text": message.text,
                "url": message.url,
                "state": message.state,
                "files": [attachment.name for attachment in message.attachments],
            }
            for message in conversations.said_by(actor.organization_id, contact_id)
        ],
        "cases": [
            {
                "number": case.case_id,
                "status": case.status,
                "opened_at": clock.iso(case.opened_at),
                "notes": [note.text for note in inbox.notes(whole, case.case_id)],
                "drafts": inbox.drafts_of_all(whole, case.case_id),
            }
            for case in cases
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=2).encode()


def unclassified_columns() -> list[str]:
    """``table.column`` of every column of a room that nobody classified, or that is classified and gone."""
    problems = []
    for model in apps.get_models():
        if not model.__module__.startswith("heard.domains."):
            continue
        said = getattr(model, "classified", {})
        names = {field.name for field in model._meta.local_concrete_fields if field.column} | {
            field.name for field in model._meta.local_many_to_many
        }
        problems += [f"{model._meta.label}.{name} is not classified" for name in sorted(names - set(said))]
        problems += [
            f"{model._meta.label}.{name} is classified and gone" for name in sorted(set(said) - names)
        ]
        problems += [
            f"{model._meta.label}.{name} has no such class: {kind!r}"
            for name, kind in said.items()
            if kind not in set(Classified)
        ]
    return problems
