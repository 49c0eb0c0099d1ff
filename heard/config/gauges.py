"""Gauges that are read from the databases when somebody scrapes ``/metrics``.

They tell of the whole installation, so every web process shows the same: take their maximum, not their
sum. The databases are asked at most once in ``FRESH_SECONDS``, however many scrape.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime

from django.db import Error as DatabaseError

from heard.domains.channels import queries as channels
from heard.domains.journal import queries as journal
from heard.domains.outbox import queries as outbox
from heard.foundation import clock, metrics

FRESH_SECONDS = 5.0
_lock = threading.Lock()
_filled_at: list[float] = []


def fill() -> None:
    """Fill the gauges; a database that does not answer leaves the last numbers, and says so."""
    with _lock:
        now = time.monotonic()
        if _filled_at and now - _filled_at[0] < FRESH_SECONDS:
            return
        _filled_at[:] = [now]
        try:
            _ask()
        except DatabaseError:
            metrics.DATABASE_UP.set(0)
        else:
            metrics.DATABASE_UP.set(1)


def _ask() -> None:
    waiting, oldest = channels.backlog()
    metrics.DELIVERIES_WAITING.set(waiting)
    metrics.DELIVERIES_WAITING_SECONDS.set(_age(oldest))
    unsealed, first = journal.unsealed()
    metrics.JOURNAL_UNSEALED.set(unsealed)
    metrics.JOURNAL_UNSEALED_SECONDS.set(_age(first))
    for organization_id, position in journal.ends().items():
        metrics.JOURNAL_SEALED_POSITION.labels(organization=str(organization_id)).set(position)
    for state, count in outbox.unfinished().items():
        metrics.OUTBOUNDS.labels(state=state).set(count)


def _age(at: datetime | None) -> float:
    return max(0.0, (clock.now() - at).total_seconds()) if at else 0.0
