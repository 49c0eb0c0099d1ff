"""The connected accounts: as pages see them, and as their connectors do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heard.connectorkit import registry
from heard.connectorkit.manifest import Manifest
from heard.connectorkit.protocol import Connector
from heard.connectorkit.vocabulary import Account
from heard.domains.channels.models import (
    Channel,
    ChannelState,
)
from heard.domains.channels.queries.access import hidden_channel_ids
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock, equipment
from heard.foundation.asked import once
from heard.foundation.crypto import Place
from heard.foundation.errors import NotFound
from heard.foundation.questions import Question
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


def view_of(row: Channel) -> ChannelView:
    """A row as pages and other rooms see it."""
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


_channels = Question(
    lambda organization_id: (
        Channel.objects.filter(organization_id=organization_id).defer("secrets").order_by("network", "pk")
    )
)


@once
def _rows(organization_id: int) -> dict[int, Channel]:
    """All channels of an organization by id, whatever their state: a page asks of them a dozen times."""
    return {row.pk: row for row in _channels(organization_id)}


def channels(actor: Actor) -> list[ChannelView]:
    """The organization's channels that this actor may see, closed ones left out."""
    hidden = hidden_channel_ids(actor)
    return [
        view_of(row)
        for row in _rows(actor.organization_id).values()
        if row.state != ChannelState.CLOSED and row.pk not in hidden
    ]


def channel(actor: Actor, channel_id: int) -> ChannelView:
    """One channel, closed or not. Raises ``NotFound`` for anybody else's, or a hidden one."""
    row = _rows(actor.organization_id).get(channel_id)
    if row is None or row.pk in hidden_channel_ids(actor):
        raise NotFound("There is no such channel here.")
    return view_of(row)


def channel_views(organization_id: int, channel_ids: Iterable[int]) -> dict[int, ChannelView]:
    """Channels by id, whatever their state. For drawing what was said on them."""
    rows = _rows(organization_id)
    return {number: view_of(rows[number]) for number in channel_ids if number in rows}


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
    return [view_of(row) for row in rows if row.pk not in hidden]
