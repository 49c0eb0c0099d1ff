"""The journal: append and seal, and verify, per processor second, beside a bare log of the same minutes."""

from __future__ import annotations

import hashlib
from typing import Any

from .cpu import Meter
from .installation import Installation

GOALS = {"sqlite": 50_000, "postgres": 12_000}
VERIFY_GOAL = 400_000
AT_ONCE = 2000


class BareLog:
    """The least a chained log can cost here: one row and one SHA-256 an entry, a commit per 2,000.

    It has no organizations, no kinds, no second writer to fear and nobody who follows it.
    """

    def __init__(self, place: Installation) -> None:
        from heard.foundation import db

        self.writing, self.reading = Meter(place.server), Meter(place.server)
        self.entries = 0
        self._last = b"\0" * 32
        kind = "BYTEA" if db.is_postgres() else "BLOB"
        with db.cursor_of() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_log")
            cursor.execute(f"CREATE TABLE bench_log (id BIGINT PRIMARY KEY, body {kind}, hash {kind})")

    def add(self, bodies: list[bytes]) -> None:
        """So many more entries."""
        from django.db import transaction

        from heard.foundation import db

        with self.writing, transaction.atomic():
            rows = []
            for number, body in enumerate(bodies, start=self.entries):
                self._last = hashlib.sha256(self._last + body).digest()
                rows.append((number, body, self._last))
            db.insert_rows("bench_log", ("id", "body", "hash"), rows)
        self.entries += len(bodies)

    def walk(self) -> None:
        """Read and hash them all."""
        from heard.foundation import db

        statement = "SELECT body, hash FROM bench_log ORDER BY id"
        last = b"\0" * 32
        with self.reading:
            rows: Any = (
                db.copy_out(statement, (), ["bytea", "bytea"])
                if db.is_postgres()
                else db.fetch_all(statement)
            )
            for body, kept in rows:
                last = hashlib.sha256(last + body).digest()
                assert last == kept


def measure(place: Installation, database: str, size: dict[str, int]) -> dict[str, Any]:
    """Facts of the size of a person's step, 2,000 to a transaction, sealed as the worker seals."""
    from django.db import transaction

    from heard.domains.inbox.facts import CaseAnswered
    from heard.domains.journal import actions, queries, sql

    writing, checking = Meter(place.server), Meter(place.server)
    bare = BareLog(place)
    for start in range(0, size["facts"], AT_ONCE):
        facts = [CaseAnswered(start + number, number, start) for number in range(AT_ONCE)]
        with writing:
            with transaction.atomic():
                actions.append(place.organization_id, "member:1", facts)
            actions.seal_all(place.organization_id)
        end = queries.end_of(place.organization_id)
        bare.add([body for _, body in sql.sealed_after(place.organization_id, end - AT_ONCE, AT_ONCE)])
    with checking:
        verdict = queries.verify(place.organization_id)
    bare.walk()
    assert verdict.holds, verdict
    assert verdict.entries >= size["facts"], verdict
    written = size["facts"] / writing.seconds
    verified = verdict.entries / checking.seconds
    bare_written, bare_verified = bare.entries / bare.writing.seconds, bare.entries / bare.reading.seconds
    return {
        "facts": size["facts"],
        "append_and_seal_per_cpu_second": round(written),
        "goal": GOALS[database],
        "verify_per_cpu_second": round(verified),
        "verify_goal": VERIFY_GOAL,
        "ratio": round(written / GOALS[database], 2),
        "verify_ratio": round(verified / VERIFY_GOAL, 2),
        "bare_log_per_cpu_second": round(bare_written),
        "bare_walk_per_cpu_second": round(bare_verified),
        "to_bare_log": round(written / bare_written, 2),
        "to_bare_walk": round(verified / bare_verified, 2),
        "holds": written >= GOALS[database] and verified >= VERIFY_GOAL,
        "server_cpu_seconds": round(writing.server_seconds, 1),
    }
