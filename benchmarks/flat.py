"""The flat-table limit: what the database and its driver can take in at most, on this machine, now."""

from __future__ import annotations

from typing import Any

from .cpu import Meter
from .installation import Installation
from .public import Public

AT_ONCE = 1000


def messages_per_cpu_second(place: Installation, count: int) -> float:
    """One flat table, one unique index, a commit per 1,000 rows, on Django's own connection."""
    from django.db import transaction

    from heard.foundation import db

    with db.cursor_of() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_flat")
        cursor.execute(
            "CREATE TABLE bench_flat (id BIGINT PRIMARY KEY, organization_id BIGINT, channel_id BIGINT,"
            " native_id VARCHAR(512), author VARCHAR(512), visibility VARCHAR(12), text TEXT, sent_at TEXT)"
        )
        cursor.execute("CREATE UNIQUE INDEX bench_flat_once ON bench_flat (organization_id, native_id)")
    public = Public(max(1, count // 5), seed=11)
    meter = Meter(place.server)
    columns = (
        "id", "organization_id", "channel_id", "native_id", "author", "visibility", "text", "sent_at",
    )  # fmt: skip
    for start in range(0, count, AT_ONCE * 20):
        chunks: list[list[tuple[Any, ...]]] = [
            [_row(start + part * AT_ONCE + number, public.post()) for number in range(AT_ONCE)]
            for part in range(20)
        ]
        with meter:
            for rows in chunks:
                with transaction.atomic():
                    db.insert_rows("bench_flat", columns, rows)
    with db.cursor_of() as cursor:
        cursor.execute("DROP TABLE bench_flat")
    return count / meter.seconds


def _row(number: int, post: dict[str, Any]) -> tuple[Any, ...]:
    return (
        number, 1, 1, post["id"], post["author"]["id"], post["visibility"], post["text"], post["created_at"],
    )  # fmt: skip
