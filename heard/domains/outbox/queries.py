"""The questions of the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, QuerySet

from heard.connectorkit.vocabulary import (
    ActorKind,
    Answer,
    Author,
    No,
    OutFile,
    SendOrder,
    Target,
    Verb,
    Visibility,
)
from heard.domains.channels import queries as channels
from heard.domains.conversations import queries as conversations
from heard.domains.outbox import sql
from heard.domains.outbox.models import Hold, Outbound, OutboundState
from heard.domains.outbox.rules import HoldFacts, stopping
from heard.foundation import clock
from heard.foundation.asked import once
from heard.foundation.questions import Question, each
from heard.foundation.tenancy import Actor

STATE_LABELS = {
    "waiting": "Sending soon",
    "held": "Held",
    "sending": "Sending",
    "unknown": "Checking the network",
    "asked": "Needs your decision",
    "sent": "Delivered",
    "rejected": "Not sent",
    "cancelled": "Taken back",
}


@dataclass(frozen=True, slots=True)
class OutboundView:
    """Something that is to leave, or has left."""

    outbound_id: int
    channel_id: int
    conversation_id: int | None
    target_id: int | None
    message_id: int | None
    author_id: int | None
    verb: str
    text: str
    visibility: str
    state: str
    state_label: str
    reason: str
    created_at: datetime
    undo_until: datetime
    attempts: int
    in_doubt: bool = False
    version: int = 0
    """Changes with every attempt and every look."""


def version_seen(text: str) -> int | None:
    """The ``version`` that a page's button carries; ``None`` where it carries none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _view(row: Outbound) -> OutboundView:
    return OutboundView(
        row.pk,
        row.channel_id,
        row.conversation_id,
        row.target_id,
        row.message_id,
        row.author_id,
        row.verb,
        row.text,
        row.visibility,
        row.state,
        STATE_LABELS[row.state],
        row.reason,
        row.created_at,
        row.undo_until,
        row.attempts,
        row.in_doubt,
        row.fence,
    )


def is_to_erased_person(organization_id: int, outbound_id: int) -> bool:
    """Whether the one it is said to has been erased meanwhile."""
    rows = Outbound.objects.filter(organization_id=organization_id, pk=outbound_id)
    return rows.filter(conversation__contact__erased_at__isnull=False).exists()


_asked_for = Question(
    lambda organization_id, ids: (
        Outbound.objects.filter(organization_id=organization_id, conversation_id__in=each(ids))
        .exclude(state=OutboundState.CANCELLED)
        .order_by("pk")
    )
)


def outbounds_of(organization_id: int, conversation_ids: Iterable[int]) -> list[OutboundView]:
    """Everything asked for in these conversations, oldest first, sent ones too (who wrote what)."""
    return [_view(row) for row in _asked_for(organization_id, conversation_ids)]


def outbound(actor: Actor, outbound_id: int) -> OutboundView | None:
    """One of them, if this actor may see its channel."""
    row = Outbound.objects.filter(organization_id=actor.organization_id, pk=outbound_id).first()
    if row is None or row.channel_id in channels.hidden_channel_ids(actor):
        return None
    return _view(row)


NEEDING_PEOPLE = (
    OutboundState.HELD,
    OutboundState.REJECTED,
    OutboundState.ASKED,
    OutboundState.UNKNOWN,
)


def _needing(actor: Actor, state: str = "") -> QuerySet[Outbound]:
    states = [state] if state else list(NEEDING_PEOPLE)
    rows = Outbound.objects.filter(organization_id=actor.organization_id, state__in=states)
    return rows.exclude(channel_id__in=channels.hidden_channel_ids(actor))


def needing_people(actor: Actor, limit: int = 100, *, state: str = "") -> list[OutboundView]:
    """Held, refused or undecided ones, or those in one such state, newest first."""
    # Few of many need people: each state by its index, and not all of them met on a walk from the newest on.
    states = [state] if state else NEEDING_PEOPLE
    rows = [row for one in states for row in _needing(actor, one).order_by("-pk")[:limit]]
    return [_view(row) for row in sorted(rows, key=lambda row: row.pk, reverse=True)[:limit]]


def counts_needing_people(actor: Actor) -> dict[str, int]:
    """How many need people, by state."""
    states = [state.value for state in NEEDING_PEOPLE]
    hidden = channels.hidden_channel_ids(actor)
    found = dict.fromkeys(states, 0)
    for state, channel_id, count in sql.counts(actor.organization_id, states):
        found[state] += 0 if channel_id in hidden else count
    return found


def on_their_way(actor: Actor) -> int:
    """How many wait to leave or are being sent now: what a hold placed now would keep back."""
    rows = Outbound.objects.filter(
        organization_id=actor.organization_id, state__in=[OutboundState.WAITING, OutboundState.SENDING]
    )
    return rows.count()


def outbounds(actor: Actor, outbound_ids: Iterable[int]) -> list[OutboundView]:
    """These, oldest first, where this actor may see their channel."""
    rows = Outbound.objects.filter(organization_id=actor.organization_id, pk__in=list(outbound_ids))
    hidden = channels.hidden_channel_ids(actor)
    return [_view(row) for row in rows.order_by("pk") if row.channel_id not in hidden]


def recipients(organization_id: int, views: Iterable[OutboundView]) -> dict[int, str]:
    """Who each is said to, by the id of the message it answers."""
    targets = {view.target_id for view in views if view.target_id}
    found = conversations.message_views(organization_id, targets)
    return {key: message.author_name or message.author_handle for key, message in found.items()}


@dataclass(frozen=True, slots=True)
class HoldView:
    """An open hold, as it is shown everywhere."""

    hold_id: int
    channel_id: int | None
    reason: str
    placed_by_id: int | None
    placed_at: datetime
    release_asked_by_id: int | None
    release_asked_at: datetime | None
    stopped: int


def holds(actor: Actor) -> list[HoldView]:
    """Open holds of the organization, with how many messages each keeps back."""
    rows = Hold.objects.filter(organization_id=actor.organization_id, released_at__isnull=True)
    views = []
    for row in rows.order_by("pk"):
        kept = Outbound.objects.filter(organization_id=actor.organization_id, state=OutboundState.HELD)
        if row.channel_id is not None:
            kept = kept.filter(channel_id=row.channel_id)
        views.append(
            HoldView(
                row.pk,
                row.channel_id,
                row.reason,
                row.placed_by_id,
                row.placed_at,
                row.release_asked_by_id,
                row.release_asked_at,
                kept.count(),
            )
        )
    return views


@once
def open_holds(organization_id: int) -> list[HoldFacts]:
    """What the gate reads, within its transaction."""
    return [HoldFacts(*row) for row in sql.open_holds(organization_id)]


def holding(organization_id: int, channel_id: int) -> HoldFacts | None:
    """The hold that stops this channel now, for the composer."""
    return stopping(open_holds(organization_id), channel_id)


_private_answers = Question(
    lambda organization_id, target_id: (
        Outbound.objects.filter(
            organization_id=organization_id, target_id=target_id, verb=Verb.DIRECT_MESSAGE.value
        )
        .exclude(state__in=[OutboundState.CANCELLED, OutboundState.REJECTED])
        .values_list("pk")[:1]
    )
)


def with_history(organization_id: int, target_id: int, target: Target) -> Target:
    """The target, knowing whether we wrote to its author in private already."""
    return replace(target, privately_answered=bool(_private_answers(organization_id, target_id)))


def supports(actor: Actor, verb: Verb, target_id: int) -> Answer:
    """May this be asked, of this message, by this actor, now? What the composer shows."""
    target, channel_id = conversations.target_of(actor.organization_id, target_id)
    view = channels.channel(actor, channel_id)
    kind = ActorKind.BOT if actor.is_system else ActorKind.HUMAN
    target = with_history(actor.organization_id, target_id, target)
    account = channels.account(actor.organization_id, channel_id)
    if not channels.is_spoken(view.network):
        return No(
            "The connector of this channel is not installed.", remedy="Whoever runs Heard can install it."
        )
    return channels.connector_of(view.network).supports(verb, target, kind, account, clock.now())


def conversation_of(organization_id: int, message_id: int) -> int | None:
    """The conversation a message is in."""
    found = conversations.message_views(organization_id, [message_id]).get(message_id)
    return found.conversation_id if found else None


def kind_of(organization_id: int, message_id: int | None) -> str:
    """The kind of a message; empty when there is none."""
    found = conversations.message_views(organization_id, [message_id]) if message_id else {}
    return found[message_id].kind if message_id in found else ""


def order_of(
    organization_id: int, outbound_id: int, files: Iterable[tuple[str, str, bytes]]
) -> tuple[SendOrder, int]:
    """(order, channel id): an outbound as its connector gets it. ``files`` are (name, type, bytes)."""
    row = Outbound.objects.get(organization_id=organization_id, pk=outbound_id)
    target: Target | None = None
    recipient: Author | None = None
    if row.target_id is not None:
        target, _ = conversations.target_of(organization_id, row.target_id)
        recipient = target.author
    order = SendOrder(
        key=row.key,
        verb=Verb(row.verb),
        text=row.text,
        subject=row.subject,
        visibility=Visibility(row.visibility) if row.visibility else None,
        target=target,
        recipient=recipient,
        files=tuple(
            OutFile(name, content_type, data, alt)
            for (name, content_type, data), alt in zip(files, row.alts, strict=False)
        ),
        attempt=row.attempts,
        first_attempt_at=row.first_attempt_at,
    )
    return order, row.channel_id


def is_in_doubt(organization_id: int, outbound_id: int) -> bool:
    """Whether an earlier attempt may stand on the network."""
    return Outbound.objects.filter(organization_id=organization_id, pk=outbound_id, in_doubt=True).exists()


def file_ids_of(organization_id: int, outbound_id: int) -> list[int]:
    """The files that go with an outbound."""
    return list(
        Outbound.objects.values_list("file_ids", flat=True).get(
            organization_id=organization_id, pk=outbound_id
        )
    )


def stuck() -> tuple[int, int]:
    """(unknown, waiting for a person's decision), all organizations. For ``heard doctor``."""
    rows = Outbound.objects
    return rows.filter(state=OutboundState.UNKNOWN).count(), rows.filter(state=OutboundState.ASKED).count()


def unfinished() -> dict[str, int]:
    """How many are in each state that is not an end, all organizations. For metrics."""
    states = ("waiting", "held", "sending", "unknown", "asked")
    rows = Outbound.objects.filter(state__in=states).values_list("state").annotate(count=Count("pk"))
    return {**dict.fromkeys(states, 0), **dict(rows.order_by())}
