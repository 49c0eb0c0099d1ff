"""Ingest: from raw delivery to a case visible in the inbox, with its facts in the journal."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .cpu import Meter, resident_bytes
from .flat import FlatTable
from .installation import Installation
from .public import Public

GOALS = {"sqlite": 0.05, "postgres": 0.02}
CHUNK = 5000
WARM_UP = 2000
JOBS = ("conversations.take_in", "journal.seal", "journal.react")


def work_off() -> None:
    """What the worker does with deliveries, in this thread, until nothing is due."""
    from heard.foundation import clock
    from heard.foundation.work import Slice, jobs

    found = [jobs()[name] for name in JOBS]
    while True:
        done = 0
        for job in found:
            now = clock.now()
            done += job.run(Slice(now, job.limit, now + timedelta(seconds=600)))
        if not done:
            return


def fill(
    place: Installation,
    messages: int,
    meter: Meter | None = None,
    *,
    offset: int = 0,
    between: Callable[[], None] = lambda: None,
) -> list[tuple[int, int]]:
    """Take in so many messages after ``offset`` others; (messages, resident bytes) after each chunk.

    ``between`` is called before each chunk.
    """
    from heard.connectorkit.vocabulary import Source
    from heard.domains.channels.actions import ArrivedDelivery, receive
    from heard.foundation import clock

    public = Public(max(1, messages // 5), offset=offset)
    meter = meter or Meter(place.server)
    samples = []
    for start in range(0, messages, CHUNK):
        between()
        bodies = list(public.deliveries(min(CHUNK, messages - start)))
        with meter:
            for body in bodies:
                receive(
                    [
                        ArrivedDelivery(
                            place.organization_id, place.channel_id, Source.WEBHOOK, body, clock.now()
                        )
                    ]
                )
            work_off()
        del bodies
        samples.append((start + CHUNK, resident_bytes()))
    return samples


def measure(place: Installation, database: str, size: dict[str, int]) -> dict[str, Any]:
    """Messages per processor second, beside the limit of the same minutes, and memory over time."""
    from heard.foundation import db

    limit = FlatTable(place)
    fill(place, WARM_UP)
    if database == "postgres":
        with db.cursor_of() as cursor:
            cursor.execute("ANALYZE")  # what autovacuum does within its first minute, once there are rows
    gc.collect()
    meter = Meter(place.server)
    samples = fill(place, size["messages"], meter, offset=WARM_UP, between=lambda: limit.add(CHUNK))
    _check(place, WARM_UP + size["messages"])
    rate = size["messages"] / meter.seconds
    limit_rate = limit.rows_per_cpu_second
    warm = next(held for count, held in samples if count >= size["messages"] // 5)
    return {
        "messages": size["messages"],
        "messages_per_cpu_second": round(rate),
        "flat_rows_per_cpu_second": round(limit_rate),
        "ratio": round(rate / limit_rate, 4),
        "goal_ratio": GOALS[database],
        "holds": rate / limit_rate >= GOALS[database],
        "own_cpu_seconds": round(meter.own_seconds, 1),
        "server_cpu_seconds": round(meter.server_seconds, 1),
        "wall_seconds": round(meter.wall_seconds, 1),
        "resident_mb": [[count, round(held / 1e6)] for count, held in samples[:: max(1, len(samples) // 10)]],
        "resident_growth_mb_after_warm_up": round((samples[-1][1] - warm) / 1e6, 1),
    }


def _check(place: Installation, messages: int) -> None:
    """A fast wrong answer is worth nothing: everything is there, visible, and on record."""
    from heard.domains.conversations.models import Message
    from heard.domains.inbox import queries as inbox
    from heard.domains.inbox.queries import Wanted
    from heard.domains.journal import queries as journal
    from heard.domains.organizations.queries import actor_of

    actor = actor_of(place.organization_id, place.member_id)
    assert Message.objects.count() == messages
    assert inbox.count(actor, Wanted("open")) > 0
    assert Message.objects.filter(conversation__caseconversation__isnull=True).count() == 0
    verdict = journal.verify(place.organization_id)
    assert verdict.holds, verdict
    assert verdict.unsealed == 0, verdict
