"""The verbs of notifications."""

from __future__ import annotations

from heard.domains.notifications.models import Notification
from heard.foundation import clock
from heard.foundation.tenancy import Actor


def notify(organization_id: int, member_id: int, *, kind: str, url: str, subject_id: int = 0) -> None:
    """Tell a member something, once while it is unread. Part of the caller's transaction."""
    Notification.objects.get_or_create(
        organization_id=organization_id,
        member_id=member_id,
        kind=kind,
        subject_id=subject_id,
        read_at=None,
        defaults={"url": url, "created_at": clock.now()},
    )


def mark_read(actor: Actor, *, up_to: int) -> int:
    """The member has seen everything up to this notification."""
    rows = Notification.objects.filter(
        organization_id=actor.organization_id, member_id=actor.member_id, pk__lte=up_to, read_at__isnull=True
    )
    return rows.update(read_at=clock.now())
