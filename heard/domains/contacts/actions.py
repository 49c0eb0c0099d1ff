"""The verbs of contacts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from heard.connectorkit.vocabulary import Author
from heard.domains.contacts import rules, sql
from heard.domains.contacts.facts import (
    ContactBlocked,
    ContactErased,
    ContactNoteWritten,
    ContactsMet,
    ContactUnblocked,
)
from heard.domains.contacts.models import Contact, Identity, Suppression
from heard.domains.contacts.rules import Known
from heard.domains.journal import actions as journal
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock, db
from heard.foundation.errors import Invalid, NotFound
from heard.foundation.tenancy import Actor, system


def know(
    organization_id: int, network: str, authors: Iterable[Author], *, at: datetime
) -> dict[tuple[str, str], Known | None]:
    """Who these authors are to us; new ones become contacts. ``None`` marks a suppressed author.

    Runs inside the caller's transaction, which holds the organization's intake lock.
    """
    wanted = {rules.author_key(author): author for author in authors}
    if not wanted:
        return {}
    result: dict[tuple[str, str], Known | None] = {}
    renamed: list[tuple[str, str, int]] = []
    for identity_id, contact_id, scope, native_id, handle, name, erased in sql.identities(
        organization_id, network, [key[1] for key in wanted]
    ):
        author = wanted.get((scope, native_id))
        if author is None:
            continue
        result[scope, native_id] = Known(identity_id, contact_id)
        fresh = (author.handle[:320], author.name[:200])
        if not erased and author.handle and fresh != (handle, name):
            renamed.append((*fresh, identity_id))
    sql.rename(renamed)
    marks = _suppression_marks(organization_id, network)
    new = []
    for key, author in wanted.items():
        if key in result:
            continue
        if marks and rules.is_suppressed(network, author, marks):
            result[key] = None
        else:
            new.append(author)
    result.update(_meet(organization_id, network, new, at))
    return result


def _suppression_marks(organization_id: int, network: str) -> list[tuple[bytes, frozenset[bytes]]]:
    by_salt: dict[bytes, set[bytes]] = {}
    rows = Suppression.objects.filter(organization_id=organization_id, network=network)
    for salt, digest in rows.values_list("salt", "digest"):
        by_salt.setdefault(bytes(salt), set()).add(bytes(digest))
    return [(salt, frozenset(digests)) for salt, digests in by_salt.items()]


def _meet(
    organization_id: int, network: str, authors: list[Author], at: datetime
) -> dict[tuple[str, str], Known]:
    if not authors:
        return {}
    contact_ids = db.allocate_ids("contacts_contact", len(authors))
    identity_ids = db.allocate_ids("contacts_identity", len(authors))
    sql.insert_contacts(
        [
            (contact_id, organization_id, rules.display_name(author), at)
            for contact_id, author in zip(contact_ids, authors, strict=True)
        ]
    )
    sql.insert_identities(
        [
            (
                identity_id,
                organization_id,
                contact_id,
                network,
                author.scope[:255],
                author.native_id,
                author.handle[:320],
                author.name[:200],
                author.url[:1000],
                author.avatar_url[:1000],
                author.is_bot,
                at,
            )
            for identity_id, contact_id, author in zip(identity_ids, contact_ids, authors, strict=True)
        ]
    )
    journal.append(organization_id, system(organization_id).label, [ContactsMet(tuple(contact_ids))], at=at)
    return {
        rules.author_key(author): Known(identity_id, contact_id)
        for author, identity_id, contact_id in zip(authors, identity_ids, contact_ids, strict=True)
    }


def _of(actor: Actor, contact_id: int) -> Contact:
    found = Contact.objects.filter(organization_id=actor.organization_id, pk=contact_id).first()
    if found is None:
        raise NotFound("There is no such person here.")
    return found


def block(actor: Actor, contact_id: int) -> None:
    """Messages of this person no longer reach the inbox (they are still kept)."""
    require(actor, Permission.BLOCK)
    with transaction.atomic():
        contact = _of(actor, contact_id)
        if contact.blocked_at is None:
            Contact.objects.filter(pk=contact.pk).update(blocked_at=clock.now())
            journal.append(actor.organization_id, actor.label, [ContactBlocked(contact_id)])


def unblock(actor: Actor, contact_id: int) -> None:
    """Messages of this person reach the inbox again."""
    require(actor, Permission.BLOCK)
    with transaction.atomic():
        contact = _of(actor, contact_id)
        if contact.blocked_at is not None:
            Contact.objects.filter(pk=contact.pk).update(blocked_at=None)
            journal.append(actor.organization_id, actor.label, [ContactUnblocked(contact_id)])


def write_note(actor: Actor, contact_id: int, text: str) -> None:
    """What colleagues should know about this person."""
    require(actor, Permission.NOTE)
    if len(text) > rules.LONGEST_NOTE:
        raise Invalid(f"A note about a person has at most {rules.LONGEST_NOTE:,} characters.", field="note")
    with transaction.atomic():
        contact = _of(actor, contact_id)
        Contact.objects.filter(pk=contact.pk).update(note=text)
        journal.append(actor.organization_id, actor.label, [ContactNoteWritten(contact_id)])


def erase(actor: Actor, contact_id: int, *, suppress: bool) -> None:
    """Anonymise a person here; with ``suppress`` never collect their identities again.

    What they said is erased by the room ``privacy``, which calls this within its transaction.
    """
    require(actor, Permission.ERASE_PERSON)
    with transaction.atomic():
        contact = _of(actor, contact_id)
        if contact.erased_at is not None:
            return
        now = clock.now()
        for identity in Identity.objects.filter(organization_id=actor.organization_id, contact=contact):
            if suppress:
                _suppress(identity, now)
            Identity.objects.filter(pk=identity.pk).update(
                native_id=f"erased:{identity.pk}", handle="", name="", url="", avatar_url=""
            )
        Contact.objects.filter(pk=contact.pk).update(name="", note="", erased_at=now)
        journal.append(actor.organization_id, actor.label, [ContactErased(contact_id, suppress)], at=now)


def _suppress(identity: Identity, now: datetime) -> None:
    rows = Suppression.objects.filter(organization_id=identity.organization_id, network=identity.network)
    salt = bytes(rows.values_list("salt", flat=True).first() or os.urandom(16))
    digest = rules.suppression_digest(salt, identity.network, identity.scope, identity.native_id)
    Suppression.objects.get_or_create(
        organization_id=identity.organization_id,
        network=identity.network,
        digest=digest,
        defaults={"salt": salt, "since": now},
    )
