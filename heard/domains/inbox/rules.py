"""Decisions about cases, pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

REOPEN_WITHIN = timedelta(hours=72)
"""A message this soon after ``done`` reopens the matter; later it is a new one (``domain.md`` 1.3)."""

OPEN = frozenset({"open", "pending", "snoozed"})
LONGEST_SNOOZE = timedelta(days=366)


class CaseFacts(NamedTuple):
    """A case as these rules see it."""

    case_id: int
    status: str
    contact_id: int | None
    done_at: datetime | None
    waiting_since: datetime | None
    last_at: datetime


class Said(NamedTuple):
    """One message of a batch, for its case."""

    message_id: int
    conversation_id: int
    contact_id: int | None
    direction: str
    at: datetime
    is_automatic: bool


def choose(own: CaseFacts | None, others: Sequence[CaseFacts], at: datetime) -> CaseFacts | None:
    """The case a conversation's new message belongs to; ``None`` opens one.

    Its own case if it has one (reopened when done). A new conversation joins the contact's open
    case, the most recently active one, or one that was done a short while ago.
    """
    if own is not None:
        return own
    open_ones = [case for case in others if case.status in OPEN]
    if open_ones:
        return max(open_ones, key=lambda case: (case.last_at, case.case_id))
    recent = [
        case
        for case in others
        if case.status == "done" and case.done_at is not None and at - case.done_at <= REOPEN_WITHIN
    ]
    return max(recent, key=lambda case: (case.last_at, case.case_id), default=None)


def reopens(status: str, *, inbound: bool, automatic: bool) -> bool:
    """Does a message wake this case? Only a person's own words do; spam stays spam."""
    return inbound and not automatic and status in {"done", "pending", "snoozed"}


def waiting_since(before: datetime | None, said: Sequence[Said]) -> datetime | None:
    """Since when the person waits: the oldest message after our last answer (NRT, ``domain.md`` 1.4)."""
    waiting = before
    for item in said:
        if item.direction == "out":
            waiting = None
        elif item.direction == "in" and not item.is_automatic and waiting is None:
            waiting = item.at
    return waiting


MORNING_HOUR = 9
MONDAY = 0


def snooze_times(now: datetime) -> list[tuple[str, datetime]]:
    """What people mean by later, as (key, moment): in three hours, tomorrow at nine, on Monday at nine.

    ``now`` is aware, in the reader's zone: nine is nine there, also where clocks change overnight. A moment
    that is another's already is left out.
    """
    morning = now.replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)
    tomorrow = morning + timedelta(days=1)
    monday = morning + timedelta(days=(MONDAY - now.weekday()) % 7 or 7)
    hours = (now.astimezone(UTC) + timedelta(hours=3)).replace(second=0, microsecond=0)
    found = [("hours", hours.astimezone(now.tzinfo)), ("tomorrow", tomorrow)]
    return [*found, ("monday", monday)] if monday != tomorrow else found
