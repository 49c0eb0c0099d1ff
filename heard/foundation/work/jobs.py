"""What can be done: each room's ``schedule.py`` and ``reactions.py`` register jobs here.

A job does one slice of its due rows and says how many it handled. It is idempotent: whatever was
claimed and not finished runs again after its lease.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from heard.foundation import clock


class Lane(StrEnum):
    """Where a job runs: database work one after the other, network work side by side."""

    RECORD = "record"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Slice:
    """One turn of a job: at most ``limit`` items, and out before ``until``."""

    now: datetime
    limit: int
    until: datetime
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """True when the time is up or the worker is stopping: finish the item in hand, start none."""
        return self.stop.is_set() or clock.now() >= self.until


Run = Callable[[Slice], int]


@dataclass(frozen=True, slots=True)
class Job:
    """A named kind of work.

    ``sweep_seconds`` is how often a worker looks by itself, hint or no hint. ``copies`` is how many
    slices may run side by side in one worker (network lane only).
    """

    name: str
    run: Run
    lane: Lane = Lane.RECORD
    sweep_seconds: float = 2.0
    limit: int = 200
    copies: int = 1


_jobs: dict[str, Job] = {}


def job(
    name: str, *, lane: Lane = Lane.RECORD, sweep_seconds: float = 2.0, limit: int = 200, copies: int = 1
) -> Callable[[Run], Run]:
    """Register a function as a job: ``@job("outbox.send", lane=Lane.NETWORK)``."""

    def register(run: Run) -> Run:
        if name in _jobs and _jobs[name].run is not run:
            raise ValueError(f"Two jobs are called {name!r}.")
        _jobs[name] = Job(name, run, lane, sweep_seconds, limit, copies)
        return run

    return register


def jobs() -> dict[str, Job]:
    """All registered jobs by name, in the order in which rooms were loaded."""
    return dict(_jobs)
