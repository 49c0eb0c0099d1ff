"""How channels are doing, and what the worker asks of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from heard.connectorkit import registry
from heard.connectorkit.protocol import Pushes
from heard.connectorkit.vocabulary import Account
from heard.domains.channels import rules, sql
from heard.domains.channels.models import (
    Channel,
    ChannelState,
    Cursor,
    Delivery,
    DeliveryState,
)
from heard.domains.channels.queries.accounts import (
    ChannelView,
    account_of,
    channel,
    connector_of,
    is_spoken,
    secrets_of,
    view_of,
)
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock
from heard.foundation.crypto import KeyProblem
from heard.foundation.questions import Question, each
from heard.foundation.tenancy import Actor


@dataclass(frozen=True, slots=True)
class HealthView:
    """What the health page shows beside the channel itself."""

    cursor: str
    cursor_moved_at: datetime | None
    waiting: int
    unreadable: int
    last_unreadable: str
    budgets: tuple[tuple[str, int, int, str], ...]


def health(actor: Actor, channel_id: int) -> HealthView:
    """Cursor, what waits and what could not be read; counted budgets as (name, left, amount, unit)."""
    view = channel(actor, channel_id)
    alias = sql.alias()
    cursor = Cursor.objects.using(alias).filter(channel_id=channel_id).first()
    rows = Delivery.objects.using(alias).filter(organization_id=actor.organization_id, channel_id=channel_id)
    unread = rows.filter(state=DeliveryState.UNREADABLE)
    last = unread.order_by("-pk").values_list("reason", flat=True).first()
    kept = Channel.objects.filter(pk=view.channel_id).values_list("budgets", flat=True).first() or {}
    now = clock.now()
    spoken = is_spoken(view.network)
    counted = rules.counted_budgets(connector_of(view.network).manifest) if spoken else {}
    budgets = tuple(
        (name, rules.budget_left(declared, kept.get(name, {}), now), declared.amount, declared.unit)
        for name, declared in counted.items()
    )
    return HealthView(
        json.dumps(cursor.value, ensure_ascii=False) if cursor else "",
        cursor.moved_at if cursor else None,
        rows.filter(state=DeliveryState.RECEIVED).count(),
        unread.count(),
        last or "",
        budgets,
    )


def cursor(channel_id: int) -> Mapping[str, Any] | None:
    """Where ``fetch`` goes on. For the worker."""
    found = (
        Cursor.objects.using(sql.alias())
        .filter(channel_id=channel_id)
        .values_list("value", flat=True)
        .first()
    )
    return found or None


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a network pushes to: found by its unguessable token."""

    organization_id: int
    channel_id: int
    network: str
    account: Account


def hook(token: str) -> Hook | None:
    """The channel behind a hook address, with secrets to check its signature; ``None`` if there is none."""
    row = Channel.objects.filter(hook_token=token).exclude(state=ChannelState.CLOSED).first()
    if row is None:
        return None
    return Hook(row.organization_id, row.pk, row.network, account_of(row, secrets_of(row)))


def seconds_until_look(channel_id: int) -> float:
    """How long the network's budget asks us to wait before looking; 0 is now. For the worker."""
    found = Channel.objects.filter(pk=channel_id).values_list("network", "budgets").first()
    if found is None:
        return 0.0
    network, kept = found
    return rules.seconds_until_look(connector_of(network).manifest, kept, clock.now())


def pushes(network: str) -> bool:
    """Does this network call us, so that it must be told an address?"""
    return is_spoken(network) and isinstance(connector_of(network), Pushes)


def hook_token(actor: Actor, channel_id: int) -> str:
    """The secret part of a channel's hook address. For those who manage channels."""
    require(actor, Permission.MANAGE_CHANNELS)
    view = channel(actor, channel_id)
    return Channel.objects.values_list("hook_token", flat=True).get(pk=view.channel_id)


def streaming_candidates() -> list[tuple[int, int, str]]:
    """(organization, channel, network) of active channels that a connector speaks for. For ``heard stream``.

    One whose connector was uninstalled must not take the others' lines with it.
    """
    known = registry.connectors()
    rows = Channel.objects.filter(state=ChannelState.ACTIVE, network__in=list(known)).order_by("pk")
    return list(rows.values_list("organization_id", "pk", "network"))


def without_connector() -> dict[str, int]:
    """Channels that nothing here speaks for, by network, all organizations. For ``heard doctor``."""
    rows = Channel.objects.exclude(state=ChannelState.CLOSED).exclude(network__in=list(registry.connectors()))
    return dict(rows.order_by().values_list("network").annotate(count=Count("pk")))


_networks = Question(lambda ids: Channel.objects.filter(pk__in=each(ids)).values_list("pk", "network"))


def networks_of(channel_ids: Iterable[int]) -> dict[int, str]:
    """Network by channel id. For the worker."""
    return dict(_networks(channel_ids))


def troubled() -> list[ChannelView]:
    """Channels that cannot listen, of all organizations. For ``heard doctor``."""
    rows = Channel.objects.filter(Q(state=ChannelState.REFUSED) | ~Q(error="")).exclude(
        state=ChannelState.CLOSED
    )
    return [view_of(row) for row in rows.order_by("pk")]


def not_looked_at(since: datetime) -> int:
    """Active channels whose look was due before ``since`` and that nobody took. For ``heard doctor``."""
    due = Channel.objects.filter(state=ChannelState.ACTIVE, due_at__lt=since)
    due = due.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=since))
    return due.filter(network__in=list(registry.connectors())).count()


def backlog() -> tuple[int, datetime | None]:
    """(deliveries not understood yet, when the oldest came). For ``heard doctor`` and metrics."""
    rows = Delivery.objects.using(sql.alias()).filter(state=DeliveryState.RECEIVED)
    first = rows.order_by("pk").values_list("received_at", flat=True).first()
    return rows.count(), first


def unreadable() -> int:
    """Deliveries kept because they could not be read, of all organizations. For ``heard doctor``."""
    return Delivery.objects.using(sql.alias()).filter(state=DeliveryState.UNREADABLE).count()


def locked() -> list[tuple[ChannelView, str]]:
    """Channels whose secrets do not open, and why, of all organizations. For ``heard doctor``."""
    found = []
    for row in Channel.objects.exclude(state=ChannelState.CLOSED).exclude(secrets="").order_by("pk"):
        try:
            secrets_of(row)
        except KeyProblem as problem:
            found.append((view_of(row), problem.message))
    return found


def key_ids_in_use() -> dict[str, int]:
    """How many channels each key still encrypts. For the operator."""
    tokens = Channel.objects.exclude(secrets="").values_list("secrets", flat=True)
    return Counter(token.split(":")[1] for token in tokens)
