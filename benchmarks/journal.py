"""The journal: append and seal, and verify, per processor second."""

from __future__ import annotations

from typing import Any

from .cpu import Meter
from .installation import Installation

GOALS = {"sqlite": 50_000, "postgres": 12_000}
VERIFY_GOAL = 400_000
AT_ONCE = 2000


def measure(place: Installation, database: str, size: dict[str, int]) -> dict[str, Any]:
    """Facts of the size of a person's step, 2,000 to a transaction, sealed as the worker seals."""
    from django.db import transaction

    from heard.domains.inbox.facts import CaseAnswered
    from heard.domains.journal import actions, queries

    writing, checking = Meter(place.server), Meter(place.server)
    for start in range(0, size["facts"], AT_ONCE):
        facts = [CaseAnswered(start + number, number, start) for number in range(AT_ONCE)]
        with writing:
            with transaction.atomic():
                actions.append(place.organization_id, "member:1", facts)
            actions.seal_all(place.organization_id)
    with checking:
        verdict = queries.verify(place.organization_id)
    assert verdict.holds, verdict
    assert verdict.entries >= size["facts"], verdict
    written = size["facts"] / writing.seconds
    verified = verdict.entries / checking.seconds
    return {
        "facts": size["facts"],
        "append_and_seal_per_cpu_second": round(written),
        "goal": GOALS[database],
        "verify_per_cpu_second": round(verified),
        "verify_goal": VERIFY_GOAL,
        "ratio": round(written / GOALS[database], 2),
        "verify_ratio": round(verified / VERIFY_GOAL, 2),
        "holds": written >= GOALS[database] and verified >= VERIFY_GOAL,
        "server_cpu_seconds": round(writing.server_seconds, 1),
    }
