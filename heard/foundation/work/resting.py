"""Leaving alone, for a while, what did not answer: so that it holds up nothing that others would give.

For work whose rows have no time of their own to come back at. Each process finds out for itself; what it
knows is gone when it ends, which costs one more try.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

PLACE_RESTS_SECONDS = 30.0
ITEM_RESTS_SECONDS = 900.0
MOST_ITEMS = 5_000


class Resting:
    """A place (a channel, a host) rests shortly; the one thing that was asked for rests longer each time,
    because it may be only that one's fault.
    """

    def __init__(self) -> None:
        self._places: dict[Hashable, float] = {}
        self._items: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._lock = threading.Lock()

    def rest(self, place: Hashable, item_id: int, error: Exception) -> None:
        """They did not answer: leave them alone, for as long as ``error`` asks, else a while."""
        now, asked = time.monotonic(), float(getattr(error, "retry_after_seconds", 0.0))
        with self._lock:
            before = self._failures.get(item_id, 0)
            self._failures[item_id] = before + 1
            self._places[place] = now + max(asked, PLACE_RESTS_SECONDS)
            self._items[item_id] = now + max(asked, ITEM_RESTS_SECONDS * 2.0 ** min(before, 6))

    def rests(self, place: Hashable, item_id: int) -> bool:
        """Whether the place rests; then this thing is left alone with it."""
        with self._lock:
            until = self._places.get(place, 0.0)
            if until <= time.monotonic():
                return False
            self._items[item_id] = max(until, self._items.get(item_id, 0.0))
            return True

    def items(self) -> list[int]:
        """The things that rest now."""
        now = time.monotonic()
        with self._lock:
            if len(self._items) > MOST_ITEMS:
                self._forget()
            self._places = {place: until for place, until in self._places.items() if until > now}
            self._items = {item: until for item, until in self._items.items() if until > now}
            return list(self._items)

    def forget(self) -> None:
        """Nothing rests any more."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._places.clear()
        self._items.clear()
        self._failures.clear()
