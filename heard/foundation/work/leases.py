"""Claiming due rows with a lease and a fencing number, in batches.

A table that is worked on has the columns ``state``, ``due_at``, ``lease_until``, ``fence``,
``attempts`` and an index on (state, due_at). A claim raises ``fence``; whoever finishes must still hold the
number it was given, so a worker that was thought dead cannot overwrite its successor.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, models, transaction

from heard.foundation.db import is_postgres


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours until the lease ends."""

    id: int
    fence: int
    organization_id: int


def claim(
    model: type[models.Model],
    state: str,
    *,
    now: datetime,
    limit: int,
    lease_seconds: float,
    alias: str = "default",
    extra: str = "",
    parameters: Sequence[Any] = (),
) -> list[Claimed]:
    """Claim up to ``limit`` due rows of one state, oldest due first. ``extra`` is a constant SQL condition.

    One state, because SQLite finds no index with a condition behind a list of them, and walks the table.
    """
    table = model._meta.db_table
    lock = " FOR UPDATE SKIP LOCKED" if is_postgres(alias) else ""
    condition = f" AND {extra}" if extra else ""
    connection = connections[alias]
    adapt = connection.ops.adapt_datetimefield_value
    until = adapt(now + timedelta(seconds=lease_seconds))
    at = adapt(now)
    statement = f"""
        UPDATE {table} SET lease_until = %s, fence = fence + 1
        WHERE id IN (
            SELECT id FROM {table}
            WHERE state = %s AND due_at <= %s
                AND (lease_until IS NULL OR lease_until <= %s){condition}
            ORDER BY due_at, id LIMIT %s{lock})
        RETURNING id, fence, organization_id
    """
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(statement, [until, state, at, at, *parameters, limit])
        return [Claimed(*row) for row in sorted(cursor.fetchall())]


def finish(model: type[models.Model], claimed: Claimed, *, alias: str = "default", **changes: Any) -> bool:
    """Write the result of claimed work and give the lease back. False if the lease was lost."""
    changes.setdefault("lease_until", None)
    rows = model._default_manager.using(alias).filter(pk=claimed.id, fence=claimed.fence)
    return bool(rows.update(**changes))


def backoff_seconds(attempts: int, *, first: float = 2.0, longest: float = 900.0) -> float:
    """Exponential, with a tenth of jitter so that a thousand failures do not return together."""
    pause = min(longest, first * 2.0 ** min(attempts, 30))
    return pause * random.uniform(0.95, 1.05)  # noqa: S311 - jitter, not a secret
