"""Sides that start at the same moment, round after round."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable

from django.db import connections

from heard.domains.outbox import actions, schedule
from heard.domains.outbox.models import Outbound
from heard.foundation import clock

HEADSTARTS = (0.004, 0.004, 0.02, 0.08)
"""Seconds at most. Mostly a close finish; on a busy machine one side alone may take longer than the few."""


def race(rounds: int, *sides: Callable[[int], None]) -> None:
    """Each side once per round, all at the same moment; who is a little earlier is left to chance."""
    start, end = threading.Barrier(len(sides)), threading.Barrier(len(sides))
    broken: list[BaseException] = []

    def run(side: Callable[[int], None]) -> None:
        try:
            for number in range(rounds):
                start.wait(60)
                if random.random() < 0.5:
                    time.sleep(random.random() * random.choice(HEADSTARTS))
                side(number)
                end.wait(60)
        except BaseException as error:  # noqa: BLE001 - no side of a race ends unheard
            broken.append(error)  # the first is why; the other side only misses its partner
            start.abort()
            end.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]


def another(first_id: int, number: int) -> int:
    """One more like the first, without asking all that a submit asks: it is the gate that races."""
    row = Outbound.objects.get(pk=first_id)
    row.pk, row.key, row.text, row.due_at = None, uuid.uuid4().hex, f"round {number}", clock.now()
    row.state, row.fence, row.attempts, row.lease_until = "waiting", 0, 0, None
    row.message_id, row.ended_at, row.started_at, row.first_attempt_at = None, None, None, None
    row.save(force_insert=True)
    return row.pk


def let_one_through() -> None:
    passed = actions.let_through(clock.now())
    if passed is not None and passed.attempt:
        schedule.send_now(passed.claimed)
