"""SQLite: a copy of one moment while the installation runs, and what such a copy holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from heard.config.backup.archive import BackupProblem, Progress

# Deliveries first, always. A delivery that is marked as understood in a copy must have its messages in
# the copy of the other file, so that one has to be the later moment; what is there twice is taken once.
DATABASES = ("deliveries.sqlite3", "heard.sqlite3")
PAGES_AT_ONCE = 4000


def snapshot(source: Path, target: Path, progress: Progress) -> None:
    """Copy a database as it is at one moment. Writers do not wait, and do not disturb the copy."""
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        # The read transaction stays open over all steps: without it, each commit of somebody else
        # would make the copy begin anew.
        live.execute("BEGIN")
        live.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()

        def told(_status: int, remaining: int, total: int) -> None:
            progress(f"Copying {source.name}", total - remaining, total)

        live.backup(copy, pages=PAGES_AT_ONCE, progress=told, sleep=0)
        live.rollback()
        copy.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def counts(path: Path) -> dict[str, int]:
    """Rows of every table, after the file was found to be whole. Raises ``BackupProblem``."""
    try:
        with closing(sqlite3.connect(path)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise BackupProblem(f"{path.name} is damaged: {verdict}.")
            names = [
                name
                for (name,) in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                )
            ]
            return {name: database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}
    except sqlite3.DatabaseError as error:
        raise BackupProblem(f"{path.name} is no database: {error}.") from error


def migrations(path: Path) -> list[str]:
    """Applied migrations, ``app.name``."""
    with closing(sqlite3.connect(path)) as database:
        try:
            rows = database.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
        except sqlite3.OperationalError:
            return []
    return [f"{app}.{name}" for app, name in rows]
