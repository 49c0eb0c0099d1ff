"""``heard move``: from the SQLite files of one machine to PostgreSQL, all tables in one transaction."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from heard.config import options
from heard.config.backup import BackupProblem, embedded, postgres
from heard.config.backup.archive import Progress

Source = sqlite3.Connection
# What migrating an empty database writes by itself; it is written anew from the source.
MADE_BY_MIGRATING = {"django_migrations", "django_content_type", "auth_permission"}
KEPT = {"django_migrations"}
ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands on PostgreSQL now. ``rows`` is by table; ``chains`` journals were compared."""

    rows: dict[str, int]
    chains: int
    journal: list[str]


def move(target: str, progress: Progress) -> Moved:
    """Copy everything to the empty database ``target``; the SQLite files stay as they are.

    Writers of the source wait while it is copied. Raises ``BackupProblem``; the target is then as
    empty as before, but for its tables.
    """
    data = options.data_folder()
    _require_source(data)
    _require_empty(target)
    progress("Making the tables", 0, 1)
    _heard(target, "upgrade")
    with _locked(data) as sources, postgres.connected(target) as connection:
        _require_same_version(data, connection)
        rows = _copy_all(sources, connection, progress)
        chains = _compare_chains(sources[-1], connection)
        try:
            connection.commit()  # here PostgreSQL looks at all references between tables
        except psycopg.Error as error:
            raise BackupProblem(f"PostgreSQL did not take it: {_first_line(error)}") from error
    progress("Verifying the journal", 1, 1)
    journal = _heard(target, "journal", "verify").splitlines()
    return Moved(rows, chains, journal)


def _require_source(data: Path) -> None:
    if options.DATABASE_URL.value:
        raise BackupProblem("This installation is on PostgreSQL already (HEARD_DATABASE_URL).")
    for name in embedded.DATABASES:
        if not (data / name).exists():
            raise BackupProblem(f"There is no installation in {data}: {name} is missing.")


def _require_empty(target: str) -> None:
    try:
        options.database_of(target)
    except ValueError as error:
        raise BackupProblem("Name the target like postgresql://user:password@host:port/name.") from error
    with postgres.connected(target) as connection:
        found = postgres.counts(connection)
    full = sorted(name for name, count in found.items() if count and name not in MADE_BY_MIGRATING)
    if full:
        raise BackupProblem(
            f"The target is not empty: {full[0]} has {found[full[0]]:,} rows. Name an empty one."
        )


def _require_same_version(data: Path, connection: psycopg.Connection) -> None:
    ours = set(embedded.migrations(data / embedded.DATABASES[-1]))
    missing = sorted(set(postgres.migrations(connection)) - ours)
    if missing:
        raise BackupProblem(f"The SQLite files are older than this Heard ({missing[0]}). Run: heard upgrade")


@contextmanager
def _locked(data: Path) -> Iterator[list[Source]]:
    """Both files, deliveries first, with nobody else writing while they are copied."""
    with ExitStack() as stack:
        opened = []
        for name in embedded.DATABASES:
            source = stack.enter_context(
                closing(sqlite3.connect(data / name, timeout=30, isolation_level=None))
            )
            try:
                source.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise BackupProblem(f"Somebody writes to {name} all the time. Stop Heard first.") from error
            opened.append(source)
        yield opened


def _tables(source: Source) -> list[str]:
    statement = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [name for (name,) in source.execute(statement)]


def _home(sources: list[Source]) -> dict[str, Source]:
    """Table -> the file that its rows are in. Both files may have a table; one of them uses it."""
    homes: dict[str, Source] = {}
    used: set[str] = set()
    for source in sources:
        for name in _tables(source):
            filled = bool(source.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}")').fetchone()[0])
            if filled and name in used - KEPT:
                raise BackupProblem(f"Both files have rows of {name}; one of them is not of this Heard.")
            if filled or name not in homes:
                homes[name] = source
            used |= {name} if filled else set()
    return {name: source for name, source in sorted(homes.items()) if name not in KEPT}


def _copy_all(sources: list[Source], connection: psycopg.Connection, progress: Progress) -> dict[str, int]:
    homes = _home(sources)
    known = set(postgres.tables(connection))
    unknown = sorted(set(homes) - known)
    if unknown:
        raise BackupProblem(f"The target has no table {unknown[0]}.")
    connection.execute("SET LOCAL TIME ZONE 'UTC'")  # SQLite keeps times without a zone, in UTC
    names = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(known - KEPT))
    connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
    rows = {}
    for number, (name, source) in enumerate(homes.items()):
        progress(f"Copying {name}", number, len(homes))
        try:
            rows[name] = _copy(name, source, connection)
        except psycopg.Error as error:
            raise BackupProblem(f"PostgreSQL did not take {name}: {_first_line(error)}") from error
    found = postgres.counts(connection)
    for name, source in homes.items():
        wanted = source.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
        if found[name] != wanted:
            raise BackupProblem(f"{name} should have {wanted:,} rows and has {found[name]:,}.")
    return rows


def _copy(name: str, source: Source, connection: psycopg.Connection) -> int:
    """Copy one table and set its sequence; how many rows it has."""
    columns = [row[1] for row in source.execute(f'PRAGMA table_info("{name}")')]
    quoted = ", ".join(f'"{column}"' for column in columns)
    cursor = source.execute(f'SELECT {quoted} FROM "{name}"')
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    # As text: the server reads each value as its column's type, 0 and 1 as truth values as well.
    with connection.cursor() as target, target.copy(statement) as copy:
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                copy.write_row(row)
            count += len(rows)
    _set_sequence(name, columns, source, connection)
    return count


def _set_sequence(name: str, columns: list[str], source: Source, connection: psycopg.Connection) -> None:
    """Go on counting where SQLite would have: an id that was used once is never used again."""
    if "id" not in columns:
        return
    found = connection.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f'"{name}"']).fetchone()
    if found is None or found[0] is None:
        return
    last = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [name]).fetchone()
    highest = source.execute(f'SELECT MAX(id) FROM "{name}"').fetchone()[0]
    value = max(last[0] if last else 0, highest or 0)
    if value:
        connection.execute("SELECT setval(%s, %s)", [found[0], value])


def _compare_chains(source: Source, connection: psycopg.Connection) -> int:
    statement = "SELECT organization_id, position, hash FROM journal_chain ORDER BY organization_id"
    ours = [(row[0], row[1], bytes(row[2])) for row in source.execute(statement)]
    theirs = [(row[0], row[1], bytes(row[2])) for row in connection.execute(statement).fetchall()]
    if ours != theirs:
        raise BackupProblem("The journals' ends differ after the copy.")
    return len(ours)


def _heard(url: str, *arguments: str) -> str:
    """Run a command of ours on the target; what it printed."""
    environment: Mapping[str, str] = {**os.environ, "HEARD_DATABASE_URL": url, "HEARD_BROKER_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "heard", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
    )
    if done.returncode:
        raise BackupProblem(f"heard {' '.join(arguments)} failed there: {(done.stdout + done.stderr)[-500:]}")
    return done.stdout


def _first_line(error: Any) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
