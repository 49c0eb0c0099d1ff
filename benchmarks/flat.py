"""The flat-table limit: what the database and its driver can take in at most, on this machine, now."""

from __future__ import annotations

from typing import Any

from .cpu import Meter
from .installation import Installation
from .public import Public

AT_ONCE = 1000
COLUMNS = ("id", "organization_id", "channel_id", "native_id", "author", "visibility", "text", "sent_at")


class FlatTable:
    """One flat table, one unique index, a commit per 1,000 rows, on Django's own connection.

    It is filled in slices between those of what it is compared with: a machine that is shared runs
    half as fast for a while, and then again as before.
    """

    def __init__(self, place: Installation) -> None:
        from heard.foundation import db

        self.meter = Meter(place.server)
        self.rows = 0
        self._public = Public(20_000, seed=11)
        with db.cursor_of() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_flat")
            cursor.execute(
                "CREATE TABLE bench_flat (id BIGINT PRIMARY KEY, organization_id BIGINT, channel_id BIGINT,"
                " native_id VARCHAR(512), author VARCHAR(512), visibility VARCHAR(12), text TEXT,"
                " sent_at TEXT)"
            )
            cursor.execute("CREATE UNIQUE INDEX bench_flat_once ON bench_flat (organization_id, native_id)")

    def add(self, count: int) -> None:
        """So many more rows, measured."""
        from django.db import transaction

        from heard.foundation import db

        chunks = [
            [_row(self.rows + start + number, self._public.post()) for number in range(AT_ONCE)]
            for start in range(0, count, AT_ONCE)
        ]
        with self.meter:
            for rows in chunks:
                with transaction.atomic():
                    db.insert_rows("bench_flat", COLUMNS, rows)
        self.rows += len(chunks) * AT_ONCE

    @property
    def rows_per_cpu_second(self) -> float:
        """The limit."""
        return self.rows / self.meter.seconds


def _row(number: int, post: dict[str, Any]) -> tuple[Any, ...]:
    return (
        number, 1, 1, post["id"], post["author"]["id"], post["visibility"], post["text"], post["created_at"],
    )  # fmt: skip
