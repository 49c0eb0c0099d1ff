"""The one gate. Nothing reaches a network but through ``let_through``, and it fails closed.

The transaction that reads the holds last also commits ``sending`` with an attempt number. A claim
shares the gate row's lock and placing a hold takes it alone, so on PostgreSQL too a hold is either
read by a claim or committed after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from heard.connectorkit.vocabulary import Sent
from heard.domains.conversations import actions as conversations
from heard.domains.conversations.actions import SentMessage
from heard.domains.journal import actions as journal
from heard.domains.journal.facts import Fact
from heard.domains.media import queries as media
from heard.domains.outbox import queries, rules, sql
from heard.domains.outbox.facts import (
    OutboundAsked,
    OutboundHeld,
    OutboundOutcomeLost,
    OutboundPutOff,
    OutboundRejected,
    OutboundSent,
    OutboundStarted,
)
from heard.domains.outbox.models import Outbound, OutboundState
from heard.foundation import clock
from heard.foundation.tenancy import system
from heard.foundation.work import Claimed, backoff_seconds, claim, finish


@dataclass(frozen=True, slots=True)
class OrderToSend:
    """An outbound that passed the gate: ours under this fence until the lease ends."""

    claimed: Claimed
    attempt: int
    started_at: datetime


def _announce(row: Outbound, fact: Fact, at: datetime) -> None:
    author = f"member:{row.author_id}" if row.author_id else system(row.organization_id).label
    journal.append(row.organization_id, author, [fact], at=at)


def let_through(now: datetime) -> OrderToSend | None:
    """Claim the next due outbound and pass it through the gate, or hold it. ``None``: nothing is due.

    One at a time and right before the call, so that what has passed is on its way.
    """
    claimed = claim(Outbound, OutboundState.WAITING, now=now, limit=1, lease_seconds=rules.GATE_LEASE_SECONDS)
    if not claimed:
        return None
    mine = claimed[0]
    with transaction.atomic():
        sql.share_gate(mine.organization_id)
        row = Outbound.objects.select_for_update().filter(pk=mine.id, fence=mine.fence).first()
        if row is None or row.state != OutboundState.WAITING:
            return OrderToSend(mine, 0, now)
        held = rules.stopping(queries.open_holds(mine.organization_id), row.channel_id)
        at = clock.now()
        if held is not None:
            row.state, row.reason, row.lease_until = OutboundState.HELD, held.reason, None
            row.save(update_fields=["state", "reason", "lease_until"])
            _announce(row, OutboundHeld(row.pk, row.conversation_id or 0, held.hold_id), at)
            return OrderToSend(mine, 0, now)
        row.state, row.attempts, row.started_at = OutboundState.SENDING, row.attempts + 1, at
        row.first_attempt_at = row.first_attempt_at or at
        row.lease_until = at + timedelta(seconds=settings.HEARD_SEND_LEASE_SECONDS)
        row.due_at = row.lease_until
        row.save(
            update_fields=["state", "attempts", "started_at", "first_attempt_at", "lease_until", "due_at"]
        )
        _announce(row, OutboundStarted(row.pk, row.conversation_id or 0, row.attempts), at)
        return OrderToSend(mine, row.attempts, at)


def _mine(order: Claimed, state: str) -> Outbound | None:
    return Outbound.objects.select_for_update().filter(pk=order.id, fence=order.fence, state=state).first()


def _settle(row: Outbound, sent: Sent, at: datetime) -> None:
    """It stands there: its message, its state and its fact in one transaction."""
    files = media.files(row.organization_id, row.file_ids)
    author = f"member:{row.author_id}" if row.author_id else system(row.organization_id).label
    kind = kind_of_answer(row)
    message_id = None
    if row.verb in {"reply", "direct_message", "post"}:
        message_id = conversations.record_sent(
            row.organization_id,
            author,
            SentMessage(
                channel_id=row.channel_id,
                conversation_id=row.conversation_id,
                target_id=row.target_id,
                kind=kind,
                visibility=row.visibility or "public",
                text=row.text,
                subject=row.subject,
                sent=sent,
                file_ids=tuple(file.file_id for file in files),
                alts=tuple(row.alts),
                names=tuple(file.name for file in files),
                content_types=tuple(file.content_type for file in files),
            ),
            at=at,
        )
    row.state, row.message_id, row.ended_at, row.lease_until = OutboundState.SENT, message_id, at, None
    row.reason, row.in_doubt = "", False
    row.save(update_fields=["state", "message_id", "ended_at", "lease_until", "reason", "in_doubt"])
    _announce(row, OutboundSent(row.pk, row.conversation_id or 0, message_id or 0, row.attempts), at)
    _forget_with_person(row, at)


def _forget_with_person(row: Outbound, at: datetime) -> None:
    """What was on its way while its person was erased (see ``erase_contact``) is erased where it ends.

    Nothing more is said to them: what did not leave, or may have, is neither tried again nor asked about.
    """
    if not queries.is_to_erased_person(row.organization_id, row.pk):
        return
    if row.message_id is not None:
        conversations.erase_sent(row.organization_id, row.message_id)
    if row.state != OutboundState.SENT:
        row.state, row.ended_at, row.lease_until, row.in_doubt = OutboundState.CANCELLED, at, None, False
    row.text, row.subject, row.reason, row.alts = "", "", "", []
    row.save(
        update_fields=["state", "ended_at", "lease_until", "in_doubt", "text", "subject", "reason", "alts"]
    )


def kind_of_answer(row: Outbound) -> str:
    """The kind our answer has: an e-mail answers an e-mail, a comment answers in public."""
    kind = queries.kind_of(row.organization_id, row.target_id)
    if row.verb == "direct_message" and kind not in {"email", "chat"}:
        return "direct_message"
    return {"mention": "comment", "post": "comment", "review": "comment"}.get(kind, kind or "post")


def settle_sent(order: Claimed, sent: Sent) -> bool:
    """The network took it. False when the lease was lost: then the look-up will find it."""
    with transaction.atomic():
        row = _mine(order, OutboundState.SENDING)
        if row is None:
            return False
        _settle(row, sent, clock.now())
        return True


def reject(order: Claimed, reason: str) -> None:
    """The network refused it; its author reads why."""
    with transaction.atomic():
        row = _mine(order, OutboundState.SENDING)
        if row is not None:
            _refuse(row, reason)


def _refuse(row: Outbound, reason: str) -> None:
    """The end of this attempt; of all of it only where no attempt before it may stand there."""
    at = clock.now()
    if row.in_doubt:
        _ask(row, f"An earlier try may stand there. The last one failed: {reason}", at)
        return
    row.state, row.reason, row.ended_at, row.lease_until = OutboundState.REJECTED, reason[:500], at, None
    row.save(update_fields=["state", "reason", "ended_at", "lease_until"])
    _announce(row, OutboundRejected(row.pk, row.conversation_id or 0, row.attempts), at)
    _forget_with_person(row, at)


def _ask(row: Outbound, reason: str, at: datetime) -> None:
    row.state, row.reason, row.lease_until = OutboundState.ASKED, reason[:500], None
    row.save(update_fields=["state", "looks", "reason", "lease_until"])
    _announce(row, OutboundAsked(row.pk, row.conversation_id or 0), at)
    _forget_with_person(row, at)


def put_off(order: Claimed, reason: str, *, pause_seconds: float | None = None) -> None:
    """Nothing happened on the network: later, and in the end it is the author's to decide."""
    with transaction.atomic():
        row = _mine(order, OutboundState.SENDING)
        if row is None:
            return
        at = clock.now()
        if row.attempts >= rules.MOST_ATTEMPTS:
            _refuse(row, f"Given up after {row.attempts} attempts. {reason}")
            return
        pause = pause_seconds if pause_seconds is not None else backoff_seconds(row.attempts)
        row.state, row.reason, row.lease_until = OutboundState.WAITING, reason[:500], None
        row.due_at = at + timedelta(seconds=pause)
        row.save(update_fields=["state", "reason", "due_at", "lease_until"])
        _announce(row, OutboundPutOff(row.pk, row.conversation_id or 0, row.attempts), at)
        _forget_with_person(row, at)


def set_unknown(order: Claimed, reason: str) -> None:
    """It may stand there or not: the network is looked at before anything else happens."""
    with transaction.atomic():
        row = _mine(order, OutboundState.SENDING)
        if row is not None:
            _become_unknown(row, reason)


def _become_unknown(row: Outbound, reason: str) -> None:
    at = clock.now()
    row.state, row.reason, row.lease_until, row.looks = OutboundState.UNKNOWN, reason[:500], None, 0
    row.due_at, row.in_doubt = at + timedelta(seconds=rules.look_pause_seconds(0)), True
    row.save(update_fields=["state", "reason", "lease_until", "due_at", "looks", "in_doubt"])
    _announce(row, OutboundOutcomeLost(row.pk, row.conversation_id or 0, row.attempts), at)
    _forget_with_person(row, at)


def expire_sending(now: datetime, limit: int = 100) -> int:
    """A ``sending`` whose worker died becomes ``unknown``: never due again by itself."""
    done = 0
    for claimed in claim(Outbound, OutboundState.SENDING, now=now, limit=limit, lease_seconds=60):
        with transaction.atomic():
            row = _mine(claimed, OutboundState.SENDING)
            if row is not None:
                _become_unknown(row, "The worker that was sending it stopped before the network answered.")
                done += 1
    return done


def take_unknown(now: datetime, limit: int) -> list[Claimed]:
    """Unknown ones that are due to be looked for."""
    return claim(
        Outbound,
        OutboundState.UNKNOWN,
        now=now,
        limit=limit,
        lease_seconds=settings.HEARD_SEND_LEASE_SECONDS,
    )


def note_found(claimed: Claimed, sent: Sent) -> None:
    """We looked, and it stands there."""
    with transaction.atomic():
        row = _mine(claimed, OutboundState.UNKNOWN)
        if row is not None:
            _settle(row, sent, clock.now())


def note_not_found(claimed: Claimed, *, in_doubt: bool = False) -> None:
    """We looked completely and it is not there: send. Or (``in_doubt``) the network takes the same key again.

    What is in doubt can not be taken back or refused: the next attempt only finds out what became of it.
    """
    with transaction.atomic():
        row = _mine(claimed, OutboundState.UNKNOWN)
        if row is None:
            return
        at = clock.now()
        row.state, row.due_at, row.lease_until = OutboundState.WAITING, at, None
        row.in_doubt = in_doubt
        row.save(update_fields=["state", "due_at", "lease_until", "in_doubt"])
        _announce(row, OutboundPutOff(row.pk, row.conversation_id or 0, row.attempts), at)


def ask_person(claimed: Claimed, reason: str, *, look_again: bool) -> None:
    """We could not tell: look again with growing pauses, in the end a person decides."""
    with transaction.atomic():
        row = _mine(claimed, OutboundState.UNKNOWN)
        if row is None:
            return
        at = clock.now()
        row.looks += 1
        row.reason = reason[:500]
        if look_again and row.looks < rules.MOST_LOOKS:
            row.due_at = at + timedelta(seconds=rules.look_pause_seconds(row.looks))
            finish(Outbound, claimed, looks=row.looks, reason=row.reason, due_at=row.due_at)
            return
        _ask(row, reason, at)


def release_held(organization_id: int, channel_id: int | None) -> int:
    """After a hold's release: what it stopped waits at the gate again, where other holds are read."""
    rows = Outbound.objects.filter(organization_id=organization_id, state=OutboundState.HELD)
    if channel_id is not None:
        rows = rows.filter(channel_id=channel_id)
    return rows.update(state=OutboundState.WAITING, reason="", due_at=clock.now(), lease_until=None)
