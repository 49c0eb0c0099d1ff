"""How a channel is doing: when it was last looked at and heard, what went wrong in plain words."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from heard.connectorkit import errors
from heard.domains.channels import rules, sql
from heard.domains.channels.facts import ChannelGapNoted, ChannelPaused, ChannelRefused
from heard.domains.channels.models import Channel, ChannelState, Delivery, DeliveryState
from heard.domains.journal import actions as journal
from heard.foundation import clock
from heard.foundation.tenancy import system
from heard.foundation.work import Claimed, claim, finish

HEARD_AGAIN = timedelta(seconds=10)
LOOK_LEASE_SECONDS = 60.0
"""Two looks at once do no harm, messages being once; a killed worker's channels wait no longer than this."""


def take_due_channels(now: datetime, limit: int) -> list[Claimed]:
    """Claim channels that are due to be looked at."""
    return claim(Channel, ChannelState.ACTIVE, now=now, limit=limit, lease_seconds=LOOK_LEASE_SECONDS)


def note_look(claimed: Claimed, *, poll_seconds: int, heard: bool, more: bool, gap: str) -> None:
    """A look went well."""
    now = clock.now()
    with transaction.atomic():
        row = Channel.objects.filter(pk=claimed.id).values_list("streaming_until", flat=True).first()
        is_streaming = row is not None and row > now
        changes: dict[str, Any] = {
            "due_at": rules.next_look(now, is_streaming=is_streaming, poll_seconds=poll_seconds, more=more),
            "looked_at": now,
            "attempts": 0,
            "error": "",
            "error_at": None,
        }
        if heard:
            changes["heard_at"] = now
        if gap:
            changes["gap"] = gap[:300]
        held = finish(Channel, claimed, **changes)
        if held and gap:
            organization_id = claimed.organization_id
            journal.append(organization_id, system(organization_id).label, [ChannelGapNoted(claimed.id)])


def put_off_look(claimed: Claimed, seconds: float) -> None:
    """The network's budget is nearly used: look later, and leave the rest to replies."""
    with transaction.atomic():
        finish(Channel, claimed, due_at=clock.now() + timedelta(seconds=max(1.0, seconds)))


def note_error(claimed: Claimed, error: errors.ConnectorError, *, poll_seconds: int) -> None:
    """A look failed: say so in plain words, come back later; refused credentials stop the channel."""
    now = clock.now()
    with transaction.atomic():
        attempts = Channel.objects.filter(pk=claimed.id).values_list("attempts", flat=True).first() or 0
        pause = rules.pause_after_error(error, attempts, poll_seconds)
        changes: dict[str, Any] = {
            "due_at": now + timedelta(seconds=pause),
            "attempts": attempts + 1,
            "error": rules.plain_error(error),
            "error_at": now,
        }
        refused = isinstance(error, errors.CredentialsRefused)
        if refused:
            changes["state"] = ChannelState.REFUSED
            changes["state_reason"] = rules.plain_error(error)
        held = finish(Channel, claimed, **changes)
        if held and refused:
            organization_id = claimed.organization_id
            journal.append(organization_id, system(organization_id).label, [ChannelRefused(claimed.id)])


def pause_unspoken(claimed: Claimed) -> None:
    """Nothing here speaks its network any more: it rests, with all it has, until somebody resumes it."""
    with transaction.atomic():
        held = finish(Channel, claimed, state=ChannelState.PAUSED, state_reason=rules.UNSPOKEN, attempts=0)
        if held:
            organization_id = claimed.organization_id
            journal.append(organization_id, system(organization_id).label, [ChannelPaused(claimed.id)])


def refuse_channel(organization_id: int, channel_id: int, error: errors.CredentialsRefused) -> None:
    """Sending or streaming found the credentials refused."""
    with transaction.atomic():
        changed = Channel.objects.filter(
            organization_id=organization_id, pk=channel_id, state=ChannelState.ACTIVE
        ).update(
            state=ChannelState.REFUSED, state_reason=rules.plain_error(error), error=rules.plain_error(error)
        )
        if changed:
            journal.append(organization_id, system(organization_id).label, [ChannelRefused(channel_id)])


def note_heard(organization_id: int, channel_id: int) -> None:
    """Something came by push or stream. Noted every few seconds at most: pushes come by the thousand."""
    now = clock.now()
    rows = Channel.objects.filter(organization_id=organization_id, pk=channel_id)
    rows = rows.filter(Q(heard_at__isnull=True) | Q(heard_at__lt=now - HEARD_AGAIN))
    if rows.exists():
        rows.update(heard_at=now)


def note_streaming(organization_id: int, channel_id: int, *, seconds: float, look: bool = False) -> None:
    """The line is open, for at least this long; with 0 it was lost. Then, or with ``look``: look at once."""
    now = clock.now()
    changes: dict[str, object] = {"streaming_until": now + timedelta(seconds=seconds)}
    if look or seconds <= 0:
        changes["due_at"] = now
    Channel.objects.filter(organization_id=organization_id, pk=channel_id).update(**changes)


def keep_lines(channel_ids: Collection[int], *, seconds: float) -> None:
    """This process goes on holding these lines; with 0 it gives them all back, and they are looked at."""
    if not channel_ids:
        return
    now = clock.now()
    changes: dict[str, object] = {"streaming_until": now + timedelta(seconds=seconds)}
    if seconds <= 0:
        changes["due_at"] = now
    Channel.objects.filter(pk__in=channel_ids, state=ChannelState.ACTIVE).update(**changes)


def take_over() -> None:
    """Embedded, the only worker starts: what its killed predecessor held is free, and looked at, at once.

    Should another one be at work after all, its fences are lost, not its work.
    """
    now = clock.now()
    held = Channel.objects.filter(Q(lease_until__isnull=False) | Q(streaming_until__gt=now))
    held.update(lease_until=None, streaming_until=None, due_at=now)
    taken = Delivery.objects.using(sql.alias()).filter(
        state=DeliveryState.RECEIVED, lease_until__isnull=False
    )
    taken.update(lease_until=None)
