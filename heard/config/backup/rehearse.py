"""``heard upgrade --rehearse``: this version's changes, made to a copy, before they are made for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from heard.config import options
from heard.config.backup import postgres
from heard.config.backup.archive import BackupProblem, Progress
from heard.config.backup.make import make


@dataclass(slots=True)
class Rehearsal:
    """How it went. ``wrong`` holds sentences; empty when the upgrade can be made."""

    size_bytes: int = 0
    backup_seconds: float = 0.0
    restore_seconds: float = 0.0
    migrate_seconds: float = 0.0
    missing: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def rehearse(progress: Progress, folder: Path | None = None) -> Rehearsal:
    """Copy the installation into a scratch folder, migrate and examine the copy, and remove it.

    ``folder`` is where the copy is made (default: the system's folder for temporary files). Raises
    ``BackupProblem`` when no copy could be made.
    """
    found = Rehearsal()
    with tempfile.TemporaryDirectory(prefix="heard-rehearsal-", dir=folder) as scratch:
        copy = Path(scratch) / "data"
        started = time.perf_counter()
        made = make(Path(scratch) / "backup.tar.gz", progress)
        found.size_bytes, found.backup_seconds = made.size_bytes, time.perf_counter() - started
        with _database_beside() as url:
            environment = {"HEARD_DATA": str(copy), "HEARD_DATABASE_URL": url, "HEARD_BROKER_URL": ""}
            _on_the_copy(found, made.path, environment, progress)
    return found


def _on_the_copy(found: Rehearsal, backup: Path, environment: Mapping[str, str], progress: Progress) -> None:
    progress("Restoring the copy", 1, 4)
    started = time.perf_counter()
    done = _heard(environment, "restore", "--only-files-and-rows", str(backup))
    found.restore_seconds = time.perf_counter() - started
    if done.returncode:
        raise BackupProblem(f"The copy could not be made: {done.stderr.strip()[-500:]}")
    found.missing = _heard(environment, "migrate", "--list").stdout.split()
    progress("Migrating the copy", 2, 4)
    started = time.perf_counter()
    done = _heard(environment, "migrate")
    found.migrate_seconds = time.perf_counter() - started
    if done.returncode:
        found.wrong.append(f"The copy could not be migrated: {done.stderr.strip()[-500:]}")
        return
    progress("Verifying the copy's journal", 3, 4)
    done = _heard(environment, "journal", "verify")
    found.journal = done.stdout.strip().splitlines()
    if done.returncode:
        found.wrong.append("The copy's journal does not hold.")
    progress("Examining the copy", 4, 4)
    findings = json.loads(_heard(environment, "doctor", "--json").stdout or "[]")
    found.wrong += [finding["title"] for finding in findings if finding["level"] == "wrong"]


def _heard(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "heard", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@contextmanager
def _database_beside() -> Iterator[str]:
    """The address of an empty database on the same server, dropped afterwards; "" for SQLite."""
    url = options.DATABASE_URL.value
    if not url:
        yield ""
        return
    parts = conninfo_to_dict(url)
    name = f"heard_rehearsal_{uuid4().hex[:8]}"
    with postgres.connected(url) as connection:
        connection.autocommit = True
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise BackupProblem(
                f"The copy needs a database of its own, and {parts.get('user', 'this user')} may make none: "
                f'ALTER ROLE "{parts.get("user", "heard")}" CREATEDB'
            ) from error
        try:
            yield _with_name(url, name)
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _with_name(url: str, name: str) -> str:
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
