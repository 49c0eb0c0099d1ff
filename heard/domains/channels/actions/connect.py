"""Connecting an account: the credentials are tested before anything is saved."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from heard.connectorkit import errors
from heard.connectorkit.vocabulary import WhoAmI
from heard.domains.channels import queries, rules
from heard.domains.channels.actions.link import seal_secrets, spend, trial_link
from heard.domains.channels.facts import (
    ChannelAccessChanged,
    ChannelBrandChanged,
    ChannelClosed,
    ChannelConnected,
    ChannelPaused,
    ChannelResumed,
)
from heard.domains.channels.models import Access, Channel, ChannelAccess, ChannelState
from heard.domains.journal import actions as journal
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock, db, equipment
from heard.foundation.errors import Conflict, Invalid, NotFound
from heard.foundation.sanitize import storable_text
from heard.foundation.tenancy import Actor
from heard.foundation.work import wake

Answers = list[Mapping[str, str]]
CONNECT = 5
"""The purpose of the organization's lock: the same form, sent twice at once, waits for itself."""


def _tested(actor: Actor, network: str, values: Mapping[str, Any]) -> tuple[WhoAmI, Answers]:
    """Ask the network whose credentials these are; nothing is saved. With the answers that it took, for the
    budgets of the channel they are saved for. Raises ``Invalid`` with the connector's sentence.
    """
    require(actor, Permission.MANAGE_CHANNELS)
    connector = queries.connector_of(network)
    settings, secrets = rules.split_fields(connector.manifest, dict(values))
    answers: Answers = []
    try:
        who = connector.identify(trial_link(connector.manifest.network, settings, secrets, answers))
    except errors.ConnectorError as error:
        raise Invalid(error.message) from error
    problem = rules.unfit(who)
    if problem:
        raise Invalid(problem)
    return who, answers


def connect(actor: Actor, network: str, values: Mapping[str, Any], *, brand_id: int | None = None) -> int:
    """Test the credentials and connect the account; returns the channel's id.

    An account that is connected already is refused (``Conflict``); a closed one starts anew.
    """
    who, answers = _tested(actor, network, values)
    connector = queries.connector_of(network)
    settings, secrets = rules.split_fields(connector.manifest, dict(values))
    secrets.update(who.secrets)
    brand = brand_id or _default_brand(actor)
    now = clock.now()
    with transaction.atomic():
        db.lock_organization(actor.organization_id, CONNECT)
        if queries.is_connected(actor, network, who.scope, who.native_id):
            raise Conflict(f"{who.handle} is connected already.")
        row = Channel.objects.create(
            organization_id=actor.organization_id,
            brand_id=brand,
            network=network,
            scope=who.scope,
            native_id=who.native_id,
            handle=who.handle,
            name=(storable_text(who.name) or who.handle)[:200],
            url=who.url[:1000],
            settings=settings,
            limits=dict(who.limits),
            terms=rules.terms_as_data(connector.manifest),
            hook_token=random.token_urlsafe(32),
            connected_at=now,
            due_at=now,
        )
        row.secrets = seal_secrets(actor.organization_id, row.pk, secrets)
        row.save(update_fields=["secrets"])
        spend(actor.organization_id, row.pk, connector.manifest, answers)
        journal.append(actor.organization_id, actor.label, [ChannelConnected(row.pk, network)], at=now)
        wake("channels.look")
    return row.pk


def _default_brand(actor: Actor) -> int:
    return next(brand.id for brand in organizations.brands(actor) if brand.is_default)


def _of(actor: Actor, channel_id: int) -> Channel:
    row = (
        Channel.objects.select_for_update()
        .filter(organization_id=actor.organization_id, pk=channel_id)
        .first()
    )
    if row is None or row.state == ChannelState.CLOSED:
        raise NotFound("There is no such channel here.")
    return row


def reconnect(actor: Actor, channel_id: int, values: Mapping[str, Any]) -> None:
    """New credentials for the same account; listening goes on with a back-fill."""
    require(actor, Permission.MANAGE_CHANNELS)
    current = queries.channel(actor, channel_id)
    who, answers = _tested(actor, current.network, values)
    if (who.scope, who.native_id) != (current.scope, current.native_id):
        raise Invalid(f"These credentials belong to {who.handle}, not to {current.handle}.")
    connector = queries.connector_of(current.network)
    settings, secrets = rules.split_fields(connector.manifest, dict(values))
    secrets.update(who.secrets)
    with transaction.atomic():
        row = _of(actor, channel_id)
        row.settings, row.limits = settings, dict(who.limits)
        row.secrets = seal_secrets(actor.organization_id, row.pk, secrets)
        row.state, row.state_reason, row.error, row.error_at = ChannelState.ACTIVE, "", "", None
        row.attempts, row.due_at = 0, clock.now()
        row.save()
        spend(actor.organization_id, row.pk, connector.manifest, answers)
        journal.append(actor.organization_id, actor.label, [ChannelConnected(row.pk, row.network)])
        wake("channels.look")


def pause(actor: Actor, channel_id: int, reason: str = "") -> None:
    """Stop listening on a channel. What is said meanwhile is back-filled later."""
    require(actor, Permission.MANAGE_CHANNELS)
    with transaction.atomic():
        row = _of(actor, channel_id)
        if row.state == ChannelState.PAUSED:
            return
        row.state, row.state_reason = ChannelState.PAUSED, reason[:300]
        row.save(update_fields=["state", "state_reason"])
        journal.append(actor.organization_id, actor.label, [ChannelPaused(channel_id)])


def resume(actor: Actor, channel_id: int) -> None:
    """Listen again, from where the cursor stands."""
    require(actor, Permission.MANAGE_CHANNELS)
    with transaction.atomic():
        row = _of(actor, channel_id)
        if not queries.is_spoken(row.network):
            raise Conflict(rules.UNSPOKEN)
        row.state, row.state_reason, row.attempts, row.due_at = ChannelState.ACTIVE, "", 0, clock.now()
        row.save(update_fields=["state", "state_reason", "attempts", "due_at"])
        journal.append(actor.organization_id, actor.label, [ChannelResumed(channel_id)])
        wake("channels.look")


def close(actor: Actor, channel_id: int) -> None:
    """Disconnect: the credentials are destroyed, what was said stays."""
    require(actor, Permission.MANAGE_CHANNELS)
    with transaction.atomic():
        row = _of(actor, channel_id)
        row.state, row.secrets = ChannelState.CLOSED, ""
        row.save(update_fields=["state", "secrets"])
        journal.append(actor.organization_id, actor.label, [ChannelClosed(channel_id)])


def change_brand(actor: Actor, channel_id: int, brand_id: int) -> None:
    """The name the company speaks under on this channel."""
    require(actor, Permission.MANAGE_CHANNELS)
    if brand_id not in {brand.id for brand in organizations.brands(actor)}:
        raise NotFound("There is no such brand here.")
    with transaction.atomic():
        row = _of(actor, channel_id)
        row.brand_id = brand_id
        row.save(update_fields=["brand_id"])
        journal.append(actor.organization_id, actor.label, [ChannelBrandChanged(channel_id, brand_id)])


def change_access(
    actor: Actor, channel_id: int, *, member_id: int | None = None, team_id: int | None = None, access: str
) -> None:
    """An exception to the role for one member or team; an empty ``access`` removes it."""
    require(actor, Permission.MANAGE_CHANNELS)
    if (member_id is None) == (team_id is None):
        raise Invalid("Name one member or one team.")
    if member_id is not None and member_id not in {row.id for row in organizations.members(actor)}:
        raise NotFound("There is no such member here.")
    if team_id is not None and team_id not in {row.id for row in organizations.teams(actor)}:
        raise NotFound("There is no such team here.")
    with transaction.atomic():
        row = _of(actor, channel_id)
        who = {"member_id": member_id} if member_id is not None else {"team_id": team_id}
        if access:
            ChannelAccess.objects.update_or_create(
                channel=row,
                **who,
                defaults={"organization_id": actor.organization_id, "access": Access(access).value},
            )
        else:
            ChannelAccess.objects.filter(channel=row, **who).delete()
        journal.append(actor.organization_id, actor.label, [ChannelAccessChanged(channel_id)])


def rotate_keys() -> int:
    """Encrypt every channel's secrets under the newest key; returns how many. For the operator."""
    done = 0
    for channel_id in Channel.objects.exclude(secrets="").values_list("pk", flat=True):
        with transaction.atomic():
            row = Channel.objects.select_for_update().get(pk=channel_id)
            if row.secrets and equipment.keyring().needs_rotation(row.secrets):
                row.secrets = seal_secrets(row.organization_id, row.pk, queries.secrets_of(row))
                row.save(update_fields=["secrets"])
                done += 1
    return done
