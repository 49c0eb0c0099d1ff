"""What people do with an outbound: ask for it, take it back, try again, decide what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from heard.connectorkit.vocabulary import ActorKind, Verb, Visibility
from heard.domains.channels import queries as channels
from heard.domains.conversations import queries as conversations
from heard.domains.journal import actions as journal
from heard.domains.media import queries as media
from heard.domains.organizations.queries import Permission, require
from heard.domains.outbox import queries, rules
from heard.domains.outbox.facts import OutboundCancelled, OutboundDecided, OutboundSubmitted
from heard.domains.outbox.models import Outbound, OutboundState
from heard.foundation import clock, db
from heard.foundation.errors import Conflict, Invalid, NotFound
from heard.foundation.tenancy import Actor
from heard.foundation.work import wake

SEND = "outbox.send"
SUBMIT = 3
"""The purpose of the organization's lock: the same form, posted twice at once, waits for itself."""


def submit(
    actor: Actor,
    *,
    verb: Verb,
    target_id: int,
    text: str = "",
    subject: str = "",
    visibility: Visibility | None = None,
    file_ids: Sequence[int] = (),
    alts: Sequence[str] = (),
    undo_seconds: int = rules.UNDO_SECONDS,
    key: str = "",
) -> int:
    """Ask for something to leave: it waits for its undo window, then passes the gate.

    ``key`` (from the page's form) makes a second submit of the same form the same outbound. Raises
    ``Invalid`` naming the field, before anything is stored, when the channel says no.
    """
    target, channel_id = conversations.target_of(actor.organization_id, target_id)
    channels.channel(actor, channel_id)
    channels.require_reply(actor, channel_id)
    given = _key(key)
    before = _asked_before(actor, given)
    if before is not None:  # first: what was taken once may be refused by now, and would be written again
        return before
    connector = channels.connector_of(channels.channel(actor, channel_id).network)
    target = queries.with_history(actor.organization_id, target_id, target)
    kind = ActorKind.BOT if actor.is_system else ActorKind.HUMAN
    now = clock.now()
    answer = connector.supports(verb, target, kind, channels.account(actor.organization_id, channel_id), now)
    files = media.files(actor.organization_id, file_ids)
    draft = rules.Draft(
        verb,
        text,
        subject,
        visibility,
        len(files),
        max((file.size_bytes for file in files), default=0),
        tuple(file.content_type for file in files),
    )
    for field, sentence in rules.problems(draft, answer):
        raise Invalid(sentence, field=field)
    visibilities = rules.constraints(answer).visibilities
    with transaction.atomic():
        db.lock_organization(actor.organization_id, SUBMIT)
        before = _asked_before(actor, given)
        if before is not None:
            return before
        row = Outbound.objects.create(
            organization_id=actor.organization_id,
            channel_id=channel_id,
            verb=verb.value,
            conversation_id=queries.conversation_of(actor.organization_id, target_id),
            target_id=target_id,
            author_id=actor.member_id,
            key=given,
            text=text,
            subject=subject,
            visibility=(visibility or (visibilities[0] if visibilities else target.visibility)).value,
            file_ids=[file.file_id for file in files],
            alts=[(alts[place] if place < len(alts) else "") for place in range(len(files))],
            state=OutboundState.WAITING,
            created_at=now,
            undo_until=now + timedelta(seconds=undo_seconds),
            due_at=now + timedelta(seconds=undo_seconds),
        )
        fact = OutboundSubmitted(row.pk, channel_id, row.conversation_id or 0, verb.value)
        journal.append(actor.organization_id, actor.label, [fact], at=now)
        wake(SEND)
    return row.pk


def _key(given: str) -> str:
    try:
        return uuid.UUID(given).hex if given else uuid.uuid4().hex
    except ValueError:
        raise Invalid("This form is damaged. Load the page again.") from None


def _asked_before(actor: Actor, key: str) -> int | None:
    rows = Outbound.objects.filter(organization_id=actor.organization_id, key=key)
    return rows.values_list("pk", flat=True).first()


def _of(actor: Actor, outbound_id: int) -> Outbound:
    row = Outbound.objects.filter(organization_id=actor.organization_id, pk=outbound_id).first()
    if row is None or row.channel_id in channels.hidden_channel_ids(actor):
        raise NotFound("There is no such message here.")
    channels.require_reply(actor, row.channel_id)
    return row


def cancel(actor: Actor, outbound_id: int) -> str:
    """Take it back; returns its text for the composer. Raises ``Conflict`` once it is on its way.

    Against the gate exactly one wins: both change the row only from the state they read. What may stand
    there already, and waits to be handed over again with its key, is on its way.
    """
    row = _of(actor, outbound_id)
    with transaction.atomic():
        stopped = Outbound.objects.filter(
            organization_id=actor.organization_id,
            pk=outbound_id,
            in_doubt=False,
            state__in=[OutboundState.WAITING, OutboundState.HELD, OutboundState.REJECTED],
        ).update(state=OutboundState.CANCELLED, ended_at=clock.now(), lease_until=None)
        if not stopped:
            raise Conflict("It is already on its way. What stands on the network can be deleted there.")
        fact = OutboundCancelled(outbound_id, row.conversation_id or 0)
        journal.append(actor.organization_id, actor.label, [fact])
    return row.text


def retry(actor: Actor, outbound_id: int) -> None:
    """Try a rejected one again, with the same key."""
    row = _of(actor, outbound_id)
    with transaction.atomic():
        now = clock.now()
        again = Outbound.objects.filter(pk=row.pk, state=OutboundState.REJECTED).update(
            state=OutboundState.WAITING, reason="", due_at=now, undo_until=now, lease_until=None, attempts=0
        )
        if not again:
            raise Conflict("Only a refused message can be tried again.")
        fact = OutboundSubmitted(row.pk, row.channel_id, row.conversation_id or 0, row.verb)
        journal.append(actor.organization_id, actor.label, [fact], at=now)
        wake(SEND)


def decide(actor: Actor, outbound_id: int, decision: str, *, seen: int | None = None) -> None:
    """A person looked at the network: ``sent`` (it stands there), or not: ``again`` (send it) or ``dropped``.

    ``seen`` is the view's ``version``: who looked before somebody had it sent again has not seen that one.
    """
    if decision not in {"sent", "again", "dropped"}:
        raise Invalid("Say whether it stands on the network, or should be sent again or dropped.")
    row = _of(actor, outbound_id)
    with transaction.atomic():
        now = clock.now()
        rows = Outbound.objects.filter(pk=row.pk, state=OutboundState.ASKED)
        if seen is not None:
            rows = rows.filter(fence=seen)
        changes: dict[str, object] = {
            "sent": {"state": OutboundState.SENT, "ended_at": now, "reason": "Confirmed by a person."},
            "again": {
                "state": OutboundState.WAITING,
                "due_at": now,
                "undo_until": now,
                "looks": 0,
                "reason": "",
            },
            "dropped": {"state": OutboundState.CANCELLED, "ended_at": now, "reason": "Dropped by a person."},
        }[decision]
        if not rows.update(**changes, in_doubt=False):
            raise Conflict("This has been decided meanwhile.")
        fact = OutboundDecided(outbound_id, row.conversation_id or 0, decision)
        journal.append(actor.organization_id, actor.label, [fact], at=now)
        wake(SEND)


def erase_contact(actor: Actor, contact_id: int) -> int:
    """Empty what we told a person. Called by the room ``privacy`` within its transaction.

    Nothing more is said to them: what may stand there already is neither sent again nor asked about. What is
    being sent at this moment needs its words until the network answered: the gate erases it then.
    """
    require(actor, Permission.ERASE_PERSON)
    rows = Outbound.objects.filter(organization_id=actor.organization_id, conversation__contact_id=contact_id)
    # Whoever ends one of them meanwhile waits here, and then sees that its person is gone.
    list(Outbound.objects.select_for_update().filter(pk__in=rows.values("pk")).values_list("pk"))
    open_states = [
        OutboundState.WAITING,
        OutboundState.HELD,
        OutboundState.UNKNOWN,
        OutboundState.ASKED,
        OutboundState.REJECTED,  # without its words there is nothing to try again
    ]
    rows.filter(state__in=open_states).update(
        state=OutboundState.CANCELLED, ended_at=clock.now(), lease_until=None, in_doubt=False
    )
    return rows.exclude(state=OutboundState.SENDING).update(text="", subject="", alts=[])
