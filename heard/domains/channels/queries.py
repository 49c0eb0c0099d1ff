"""The questions of channels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from heard.connectorkit import registry
from heard.connectorkit.manifest import Manifest
from heard.connectorkit.protocol import Connector, Pushes
from heard.connectorkit.vocabulary import Account
from heard.domains.channels import rules, sql
from heard.domains.channels.models import (
    Access,
    Channel,
    ChannelAccess,
    ChannelState,
    Cursor,
    Delivery,
    DeliveryState,
)
from heard.domains.organizations.queries import Permission, may, require
from heard.foundation import clock, equipment
from heard.foundation.asked import once
from heard.foundation.crypto import KeyProblem, Place
from heard.foundation.errors import NotAllowed, NotFound
from heard.foundation.tenancy import Actor


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as pages and other rooms see it: no secrets."""

    channel_id: int
    organization_id: int
    brand_id: int
    network: str
    network_name: str
    scope: str
    native_id: str
    handle: str
    name: str
    url: str
    state: str
    state_reason: str
    connected_at: datetime
    heard_at: datetime | None
    looked_at: datetime | None
    is_streaming: bool
    error: str
    error_at: datetime | None
    gap: str


def connector_of(network: str) -> Connector:
    """The connector of a network. Raises ``NotFound`` when none is installed."""
    try:
        return registry.connector(network)
    except LookupError as error:
        raise NotFound(f"Heard has no connector for {network!r}.") from error


def is_spoken(network: str | None) -> bool:
    """Whether a connector here speaks this network; ``None`` (a channel that is gone) passes."""
    return network is None or network in registry.connectors()


def manifests() -> list[Manifest]:
    """All networks that can be connected, by name."""
    return sorted((found.manifest for found in registry.connectors().values()), key=lambda item: item.name)


def _view(row: Channel) -> ChannelView:
    try:
        name = connector_of(row.network).manifest.name
    except NotFound:
        name = row.network
    return ChannelView(
        row.pk,
        row.organization_id,
        row.brand_id,
        row.network,
        name,
        row.scope,
        row.native_id,
        row.handle,
        row.name,
        row.url,
        row.state,
        row.state_reason,
        row.connected_at,
        row.heard_at,
        row.looked_at,
        row.streaming_until is not None and row.streaming_until > clock.now(),
        row.error,
        row.error_at,
        row.gap,
    )


@once
def _rows(organization_id: int) -> dict[int, Channel]:
    """All channels of an organization by id, whatever their state: a page asks of them a dozen times."""
    rows = Channel.objects.filter(organization_id=organization_id).defer("secrets")
    return {row.pk: row for row in rows.order_by("network", "pk")}


def channels(actor: Actor) -> list[ChannelView]:
    """The organization's channels that this actor may see, closed ones left out."""
    hidden = hidden_channel_ids(actor)
    return [
        _view(row)
        for row in _rows(actor.organization_id).values()
        if row.state != ChannelState.CLOSED and row.pk not in hidden
    ]


def channel(actor: Actor, channel_id: int) -> ChannelView:
    """One channel, closed or not. Raises ``NotFound`` for anybody else's, or a hidden one."""
    row = _rows(actor.organization_id).get(channel_id)
    if row is None or row.pk in hidden_channel_ids(actor):
        raise NotFound("There is no such channel here.")
    return _view(row)


def channel_views(organization_id: int, channel_ids: Iterable[int]) -> dict[int, ChannelView]:
    """Channels by id, whatever their state. For drawing what was said on them."""
    rows = _rows(organization_id)
    return {number: _view(rows[number]) for number in channel_ids if number in rows}


def account_of(row: Channel, secrets: Mapping[str, str] | None = None) -> Account:
    """A channel as its connector sees it; without ``secrets``, for pure questions."""
    return Account(
        native_id=row.native_id,
        handle=row.handle,
        name=row.name,
        scope=row.scope,
        settings=row.settings,
        secrets=dict(secrets or {}),
        limits=row.limits,
    )


def account(organization_id: int, channel_id: int) -> Account:
    """A channel's account without secrets, for ``supports`` and ``receive``."""
    row = _rows(organization_id).get(channel_id)
    if row is None:
        raise NotFound("There is no such channel here.")
    return account_of(row)


def secrets_of(row: Channel) -> dict[str, str]:
    """Decrypted secrets. Raises ``KeyMissing`` or ``Tampered`` (foundation.crypto)."""
    if not row.secrets:
        return {}
    text = equipment.keyring().decrypt(row.secrets, Place(row.organization_id, "channels_channel", row.pk))
    found: dict[str, str] = json.loads(text)
    return found


def is_connected(actor: Actor, network: str, scope: str, native_id: str) -> bool:
    """True when this account is connected here already."""
    rows = Channel.objects.filter(
        organization_id=actor.organization_id, network=network, scope=scope, native_id=native_id
    )
    return rows.exclude(state=ChannelState.CLOSED).exists()


def settings_of(actor: Actor, channel_id: int) -> dict[str, Any]:
    """What was filled in when it was connected, without secrets. For those who connect it again."""
    require(actor, Permission.MANAGE_CHANNELS)
    view = channel(actor, channel_id)
    found: dict[str, Any] = Channel.objects.values_list("settings", flat=True).get(pk=view.channel_id)
    return found


def refused(actor: Actor) -> list[ChannelView]:
    """Channels whose credentials the network no longer takes, for the banner on every page."""
    hidden = hidden_channel_ids(actor)
    rows = [row for row in _rows(actor.organization_id).values() if row.state == ChannelState.REFUSED]
    return [_view(row) for row in rows if row.pk not in hidden]


@once
def _accesses(actor: Actor) -> dict[int, str]:
    """Channel id -> access, where it differs from the role.

    A member's own beats their teams'; of several teams', the widest holds.
    """
    if actor.member_id is None:
        return {}
    order = {Access.NONE: 0, Access.VIEW: 1, Access.REPLY: 2}
    own: dict[int, str] = {}
    by_team: dict[int, str] = {}
    rows = ChannelAccess.objects.filter(organization_id=actor.organization_id).filter(
        Q(member_id=actor.member_id) | Q(team_id__in=actor.team_ids)
    )
    for row in rows:
        if row.member_id is not None:
            own[row.channel_id] = row.access
        elif (
            row.channel_id not in by_team
            or order[Access(row.access)] > order[Access(by_team[row.channel_id])]
        ):
            by_team[row.channel_id] = row.access
    return {**by_team, **own}


def hidden_channel_ids(actor: Actor) -> set[int]:
    """Channels this actor must not see."""
    return {channel_id for channel_id, access in _accesses(actor).items() if access == Access.NONE}


def may_reply(actor: Actor, channel_id: int) -> bool:
    """May this actor answer on this channel? The role's word, narrowed or widened for the channel."""
    if actor.is_system:
        return True
    access = _accesses(actor).get(channel_id)
    if access is None:
        return may(actor, Permission.REPLY)
    return access == Access.REPLY


def require_reply(actor: Actor, channel_id: int) -> None:
    """Raise ``NotAllowed`` unless ``may_reply``."""
    if not may_reply(actor, channel_id):
        raise NotAllowed("You may read this channel, not answer on it. Ask a manager of your company.")


@dataclass(frozen=True, slots=True)
class AccessView:
    """An exception to the role on a channel."""

    member_id: int | None
    team_id: int | None
    access: str


def accesses(actor: Actor, channel_id: int) -> list[AccessView]:
    """Who is an exception on this channel."""
    rows = ChannelAccess.objects.filter(organization_id=actor.organization_id, channel_id=channel_id)
    return [AccessView(row.member_id, row.team_id, row.access) for row in rows.order_by("pk")]


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


def networks_of(channel_ids: Iterable[int]) -> dict[int, str]:
    """Network by channel id. For the worker."""
    return dict(Channel.objects.filter(pk__in=list(channel_ids)).values_list("pk", "network"))


def troubled() -> list[ChannelView]:
    """Channels that cannot listen, of all organizations. For ``heard doctor``."""
    rows = Channel.objects.filter(Q(state=ChannelState.REFUSED) | ~Q(error="")).exclude(
        state=ChannelState.CLOSED
    )
    return [_view(row) for row in rows.order_by("pk")]


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
            found.append((_view(row), problem.message))
    return found


def key_ids_in_use() -> dict[str, int]:
    """How many channels each key still encrypts. For the operator."""
    tokens = Channel.objects.exclude(secrets="").values_list("secrets", flat=True)
    return Counter(token.split(":")[1] for token in tokens)
