"""The gate's locks."""

from __future__ import annotations

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
