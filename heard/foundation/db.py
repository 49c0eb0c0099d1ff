"""Set-based statements on SQLite and PostgreSQL alike, where the ORM is too slow.

Rooms' ``sql.py`` files are written on these few functions. Identifiers are constants of the caller,
never input; values always travel as parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

Row = Sequence[Any]


def connection_of(alias: str = "default") -> BaseDatabaseWrapper:
    """The connection of this thread."""
    return connections[alias]


def is_postgres(alias: str = "default") -> bool:
    """True on PostgreSQL, false on SQLite; nothing else is supported."""
    # Not the connection's own word for it: that look-up costs 10 µs, and rows ask by the thousand.
    return bool(connections.settings[alias]["ENGINE"].endswith("postgresql"))


def moment(at: datetime, alias: str = "default") -> Any:
    """A time as this database takes it in set-based statements: SQLite as text, in UTC, without a zone."""
    return at if is_postgres(alias) else _as_text(at)


# A batch asks for few different moments, each of them several times; writing one out takes 4 µs.
@lru_cache(maxsize=4096)
def _as_text(at: datetime) -> str:
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ")[:-6]


def require_transaction(alias: str = "default") -> None:
    """Fail early when a set-based write would run outside its action's transaction."""
    if not connections[alias].in_atomic_block:
        raise transaction.TransactionManagementError("This write belongs inside its action's transaction.")


def lock_organization(organization_id: int, purpose: int, alias: str = "default") -> None:
    """Serialise one purpose per organization until the transaction ends.

    On PostgreSQL an advisory lock; on SQLite the write transaction (``BEGIN IMMEDIATE``) already
    is one.
    """
    require_transaction(alias)
    if is_postgres(alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [purpose, organization_id % 2_147_483_647])


def allocate_ids(table: str, count: int, alias: str = "default") -> list[int]:
    """``count`` new ids of a table, ascending, so that related rows can be built before any insert.

    PostgreSQL hands them out of the sequence. On SQLite they are the next ones under the write lock,
    which the caller's transaction holds; inserting them moves ``sqlite_sequence`` along.
    """
    if count <= 0:
        return []
    require_transaction(alias)
    with connections[alias].cursor() as cursor:
        if is_postgres(alias):
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return sorted(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        start = (found[0] if found else 0) + 1
        return list(range(start, start + count))


def insert_rows(
    table: str, columns: Sequence[str], rows: Iterable[Row], *, alias: str = "default", ignore: bool = False
) -> None:
    """Insert many rows: ``COPY`` on PostgreSQL, ``executemany`` on SQLite.

    ``ignore`` leaves out rows whose unique key exists (on PostgreSQL by ``executemany``, since COPY
    cannot). Values must already have the column's type; JSON columns take text.
    """
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    require_transaction(alias)
    names = ", ".join(columns)
    with connections[alias].cursor() as cursor:
        if is_postgres(alias) and not ignore:
            with cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        tail = " ON CONFLICT DO NOTHING" if ignore else ""
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}){tail}", rows)


def execute_many(statement: str, rows: Iterable[Row], *, alias: str = "default") -> None:
    """Run one statement for many parameter rows, inside the action's transaction."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    require_transaction(alias)
    with connections[alias].cursor() as cursor:
        cursor.executemany(statement, rows)


def update_rows(
    table: str, assignments: str, columns: Sequence[tuple[str, str]], rows: Sequence[Row]
) -> None:
    """Update many rows by ``id``, each with values of its own.

    ``columns`` are (name, PostgreSQL type) of what ``rows`` hold, ``id`` among them. ``assignments`` is
    what stands behind ``SET``: ``k.name`` is what the row holds, ``n.name`` the new value. One statement
    on PostgreSQL; on SQLite a prepared one for each row, which takes three quarters of the time that
    reading the rows from JSON takes.
    """
    if not rows:
        return
    require_transaction()
    statement = f"UPDATE {table} AS k SET {assignments}"
    with connections["default"].cursor() as cursor:
        if is_postgres():
            arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
            names = ", ".join(name for name, _ in columns)
            cursor.execute(
                f"{statement} FROM unnest({arrays}) AS n({names}) WHERE k.id = n.id",
                [list(values) for values in zip(*rows, strict=True)],
            )
            return
        places = {name: f"?{place}" for place, (name, _) in enumerate(columns, start=1)}
        statement += " WHERE k.id = n.id"
        cursor.executemany(re.sub(r"\bn\.(\w+)", lambda found: places[found[1]], statement), rows)


def fetch_all(statement: str, parameters: Row = (), *, alias: str = "default") -> list[tuple[Any, ...]]:
    """All rows of a read."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def instant(value: Any) -> datetime | None:
    """A time as this database gives it to a plain read: SQLite says UTC without saying so."""
    if value is None:
        return None
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def copy_out(statement: str, parameters: Row, types: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """PostgreSQL: the rows of a long read as they come, in constant memory. ``types`` are its columns'."""
    out = f"COPY ({statement}) TO STDOUT (FORMAT BINARY)"
    with connections["default"].cursor() as cursor, cursor.cursor.copy(out, parameters) as copy:
        copy.set_types(types)
        yield from copy.rows()


def in_list(values: Iterable[int] | Iterable[str], alias: str = "default") -> tuple[str, Any]:
    """A condition's right side and its single parameter for "is one of", of any length.

    Use as ``f"… WHERE id {mark}"``. SQLite reads a JSON array, PostgreSQL an array; both plan once.
    """
    found = list(values)
    if is_postgres(alias):
        return "= ANY(%s)", found
    return "IN (SELECT value FROM json_each(%s))", json.dumps(found)


def cursor_of(alias: str = "default") -> CursorWrapper:
    """A cursor, to be used in a ``with`` statement."""
    return connections[alias].cursor()
