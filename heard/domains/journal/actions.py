"""The verbs of the journal: append, seal, and keep a consumer's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import transaction

from heard.domains.journal import queries, rules, sql
from heard.domains.journal.facts import Fact, Reaction
from heard.domains.journal.models import Consumer, GivenUp
from heard.foundation import clock
from heard.foundation.db import is_postgres, require_transaction
from heard.foundation.work import backoff_seconds, wake

MOST_ATTEMPTS = 8
MOST_BYTES = 24_000
"""How much a reaction reads in one transaction: the ids of some 600 messages, about 50 ms of work."""


_kinds: dict[str, tuple[rules.Kind, Callable[[Fact], Any]]] = {}


def _told(fact: Fact) -> tuple[rules.Kind, Sequence[Any]]:
    """A fact's kind and its values, in the order in which the kind is written."""
    known = _kinds.get(fact.kind)
    if known is None:
        kind = rules.Kind.of(fact.kind, [field.name for field in fields(fact)])
        # With one name (or none) attrgetter gives no tuple.
        names = kind.fields
        several = attrgetter(*names) if len(names) > 1 else lambda one: tuple(getattr(one, n) for n in names)
        known = _kinds[fact.kind] = kind, several
    kind, values_of = known
    return kind, values_of(fact)


def append(organization_id: int, actor: str, facts: Sequence[Fact], *, at: datetime | None = None) -> None:
    """Write facts into the caller's transaction.

    ``actor`` is ``Actor.label``. Raises ``NotCanonical`` when a fact holds a value without a canonical
    form, and ``TransactionManagementError`` outside a transaction: a fact without its change would lie.
    """
    if not facts:
        return
    require_transaction()
    moment = at or clock.now()
    bodies = rules.entries(organization_id, clock.iso(moment), actor, map(_told, facts))
    sql.insert_facts(
        organization_id, moment, [(fact.kind, body) for fact, body in zip(facts, bodies, strict=True)]
    )
    wake("journal.seal")


def seal(organization_id: int) -> int:
    """Seal visible, unsealed facts of one organization; returns how many. One transaction.

    Another sealer at work on the same chain is left alone (0).
    """
    with transaction.atomic():
        last_id = sql.last_id() if is_postgres() else 0
        chain = sql.lock_chain(organization_id)
        if chain is None:
            sql.make_chain(organization_id)
            chain = sql.lock_chain(organization_id)
            if chain is None:
                return 0
        position, digest, horizon, pending, xid = chain
        oldest, number = sql.snapshot() if is_postgres() else (0, 0)
        found = sql.unsealed(organization_id, horizon)
        hashes = list(rules.seal(digest, (body for _, body in found)))
        sql.insert_seals(
            [
                (organization_id, position + place, fact_id, sealed)
                for place, ((fact_id, _), sealed) in enumerate(zip(found, hashes, strict=True), start=1)
            ]
        )
        if not is_postgres():
            horizon = found[-1][0] if found else horizon
        elif len(found) < sql.SEAL_AT_ONCE:
            horizon, pending, xid = rules.next_horizon((horizon, pending, xid), oldest, number, last_id)
        if found or (horizon, pending, xid) != chain[2:]:
            sql.move_chain(
                organization_id,
                position=position + len(found),
                digest=hashes[-1] if hashes else digest,
                horizon=horizon,
                pending=pending,
                xid=xid,
            )
        if found:
            sql.notify_sealed(organization_id, position + len(found))
            wake("journal.react")
        return len(found)


def seal_all(organization_id: int) -> int:
    """Seal until nothing is left; returns how many."""
    total = 0
    while sealed := seal(organization_id):
        total += sealed
    return total


def consume(
    organization_id: int, name: str, kinds: frozenset[str], react: Reaction, *, limit: int = 200
) -> int:
    """Let one reaction follow the sealed facts, in order, in one transaction with its own writes.

    Returns how many positions it moved. When the reaction raises, its writes are rolled back, it is
    tried again later with growing pauses, fact by fact; after the last attempt the one fact it
    cannot follow is kept in ``GivenUp`` and the others go on (given up aloud).
    """
    now = clock.now()
    with transaction.atomic():
        Consumer.objects.get_or_create(organization_id=organization_id, name=name)
    with transaction.atomic():
        mine = (
            Consumer.objects.select_for_update(skip_locked=True)
            .filter(organization_id=organization_id, name=name)
            .first()
        )
        if mine is None or (mine.due_at is not None and mine.due_at > now):
            return 0
        step = queries.next_for(
            organization_id, mine.position, kinds, 1 if mine.attempts else limit, MOST_BYTES
        )
        if not step.positions:
            return 0
        if step.wanted:
            react(step.wanted)
        mine.attempts, mine.due_at, mine.last_error = 0, None, ""
        mine.position += step.positions
        mine.save()
        return step.positions


def note_failure(organization_id: int, name: str, error: str) -> None:
    """A reaction raised: back off, or after the last attempt give the one fact up aloud."""
    now = clock.now()
    with transaction.atomic():
        mine = Consumer.objects.select_for_update().get(organization_id=organization_id, name=name)
        mine.attempts += 1
        mine.last_error = error[:300]
        if mine.attempts <= MOST_ATTEMPTS:
            mine.due_at = now + timedelta(seconds=backoff_seconds(mine.attempts - 1, first=0.5, longest=60))
        else:
            blocked = queries.sealed_after(organization_id, mine.position, 1)
            if blocked:
                GivenUp.objects.get_or_create(
                    organization_id=organization_id,
                    consumer=name,
                    position=blocked[0].position,
                    defaults={"error": error[:300], "at": now},
                )
                mine.position = blocked[0].position
            mine.attempts, mine.due_at = 0, None
        mine.save()
