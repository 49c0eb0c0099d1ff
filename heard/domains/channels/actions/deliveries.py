"""Raw first: deliveries are durable before the network hears "200" and before a cursor moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from heard.connectorkit.vocabulary import RawDelivery, Source
from heard.domains.channels import queries, rules, sql
from heard.domains.channels.facts import DeliveriesReplayed
from heard.domains.channels.models import Channel, Cursor, Delivery, DeliveryState
from heard.domains.journal import actions as journal
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock
from heard.foundation.errors import NotFound
from heard.foundation.tenancy import Actor
from heard.foundation.work import Claimed, backoff_seconds, claim, finish, wake

LEASE_SECONDS = 60.0
UNSPOKEN_SECONDS = 300.0
"""How often a delivery looks whether its connector is back."""
TAKE_IN = "conversations.take_in"


@dataclass(frozen=True, slots=True)
class ArrivedDelivery:
    """Something a network handed us, for one channel."""

    organization_id: int
    channel_id: int
    source: Source
    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnderstoodDelivery:
    """A claimed delivery, ready to be read by its connector."""

    claimed: Claimed
    channel_id: int
    delivery: RawDelivery
    attempts: int


def receive(arrived: Sequence[ArrivedDelivery]) -> None:
    """Store deliveries in one commit. When this returns they are durable."""
    rows = [
        (item.organization_id, item.channel_id, item.source.value, item.headers, item.body, item.received_at)
        for item in arrived
    ]
    with transaction.atomic(using=sql.alias()):
        sql.insert_deliveries(rows)
        wake(TAKE_IN, alias=sql.alias())


def keep_page(
    organization_id: int, channel_id: int, bodies: Sequence[bytes], cursor: Mapping[str, Any], source: Source
) -> None:
    """Store a fetched page and move the cursor, in one transaction: no gap, no hole."""
    now = clock.now()
    with transaction.atomic(using=sql.alias()):
        receive([ArrivedDelivery(organization_id, channel_id, source, body, now) for body in bodies])
        Cursor.objects.update_or_create(
            channel_id=channel_id,
            defaults={"organization_id": organization_id, "value": dict(cursor), "moved_at": now},
        )


def claim_deliveries(now: datetime, limit: int) -> list[UnderstoodDelivery]:
    """Claim due deliveries, oldest first, across organizations."""
    claimed = {
        row.id: row
        for row in claim(
            Delivery,
            DeliveryState.RECEIVED,
            now=now,
            limit=limit,
            lease_seconds=LEASE_SECONDS,
            alias=sql.alias(),
        )
    }
    if not claimed:
        return []
    rows = Delivery.objects.using(sql.alias()).filter(pk__in=list(claimed)).order_by("pk")
    found = [
        UnderstoodDelivery(
            claimed[row.pk],
            row.channel_id,
            RawDelivery(Source(row.source), bytes(row.body), row.received_at, row.headers),
            row.attempts,
        )
        for row in rows
    ]
    return _readable(found, now)


def _readable(found: Sequence[UnderstoodDelivery], now: datetime) -> list[UnderstoodDelivery]:
    """Those of channels that a connector speaks for; the others wait for it, and stop nobody."""
    networks = queries.networks_of({item.channel_id for item in found})
    silent = [item for item in found if not queries.is_spoken(networks.get(item.channel_id))]
    for item in silent:
        due_at = now + timedelta(seconds=UNSPOKEN_SECONDS)
        finish(Delivery, item.claimed, alias=sql.alias(), due_at=due_at, reason=rules.UNSPOKEN)
    return [item for item in found if item not in silent]


def settle_deliveries(deliveries: Sequence[UnderstoodDelivery]) -> None:
    """They were understood; their messages are committed."""
    with transaction.atomic(using=sql.alias()):
        Delivery.objects.using(sql.alias()).filter(pk__in=[item.claimed.id for item in deliveries]).update(
            state=DeliveryState.UNDERSTOOD, lease_until=None, reason=""
        )


def set_unreadable(delivery: UnderstoodDelivery, reason: str) -> None:
    """Kept until it can be replayed after a fix; the operator is told on the channel's page."""
    finish(
        Delivery,
        delivery.claimed,
        alias=sql.alias(),
        state=DeliveryState.UNREADABLE,
        reason=reason[:300],
        attempts=delivery.attempts + 1,
    )


def put_off_delivery(delivery: UnderstoodDelivery, reason: str) -> None:
    """Something failed that is not the delivery's fault: later, and in the end aloud."""
    attempts = delivery.attempts + 1
    if attempts >= rules.MOST_ATTEMPTS_TO_UNDERSTAND:
        set_unreadable(delivery, reason)
        return
    finish(
        Delivery,
        delivery.claimed,
        alias=sql.alias(),
        attempts=attempts,
        reason=reason[:300],
        due_at=clock.now() + timedelta(seconds=backoff_seconds(attempts)),
    )


def replay(actor: Actor, channel_id: int) -> int:
    """Put a channel's unreadable deliveries back to be understood; returns how many."""
    require(actor, Permission.MANAGE_CHANNELS)
    if not Channel.objects.filter(organization_id=actor.organization_id, pk=channel_id).exists():
        raise NotFound("There is no such channel here.")
    with transaction.atomic(using=sql.alias()):
        count = (
            Delivery.objects.using(sql.alias())
            .filter(
                organization_id=actor.organization_id, channel_id=channel_id, state=DeliveryState.UNREADABLE
            )
            .exclude(body=b"")
            .update(state=DeliveryState.RECEIVED, attempts=0, due_at=clock.now(), reason="")
        )
        wake(TAKE_IN, alias=sql.alias())
    with transaction.atomic():
        journal.append(actor.organization_id, actor.label, [DeliveriesReplayed(channel_id, count)])
    return count


def forget_bodies(older_than_days: int, limit: int = 1000) -> int:
    """Retention: an understood delivery's body goes after its term; the row stays for counts."""
    now = clock.now()
    before = now - timedelta(days=older_than_days)
    rows = Delivery.objects.using(sql.alias())
    ids = list(
        rows.filter(state=DeliveryState.UNDERSTOOD, emptied_at__isnull=True, received_at__lt=before)
        .order_by("received_at")
        .values_list("pk", flat=True)[:limit]
    )
    return rows.filter(pk__in=ids).update(body=b"", headers={}, emptied_at=now)


def empty_deliveries(organization_id: int, marks: Sequence[tuple[int, datetime]]) -> int:
    """Empty the raw bodies that brought an erased person's words: (channel, received at) of each.

    A body that is not understood yet stays: its person is anonymised when it is.
    """
    rows = Delivery.objects.using(sql.alias()).filter(organization_id=organization_id)
    now = clock.now()
    done = 0
    for channel_id, received_at in marks:
        mine = rows.filter(channel_id=channel_id, received_at=received_at, emptied_at__isnull=True)
        done += mine.exclude(state=DeliveryState.RECEIVED).update(body=b"", headers={}, emptied_at=now)
    return done
