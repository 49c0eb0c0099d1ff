"""What is on record in an installation, read from its database beside the running processes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Record:
    """Reads the tables as they are committed now; a connection for each look, so that none gets stale."""

    folder: Path
    postgres_url: str = ""

    def rows(self, statement: str, *, deliveries: bool = False) -> list[tuple[Any, ...]]:
        """All rows of a query without parameters."""
        if self.postgres_url:
            with psycopg.connect(self.postgres_url, autocommit=True) as line:
                return line.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]
        file = self.folder / ("deliveries.sqlite3" if deliveries else "heard.sqlite3")
        line = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
        try:
            return line.execute(statement).fetchall()
        finally:
            line.close()

    def one(self, statement: str, *, deliveries: bool = False) -> Any:
        """The first value of the first row."""
        return self.rows(statement, deliveries=deliveries)[0][0]

    def unfinished_deliveries(self) -> int:
        """Kept and not yet understood (nor unreadable)."""
        return int(
            self.one("SELECT count(*) FROM channels_delivery WHERE state = 'received'", deliveries=True)
        )

    def unreadable_deliveries(self) -> int:
        return int(
            self.one("SELECT count(*) FROM channels_delivery WHERE state = 'unreadable'", deliveries=True)
        )

    def behind(self) -> int:
        """Facts that wait: without a seal, or sealed and not yet followed by every reaction."""
        unsealed = self.one(
            "SELECT (SELECT count(*) FROM journal_fact) - (SELECT count(*) FROM journal_seal)"
        )
        late = self.one(
            "SELECT coalesce(sum(c.position - k.position), 0) FROM journal_chain c"
            " JOIN journal_consumer k ON k.organization_id = c.organization_id"
        )
        return int(unsealed) + int(late)

    def given_up(self) -> int:
        return int(self.one("SELECT count(*) FROM journal_givenup"))

    def outbound_states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM outbox_outbound GROUP BY state"))
