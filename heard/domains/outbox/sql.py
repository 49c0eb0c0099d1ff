"""The gate's locks."""

from __future__ import annotations

from collections.abc import Sequence

from heard.foundation import db


def _ensure(organization_id: int) -> None:
    db.insert_rows("outbox_gate", ("organization_id",), [(organization_id,)], ignore=True)


def share_gate(organization_id: int) -> None:
    """Held by a claim until it has committed ``sending``. On SQLite the write transaction is the lock."""
    if db.is_postgres():
        _ensure(organization_id)
        db.fetch_all("SELECT 1 FROM outbox_gate WHERE organization_id = %s FOR SHARE", [organization_id])


def own_gate(organization_id: int) -> None:
    """Held by placing or releasing a hold: waits for claims, and they for it."""
    if db.is_postgres():
        _ensure(organization_id)
        db.fetch_all("SELECT 1 FROM outbox_gate WHERE organization_id = %s FOR UPDATE", [organization_id])


def counts(organization_id: int, states: Sequence[str]) -> list[tuple[str, int, int]]:
    """(state, channel, how many) of the outbounds in these states."""
    mark, values = db.in_list(states)
    return db.fetch_all(
        "SELECT state, channel_id, COUNT(*) FROM outbox_outbound"
        f" WHERE organization_id = %s AND state {mark} GROUP BY state, channel_id",
        [organization_id, values],
    )


def open_holds(organization_id: int) -> list[tuple[int, int | None, str]]:
    """(id, channel or ``None`` for all, reason) of what is stopped, oldest first."""
    return db.fetch_all(
        "SELECT id, channel_id, reason FROM outbox_hold"
        " WHERE organization_id = %s AND released_at IS NULL ORDER BY id",
        [organization_id],
    )
