"""The verbs of notifications."""

from __future__ import annotations

from django.db import transaction

from heard.domains.journal import actions as journal
from heard.domains.notifications import rules
from heard.domains.notifications.facts import MemberNotified, NotificationsRead
from heard.domains.notifications.models import Notification
from heard.domains.notifications.rules import Kind, register
from heard.domains.organizations import queries as organizations
from heard.foundation import clock
from heard.foundation.errors import NotFound
from heard.foundation.tenancy import Actor, system

__all__ = ["Kind", "mark_read", "notify", "open_one", "register"]


def notify(organization_id: int, member_id: int, *, kind: str, url: str, subject_id: int = 0) -> None:
    """Tell a member something, once while it is unread. Part of the caller's transaction.

    ``kind`` is a registered name (``register``), ``url`` a path on this site, else ``ValueError``.
    Nobody is told who is not (or no longer) a member of this organization.
    """
    if not rules.is_local(url):
        raise ValueError("a notification leads to a path on this site")
    with transaction.atomic():
        try:
            organizations.actor_of(organization_id, member_id)
        except NotFound:
            return
        _row, is_new = Notification.objects.get_or_create(
            organization_id=organization_id,
            member_id=member_id,
            kind=kind,
            subject_id=subject_id,
            read_at=None,
            defaults={"url": url, "created_at": clock.now()},
        )
        if is_new:
            fact = MemberNotified(member_id=member_id, told_kind=kind, subject_id=subject_id)
            journal.append(organization_id, system(organization_id).label, [fact], at=clock.now())


def mark_read(actor: Actor, *, up_to: int) -> int:
    """The member has seen everything up to this notification; returns how many were new."""
    with transaction.atomic():
        count = Notification.objects.filter(
            organization_id=actor.organization_id,
            member_id=actor.member_id or 0,
            pk__lte=up_to,
            read_at__isnull=True,
        ).update(read_at=clock.now())
        _announce(actor, count)
    return count


def open_one(actor: Actor, notification_id: int) -> str:
    """Mark one as read; returns where it leads. Raises ``NotFound`` for anybody else's."""
    with transaction.atomic():
        mine = Notification.objects.filter(
            organization_id=actor.organization_id, member_id=actor.member_id or 0, pk=notification_id
        )
        url = mine.values_list("url", flat=True).first()
        if url is None:
            raise NotFound("There is no such notification.")
        _announce(actor, mine.filter(read_at__isnull=True).update(read_at=clock.now()))
    return url


def _announce(actor: Actor, count: int) -> None:
    if count and actor.member_id is not None:
        fact = NotificationsRead(member_id=actor.member_id, count=count)
        journal.append(actor.organization_id, actor.label, [fact], at=clock.now())
