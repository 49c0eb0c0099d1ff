"""The questions of the journal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from heard.domains.journal import rules, sql
from heard.domains.journal.facts import Sealed
from heard.domains.journal.models import Chain, Consumer, Fact, GivenUp
from heard.domains.journal.rules import Checkpoint, Verdict
from heard.foundation import clock
from heard.foundation.questions import Question


def _sealed(organization_id: int, position: int, body: bytes) -> Sealed:
    found = json.loads(body)
    at = datetime.strptime(found["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return Sealed(organization_id, position, found["kind"], at, found["actor"], found["data"])


def sealed_after(organization_id: int, position: int, limit: int = 200) -> list[Sealed]:
    """Sealed facts after a position, in order."""
    return [
        _sealed(organization_id, place, body)
        for place, body in sql.sealed_after(organization_id, position, limit)
    ]


@dataclass(frozen=True, slots=True)
class Step:
    """What a reaction reads next: so many ``positions``, and the facts it wants among them."""

    positions: int
    wanted: tuple[Sealed, ...]


def next_for(organization_id: int, position: int, kinds: frozenset[str], limit: int, most_bytes: int) -> Step:
    """The next facts of these kinds after a position. For the worker."""
    rows = sql.sealed_of_kinds(organization_id, position, kinds, limit, most_bytes)
    wanted = tuple(_sealed(organization_id, place, body) for place, body in rows if body is not None)
    return Step(rows[-1][0] - position if rows else 0, wanted)


def end_of(organization_id: int) -> int:
    """The chain's last sealed position; 0 for an empty one."""
    return sql.end_of(organization_id)


def ends() -> dict[int, int]:
    """Last sealed position by organization. For metrics."""
    return dict(Chain.objects.values_list("organization_id", "position"))


def chains() -> list[int]:
    """All organizations that have a chain. For the operator's commands and the worker."""
    return list(Chain.objects.order_by("organization_id").values_list("organization_id", flat=True))


def recorded() -> list[int]:
    """All organizations that have anything in the record, for verifying: also where the row of the chain's
    end was taken away, which must not pass for an empty journal.
    """
    return sorted({*chains(), *sql.organizations_with_seals(), *sql.organizations_with_unsealed()})


def organizations_with_unsealed() -> list[int]:
    """Organizations whose newest facts may lack a seal. For the worker."""
    return sql.organizations_with_unsealed()


def unsealed() -> tuple[int, datetime | None]:
    """(facts without a seal, when the oldest was written), all organizations. For doctor and metrics."""
    found = [sql.waiting(organization_id) for organization_id in sql.organizations_with_unsealed()]
    times = [_aware(at) for _, at in found if at is not None]
    return sum(count for count, _ in found), min(times, default=None)


def _aware(at: datetime | str) -> datetime:
    """A minimum as the database gives it: SQLite answers text without a zone."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def lag() -> int:
    """The most sealed facts that one reaction has still to read, all organizations. For doctor."""
    known = ends()
    rows = Consumer.objects.values_list("organization_id", "position")
    return max((known.get(organization, 0) - position for organization, position in rows), default=0)


_ends = Question(
    lambda: (
        Chain.objects.filter(position__gt=0)
        .order_by("organization_id")
        .values_list("organization_id", "position")
    )
)
_places = Question(
    lambda: Consumer.objects.order_by().values_list("organization_id", "name", "position", "due_at")
)


def behind(names: list[str]) -> list[tuple[int, str]]:
    """(organization id, reaction) that have sealed facts to read and are not pausing. For the worker."""
    ends = _ends()
    if not ends:
        return []
    now = clock.now()
    places = {(row[0], row[1]): (row[2], row[3]) for row in _places()}
    found = []
    for organization_id, end in ends:
        for name in names:
            position, due_at = places.get((organization_id, name), (0, None))
            if position < end and (due_at is None or due_at <= now):
                found.append((organization_id, name))
    return found


def verify(organization_id: int, checkpoint: Checkpoint | None = None) -> Verdict:
    """Walk the whole chain and compare it with itself, its end, and an exported checkpoint."""
    chain = Chain.objects.filter(organization_id=organization_id).first()
    end = (chain.position, bytes(chain.hash)) if chain else (0, rules.START)
    verdict = rules.verify(organization_id, sql.walk(organization_id), end=end, checkpoint=checkpoint)
    waiting = Fact.objects.filter(organization_id=organization_id).count() - verdict.entries
    return Verdict(organization_id, verdict.entries, verdict.position, verdict.problem, max(0, waiting))


def checkpoint(organization_id: int) -> Checkpoint:
    """A promise to keep outside: the chain's end, its hash and the Merkle root over all entries."""
    tree = rules.MerkleTree()
    position, digest = 0, rules.START
    for place, sealed, body in sql.walk(organization_id):
        if body is not None:
            tree.add(bytes(body))
        position, digest = place, bytes(sealed)
    return Checkpoint(organization_id, position, digest.hex(), tree.root().hex(), clock.iso(clock.now()))


def latest(organization_id: int, *, before: int | None = None, limit: int = 50) -> list[Sealed]:
    """The newest sealed facts, newest first; ``before`` pages by position."""
    end = (before - 1) if before else end_of(organization_id)
    rows = sealed_after(organization_id, max(0, end - limit), limit)
    return [row for row in reversed(rows) if row.position <= end]


def in_words(fact: Sealed) -> str:
    """A fact as a sentence for people."""
    return rules.in_words(fact.kind, fact.data)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fact that a reaction had to give up on."""

    organization_id: int
    consumer: str
    position: int
    error: str
    at: datetime


def given_up() -> list[Problem]:
    """What reactions gave up on, newest first. For ``heard doctor``."""
    return [
        Problem(row.organization_id, row.consumer, row.position, row.error, row.at)
        for row in GivenUp.objects.order_by("-id")[:100]
    ]
