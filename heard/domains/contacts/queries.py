"""The questions of contacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from heard.domains.contacts.models import Contact, Identity
from heard.domains.contacts.rules import Known
from heard.foundation.asked import once
from heard.foundation.errors import NotFound
from heard.foundation.questions import Question, each
from heard.foundation.sanitize import one_line
from heard.foundation.sight import IDENTITY, PERSON, may_see
from heard.foundation.tenancy import Actor

__all__ = [
    "ContactView",
    "IdentityView",
    "Known",
    "blocked_among",
    "contact",
    "identity",
    "names",
    "person",
]


@dataclass(frozen=True, slots=True)
class IdentityView:
    """A handle on one network."""

    identity_id: int
    network: str
    scope: str
    native_id: str
    handle: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ContactView:
    """A person, with those of their identities that the asker may know."""

    contact_id: int
    name: str
    note: str
    first_seen_at: datetime
    blocked_at: datetime | None
    erased_at: datetime | None
    identities: tuple[IdentityView, ...]


_contacts = Question(
    lambda organization_id, contact_id: Contact.objects.filter(organization_id=organization_id, pk=contact_id)
)
_identities_of = Question(
    lambda organization_id, contact_id: Identity.objects.filter(
        organization_id=organization_id, contact_id=contact_id
    ).order_by("pk")
)
_identities = Question(
    lambda organization_id, ids: Identity.objects.filter(organization_id=organization_id, pk__in=each(ids))
)


@once
def contact(actor: Actor, contact_id: int) -> ContactView:
    """One person. Raises ``NotFound`` for anybody else's."""
    found = next(iter(_contacts(actor.organization_id, contact_id)), None)
    if found is None:
        raise NotFound("There is no such person here.")
    rows = _identities_of(actor.organization_id, contact_id)
    return ContactView(
        found.pk,
        one_line(found.name) or ("Erased person" if found.erased_at else "Somebody"),
        found.note,
        found.first_seen_at,
        found.blocked_at,
        found.erased_at,
        tuple(_identity(row) for row in rows if may_see(IDENTITY, actor, row.pk)),
    )


def _identity(row: Identity) -> IdentityView:
    return IdentityView(row.pk, row.network, row.scope, row.native_id, row.handle, row.name, row.url)


def identity(organization_id: int, identity_id: int) -> IdentityView | None:
    """A handle, for connectors: whoever answers it sees the message that it stands on."""
    return next((_identity(row) for row in _identities(organization_id, [identity_id])), None)


def person(actor: Actor, contact_id: int) -> ContactView:
    """One person, for a page about them. Raises ``NotFound`` also for somebody of whom this actor could
    know only where they may not look.
    """
    if not may_see(PERSON, actor, contact_id):
        raise NotFound("There is no such person here.")
    return contact(actor, contact_id)


def blocked_among(organization_id: int, contact_ids: Iterable[int]) -> set[int]:
    """Which of these are blocked."""
    rows = Contact.objects.filter(
        organization_id=organization_id, pk__in=list(contact_ids), blocked_at__isnull=False
    )
    return set(rows.values_list("pk", flat=True))


def names(organization_id: int, identity_ids: Iterable[int]) -> dict[int, tuple[str, str, int]]:
    """(name, handle, contact id) by identity id, for drawing a thread; both as one line can show them."""
    found = {}
    for row in _identities(organization_id, identity_ids):
        shown = one_line(row.handle)
        found[row.pk] = (one_line(row.name) or shown or "Erased person", shown, row.contact_id)
    return found
