"""Server time of the inbox's list and of a case, with few and with many messages."""

from __future__ import annotations

import statistics
import time
from typing import Any

from . import ingest
from .installation import Installation

LOOKS = 30


def measure(place: Installation, database: str, size: dict[str, int]) -> dict[str, Any]:
    """Through all of Django's middleware, in this process: processor time (ours) and what one waits."""
    del database
    found: dict[str, Any] = {}
    held = 0
    for name in ("few", "many"):
        ingest.fill(place, size[name] - held, offset=held)
        held = size[name]
        found[f"with_{held}_messages"] = {"list": _time(place, "/inbox/"), "case": _time(place, _a_case())}
    few, many = (found[f"with_{size[name]}_messages"]["list"]["cpu_ms"] for name in ("few", "many"))
    # A list that pages by keyset costs the same however much lies behind it; counts beside it grow.
    return {**found, "list_many_to_few": round(many / few, 2)}


def _a_case() -> str:
    from heard.domains.inbox.models import Case

    return f"/c/{Case.objects.order_by('-last_at').values_list('pk', flat=True)[20]}"


def _time(place: Installation, address: str) -> dict[str, float]:
    from django.test import Client

    from heard.domains.organizations.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(pk=place.user_id))
    for _ in range(3):
        answer = client.get(address)
        assert answer.status_code == 200, answer.status_code
    waits, costs = [], []
    for _ in range(LOOKS):
        cost, at = time.process_time(), time.perf_counter()
        client.get(address)
        costs.append(1000 * (time.process_time() - cost))
        waits.append(1000 * (time.perf_counter() - at))
    return {
        "cpu_ms": round(statistics.median(costs), 1),
        "wall_p50_ms": round(statistics.median(waits), 1),
        "wall_p95_ms": round(sorted(waits)[int(0.95 * LOOKS)], 1),
    }
