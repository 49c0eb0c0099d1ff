"""A network that pushes: it repeats a delivery until it has seen a 200, and never after.

What it pushes stands nowhere else: no poll and no stream brings it a second time. So what was acknowledged
and then forgotten is missed at the end.
"""

from __future__ import annotations

import hmac
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from .customers import MATTERS
from .installation import Installation

BRAND = "harbour"
"""The account that is only pushed to; nobody may answer there, because the Sandbox knows none of it."""
SECRET = "the network's and ours"
LINES = 4
"""So many deliveries may be under way at the same moment."""
BURST_SECONDS = 0.3
TIMEOUT_SECONDS = 10.0
AGAIN_SECONDS = 0.1
GIVE_UP_SECONDS = 120.0


class NeverAcknowledged(Exception):
    """A delivery was not taken within the network's patience."""


@dataclass(slots=True)
class Pushed:
    """What was pushed: all messages with their texts, and those whose delivery was answered with 200."""

    given: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    repeats: int = 0


@dataclass(slots=True)
class Pusher:
    """Pushes ``deliveries`` of one to three messages within ``seconds``, and as fast as it can in a burst."""

    installation: Installation
    rng: random.Random
    deliveries: int
    seconds: float
    pushed: Pushed = field(default_factory=Pushed)
    stop: threading.Event = field(default_factory=threading.Event)
    _numbers: count[int] = field(default_factory=count)
    _begun: int = 0
    _began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hurry: threading.Event = field(default_factory=threading.Event)
    _burst_until: float = 0.0

    def burst(self) -> None:
        """For a moment every line pushes without a pause: whoever is killed now is killed at it."""
        self._burst_until = time.monotonic() + BURST_SECONDS
        self._hurry.set()

    def run(self) -> None:
        """One line; ``LINES`` of them push at the same time, each in a thread of its own."""
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            while not self.stop.is_set() and time.monotonic() - self._began < self.seconds:
                body = self._next()
                if body is None:
                    self._hurry.wait(0.1)
                else:
                    self._deliver(client, *body)

    def _next(self) -> tuple[dict[str, str], bytes] | None:
        """The next delivery when it is time for one: {message: its text} and the body."""
        with self._lock:
            now = time.monotonic()
            if now >= self._burst_until:
                self._hurry.clear()
                if self._begun >= (now - self._began) / self.seconds * self.deliveries:
                    return None
            self._begun += 1
            posts = [self._post(next(self._numbers)) for _ in range(self.rng.randint(1, 3))]
            texts = {str(post["id"]): str(post["text"]) for post in posts}
            self.pushed.given |= texts
        events = [{"type": "post.created", "post": post} for post in posts]
        return texts, json.dumps({"events": events}).encode()

    def _post(self, number: int) -> dict[str, Any]:
        person = self.rng.randrange(max(10, self.deliveries // 2))
        post = {
            "id": f"pushed-{number}",
            "author": {"id": f"far{person}", "handle": f"far{person}", "name": f"Far {person}"},
            "text": f"{self.rng.choice(MATTERS)} (pushed {number})",
            "created_at": datetime.now(UTC).isoformat(),
            "version": 1,
        }
        if self.rng.random() < 0.5:
            return {**post, "visibility": "private", "thread": f"far-{person}"}
        account = self.installation.accounts[BRAND]["id"]
        return {**post, "visibility": "public", "mentions": [{"id": account, "handle": BRAND}]}

    def _deliver(self, client: httpx.Client, texts: dict[str, str], body: bytes) -> None:
        """Again and again until it is taken."""
        url = f"{self.installation.url}/hooks/{self.installation.company['hooks'][BRAND]}"
        signature = "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "X-Sandbox-Signature": signature}
        until = time.monotonic() + GIVE_UP_SECONDS
        while not _is_taken(client, url, headers, body):
            if time.monotonic() > until:
                raise NeverAcknowledged(f"{sorted(texts)} not within {GIVE_UP_SECONDS:.0f} s")
            with self._lock:
                self.pushed.repeats += 1
            time.sleep(AGAIN_SECONDS)
        with self._lock:
            self.pushed.acknowledged |= set(texts)


def _is_taken(client: httpx.Client, url: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a 200 was seen. Its first line is enough: who dies while saying "OK" has said it."""
    taken = False
    try:
        with client.stream("POST", url, headers=headers, content=body) as answer:
            taken = answer.status_code == 200
            answer.read()
    except httpx.TransportError:
        pass
    return taken
