"""The Sandbox's file: one SQLite database, one connection, every write committed before it is answered."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, handle TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    kind TEXT NOT NULL, token TEXT NOT NULL UNIQUE, language TEXT NOT NULL, temper TEXT NOT NULL,
    created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, author INTEGER NOT NULL REFERENCES accounts,
    text TEXT NOT NULL, language TEXT NOT NULL, visibility TEXT NOT NULL,
    parent INTEGER REFERENCES posts, root INTEGER REFERENCES posts, to_account INTEGER REFERENCES accounts,
    thread TEXT NOT NULL, mentions TEXT NOT NULL, attachments TEXT NOT NULL, key TEXT,
    created_at REAL NOT NULL, version INTEGER NOT NULL DEFAULT 1, edited_at REAL, deleted_at REAL,
    hidden INTEGER NOT NULL DEFAULT 0, likes INTEGER NOT NULL DEFAULT 0, UNIQUE (author, key));
CREATE INDEX IF NOT EXISTS posts_by_parent ON posts (parent);
CREATE INDEX IF NOT EXISTS posts_by_root ON posts (root);
CREATE INDEX IF NOT EXISTS posts_by_author ON posts (author, id);
CREATE TABLE IF NOT EXISTS likes (
    post INTEGER NOT NULL, account INTEGER NOT NULL, PRIMARY KEY (post, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS media (
    id TEXT PRIMARY KEY, account INTEGER NOT NULL, name TEXT NOT NULL, content_type TEXT NOT NULL,
    alt TEXT NOT NULL, data BLOB NOT NULL, post INTEGER);
CREATE TABLE IF NOT EXISTS blocks (
    person INTEGER NOT NULL, brand INTEGER NOT NULL, PRIMARY KEY (person, brand)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, type TEXT NOT NULL,
    post INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_account ON events (account, id);
CREATE INDEX IF NOT EXISTS events_by_post ON events (post);
CREATE TABLE IF NOT EXISTS webhooks (
    account INTEGER PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, pushed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS stories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, person INTEGER NOT NULL, brand INTEGER NOT NULL,
    matter TEXT NOT NULL, slots TEXT NOT NULL, state TEXT NOT NULL, private INTEGER NOT NULL,
    last_post INTEGER NOT NULL, answer INTEGER, mood REAL NOT NULL, follow_ups INTEGER NOT NULL,
    data_given INTEGER NOT NULL, asked_at REAL NOT NULL, wake_at REAL, plan TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS stories_awake ON stories (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS stories_of ON stories (person, brand, id);
CREATE INDEX IF NOT EXISTS stories_by_state ON stories (brand, state, id);
CREATE TABLE IF NOT EXISTS answers (digest TEXT PRIMARY KEY, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS storms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, matter TEXT NOT NULL, slots TEXT NOT NULL,
    brand INTEGER NOT NULL, people INTEGER NOT NULL, spoken INTEGER NOT NULL, begun_at REAL NOT NULL,
    minutes REAL NOT NULL, first_post INTEGER);
"""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account on the Sandbox; ``kind`` is ``brand`` or ``person``."""

    id: int
    handle: str
    name: str
    kind: str
    token: str
    language: str
    temper: Mapping[str, float]


class Store:
    """The open file. Used by one thread; a second process must not serve the same file."""

    def __init__(self, file: Path | str) -> None:
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        # NORMAL in WAL mode: what was committed survives a killed process (not a power cut), at a tenth
        # of the price; a play network may lose its last second when the lights go out.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        self._accounts: dict[int, AccountRow] = {}
        self._depth = 0

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; inside another it is part of that one."""
        if self._depth:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._accounts.clear()
            raise
        else:
            self._db.execute("COMMIT")
        finally:
            self._depth = 0

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._db.execute(statement, values)

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Every row of a query."""
        return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, if any."""
        found: sqlite3.Row | None = self._db.execute(statement, values).fetchone()
        return found

    def setting(self, key: str, default: str = "") -> str:
        """A kept value."""
        found = self.row("SELECT value FROM settings WHERE key = ?", key)
        return str(found["value"]) if found else default

    def keep(self, key: str, value: str) -> None:
        """Keep a value."""
        self.run(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", key, value
        )

    # -- accounts ---------------------------------------------------------------------------------

    def account(self, number: int) -> AccountRow:
        """By number; raises ``KeyError``."""
        if number not in self._accounts:
            self._accounts[number] = self._account("id = ?", number)
        return self._accounts[number]

    def account_by(self, column: str, value: str) -> AccountRow | None:
        """By ``handle`` or ``token``, ``None`` where there is none."""
        try:
            return self._account({"handle": "handle = ?", "token": "token = ?"}[column], value)
        except KeyError:
            return None

    def _account(self, where: str, value: Any) -> AccountRow:
        found = self.row(f"SELECT * FROM accounts WHERE {where}", value)
        if found is None:
            raise KeyError(value)
        return AccountRow(
            id=found["id"],
            handle=found["handle"],
            name=found["name"],
            kind=found["kind"],
            token=found["token"],
            language=found["language"],
            temper=json.loads(found["temper"]),
        )

    def add_account(
        self,
        handle: str,
        name: str,
        kind: str,
        *,
        now: float,
        language: str = "en",
        temper: Mapping[str, float] | None = None,
        token: str = "",
    ) -> AccountRow:
        """Create an account, or give the one that has this handle."""
        self.run(
            "INSERT INTO accounts (handle, name, kind, token, language, temper, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (handle) DO NOTHING",
            handle,
            name,
            kind,
            token or secrets.token_urlsafe(24),
            language,
            json.dumps(dict(temper or {})),
            now,
        )
        return self._account("handle = ?", handle)

    def brands(self) -> list[AccountRow]:
        """The accounts that are companies, oldest first."""
        return [
            self.account(row["id"])
            for row in self.rows("SELECT id FROM accounts WHERE kind = 'brand' ORDER BY id")
        ]


def iso(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
