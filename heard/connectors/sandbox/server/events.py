"""What an account is told, in order: events with ids that only grow."""

from __future__ import annotations

import json

from .store import Store, iso


def events_after(
    store: Store, account: int, after: int, limit: int, *, since: float = 0.0
) -> tuple[list[str], int]:
    """Up to ``limit`` events as JSON texts, and the last one's id (``after`` where there is none)."""
    rows = store.rows(
        "SELECT id, type, at, body FROM events WHERE account = ? AND id > ? AND at >= ? ORDER BY id LIMIT ?",
        account,
        after,
        since,
        limit,
    )
    events = [
        f'{{"id": "{row["id"]}", "type": {json.dumps(row["type"])}, "at": "{iso(row["at"])}",'
        f' "post": {row["body"]}}}'
        for row in rows
    ]
    return events, rows[-1]["id"] if rows else after
