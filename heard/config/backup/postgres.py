"""PostgreSQL: pg_dump and pg_restore, told the password by the environment and never by the command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from heard.config.backup.archive import BackupProblem

DUMP = "postgres.dump"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """A connection of its own. Raises ``BackupProblem`` when the server does not let us in."""
    try:
        connection = psycopg.connect(url, connect_timeout=10)
    except psycopg.Error as error:
        lines = str(error).splitlines() or [""]
        raise BackupProblem(f"PostgreSQL does not answer: {lines[0]}") from error
    try:
        yield connection
    finally:
        connection.close()


def tables(connection: psycopg.Connection) -> list[str]:
    """Names of all tables."""
    return [name for (name,) in connection.execute(_TABLES).fetchall()]


def counts(connection: psycopg.Connection) -> dict[str, int]:
    """Rows of every table, as this transaction sees them."""
    found = {}
    for name in tables(connection):
        row = connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()
        found[name] = int(row[0]) if row else 0
    return found


def migrations(connection: psycopg.Connection) -> list[str]:
    """Applied migrations, ``app.name``."""
    if "django_migrations" not in tables(connection):
        return []
    rows = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    return [f"{app}.{name}" for app, name in rows]


def dump(url: str, target: Path) -> tuple[dict[str, int], list[str]]:
    """Dump one moment of the database; (rows by table, migrations) of that same moment."""
    with connected(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        moment = str(row[0]) if row else ""
        _run("pg_dump", url, ["-Fc", "--no-owner", f"--snapshot={moment}", "-f", str(target)])
        return counts(connection), migrations(connection)


def load(url: str, source: Path, *, replace: bool) -> None:
    """Load a dump, whole or not at all. ``replace`` drops what it brings first."""
    clean = ["--clean", "--if-exists"] if replace else []
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", *clean]
    _run("pg_restore", url, [*options, str(source)])


def _run(program: str, url: str, arguments: Sequence[str]) -> None:
    found = shutil.which(program)
    if found is None:
        raise BackupProblem(f"{program} is not installed (Debian: apt-get install postgresql-client).")
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(
        [found, "-d", make_conninfo("", **parts), *arguments],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BackupProblem(f"{program} failed: {lines[0] if lines else done.returncode}")
