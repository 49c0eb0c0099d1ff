"""Set-based statements of contacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from heard.foundation import db

IDENTITY_COLUMNS = (
    "id",
    "organization_id",
    "contact_id",
    "network",
    "scope",
    "native_id",
    "handle",
    "name",
    "url",
    "avatar_url",
    "is_bot",
    "first_seen_at",
)


def identities(organization_id: int, network: str, native_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """(id, contact id, scope, native id, handle, name, erased?) of known authors."""
    mark, values = db.in_list(native_ids)
    return db.fetch_all(
        "SELECT i.id, i.contact_id, i.scope, i.native_id, i.handle, i.name, c.erased_at IS NOT NULL"
        " FROM contacts_identity i JOIN contacts_contact c ON c.id = i.contact_id"
        f" WHERE i.organization_id = %s AND i.network = %s AND i.native_id {mark}",
        [organization_id, network, values],
    )


def moment(at: datetime) -> Any:
    """A time as this database stores it in set-based inserts."""
    return db.moment(at)


def insert_contacts(rows: Sequence[tuple[int, int, str, datetime]]) -> None:
    """(id, organization id, name, first seen at)."""
    db.insert_rows(
        "contacts_contact",
        ("id", "organization_id", "name", "note", "first_seen_at"),
        [(row[0], row[1], row[2], "", moment(row[3])) for row in rows],
    )


def insert_identities(rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in the order of ``IDENTITY_COLUMNS``; the last is a time."""
    db.insert_rows("contacts_identity", IDENTITY_COLUMNS, [(*row[:-1], moment(row[-1])) for row in rows])


def rename(rows: Sequence[tuple[str, str, int]]) -> None:
    """(handle, name, identity id): people rename themselves."""
    db.execute_many("UPDATE contacts_identity SET handle = %s, name = %s WHERE id = %s", list(rows))
