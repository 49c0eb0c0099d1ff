"""Stop everything: one visible switch, acknowledged when nothing is on its way any more."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import transaction

from heard.domains.channels import queries as channels
from heard.domains.journal import actions as journal
from heard.domains.organizations.queries import Permission, require
from heard.domains.outbox import sql
from heard.domains.outbox.actions.gate import release_held
from heard.domains.outbox.facts import HoldPlaced, HoldReleaseAsked, HoldReleased
from heard.domains.outbox.models import Hold, Outbound, OutboundState
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotFound
from heard.foundation.tenancy import Actor
from heard.foundation.work import wake

ACKNOWLEDGE_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Placed:
    """The acknowledgement. ``in_flight`` were handed to a network before and had not ended yet."""

    hold_id: int
    in_flight: tuple[int, ...]


def place_hold(
    actor: Actor,
    *,
    reason: str,
    channel_id: int | None = None,
    wait_seconds: float = ACKNOWLEDGE_WITHIN_SECONDS,
) -> Placed:
    """Stop all that leaves, for the organization or one channel.

    When this returns no send starts any more: the hold is committed under the gate's lock, and what
    had passed the gate before has ended, or is named in ``in_flight`` (waiting at most
    ``wait_seconds``; must not run inside a transaction).
    """
    require(actor, Permission.PLACE_HOLD)
    if not reason.strip():
        raise Invalid("Say why: the reason is shown everywhere.", field="reason")
    if channel_id is not None:
        channels.channel(actor, channel_id)
    with transaction.atomic():
        sql.own_gate(actor.organization_id)
        now = clock.now()
        hold = Hold.objects.create(
            organization_id=actor.organization_id,
            channel_id=channel_id,
            reason=reason.strip()[:300],
            placed_by_id=actor.member_id,
            placed_at=now,
        )
        in_flight = _in_flight(actor.organization_id, channel_id)
        fact = HoldPlaced(hold.pk, channel_id or 0, in_flight)
        journal.append(actor.organization_id, actor.label, [fact], at=now)
    until = time.monotonic() + wait_seconds
    while in_flight and time.monotonic() < until:
        time.sleep(0.02)
        still = set(_in_flight(actor.organization_id, channel_id))
        in_flight = tuple(number for number in in_flight if number in still)
    return Placed(hold.pk, in_flight)


def _in_flight(organization_id: int, channel_id: int | None) -> tuple[int, ...]:
    rows = Outbound.objects.filter(organization_id=organization_id, state=OutboundState.SENDING)
    if channel_id is not None:
        rows = rows.filter(channel_id=channel_id)
    return tuple(rows.order_by("pk").values_list("pk", flat=True))


def _open(actor: Actor, hold_id: int) -> Hold:
    row = Hold.objects.select_for_update().filter(organization_id=actor.organization_id, pk=hold_id).first()
    if row is None:
        raise NotFound("There is no such hold here.")
    if row.released_at is not None:
        raise Conflict("This hold was released meanwhile.")
    return row


def ask_release(actor: Actor, hold_id: int) -> None:
    """The first step of a release. Anybody who may release can take the second."""
    require(actor, Permission.RELEASE_HOLD)
    with transaction.atomic():
        row = _open(actor, hold_id)
        row.release_asked_by_id, row.release_asked_at = actor.member_id, clock.now()
        row.save(update_fields=["release_asked_by", "release_asked_at"])
        journal.append(actor.organization_id, actor.label, [HoldReleaseAsked(hold_id)])


def release_hold(actor: Actor, hold_id: int) -> None:
    """The second step: things may leave again. Refused without the first."""
    require(actor, Permission.RELEASE_HOLD)
    with transaction.atomic():
        sql.own_gate(actor.organization_id)
        row = _open(actor, hold_id)
        if row.release_asked_at is None:
            raise Conflict("Ask for the release first, then confirm it.")
        row.released_by_id, row.released_at = actor.member_id, clock.now()
        row.save(update_fields=["released_by", "released_at"])
        release_held(actor.organization_id, row.channel_id)
        journal.append(actor.organization_id, actor.label, [HoldReleased(hold_id)])
        wake("outbox.send")
