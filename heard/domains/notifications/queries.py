"""The questions of notifications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from heard.domains.notifications.models import Notification
from heard.domains.notifications.rules import kind_of
from heard.foundation.questions import Question
from heard.foundation.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a member was told."""

    notification_id: int
    kind: str
    subject_id: int
    url: str
    created_at: datetime
    is_read: bool
    sentence: str
    icon: str


def latest(actor: Actor, limit: int = 50, *, before: int | None = None) -> list[Told]:
    """What this member was told, newest first; ``before`` pages on from an id."""
    rows = Notification.objects.filter(organization_id=actor.organization_id, member_id=actor.member_id or 0)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [
        Told(
            row.pk,
            row.kind,
            row.subject_id,
            row.url,
            row.created_at,
            row.read_at is not None,
            kind_of(row.kind).sentence,
            kind_of(row.kind).icon,
        )
        for row in rows.order_by("-pk")[:limit]
    ]


_unread = Question(
    lambda organization_id, member_id: Notification.objects.filter(
        organization_id=organization_id, member_id=member_id, read_at__isnull=True
    ).values_list("pk")[:1000]
)


def unread(actor: Actor) -> int:
    """How many are new; a thousand at most."""
    return len(_unread(actor.organization_id, actor.member_id or 0))
