"""The live tail: one per process watches the sealed journal, open pages are told what changed.

Only positions, rooms and ids of cases that the reader may see travel; a page then asks for what it
shows, as itself, so nothing is ever pushed that its reader may not see. SQLite is watched by ``PRAGMA
data_version`` (14 µs a look), PostgreSQL by LISTEN.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from heard.domains.inbox import queries as inbox
from heard.domains.journal import queries as journal
from heard.domains.journal.facts import Sealed
from heard.foundation.db import is_postgres
from heard.foundation.logging import logger
from heard.foundation.tenancy import Actor

log = logger(__name__)
LOOK_SECONDS = 0.05
GATHER_SECONDS = 0.1  # at most ten messages a second
RECONNECT_SECONDS = 2.0


@dataclass(slots=True, eq=False)
class Subscriber:
    """One open page's stream."""

    organization_id: int
    loop: asyncio.AbstractEventLoop
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Tail(threading.Thread):
    """Watches for commits, reads new sealed positions for organizations that have open pages."""

    def __init__(self) -> None:
        super().__init__(name="live-tail", daemon=True)
        self._subscribers: set[Subscriber] = set()
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell this page from now on."""
        with self._lock:
            self._subscribers.add(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """The page has gone."""
        with self._lock:
            self._subscribers.discard(subscriber)

    def run(self) -> None:
        """Watch until the process ends; a lost database is waited for."""
        while not self.stopping.is_set():
            try:
                if is_postgres():
                    self._listen()
                else:
                    self._look()
            except DatabaseError:
                log.warning("live_tail_lost_database")
                close_old_connections()
                self.stopping.wait(RECONNECT_SECONDS)
        connections.close_all()  # this thread ends

    def _tell(self, organization_id: int | None = None) -> None:
        with self._lock:
            told = [
                subscriber
                for subscriber in self._subscribers
                if organization_id is None or subscriber.organization_id == organization_id
            ]
        for subscriber in told:
            with contextlib.suppress(RuntimeError):  # its loop has ended with the server
                subscriber.loop.call_soon_threadsafe(subscriber.news.set)

    def _look(self) -> None:
        connection = connections["default"]
        with connection.cursor() as cursor:
            last = None
            while not self.stopping.wait(LOOK_SECONDS):
                cursor.execute("PRAGMA data_version")
                version = cursor.fetchone()[0]
                if version != last:
                    last = version
                    self._tell()

    def _listen(self) -> None:
        connection = connections["default"]
        connection.ensure_connection()
        raw: Any = connection.connection
        raw.execute("LISTEN heard_sealed")
        while not self.stopping.is_set():
            for note in raw.notifies(timeout=1.0):
                organization, _, _ = note.payload.partition(":")
                self._tell(int(organization))


_tail: list[Tail] = []


def tail() -> Tail:
    """This process's tail, started at first use."""
    if not _tail:
        _tail.append(Tail())
        _tail[0].start()
    return _tail[0]


async def changes(actor: Actor, position: int) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """(position, what changed that this actor may see) from a position on; an empty mapping is a sign of
    life every 15 s.

    ``{"cases": [ids], "list": bool, "rooms": [names]}``; after a gap longer than the replay buffer
    ``{"all": true}``: refetch everything.
    """
    subscriber = Subscriber(actor.organization_id, asyncio.get_running_loop())
    tail().subscribe(subscriber)
    try:
        last_word = time.monotonic()
        while True:
            found = await asyncio.to_thread(_read, actor, position)
            if found:
                position = found[0]
                last_word = time.monotonic()
                yield found
                await asyncio.sleep(GATHER_SECONDS)
                continue
            try:
                await asyncio.wait_for(
                    subscriber.news.wait(), timeout=max(0.1, 15 - (time.monotonic() - last_word))
                )
            except TimeoutError:
                last_word = time.monotonic()
                yield position, {}
            subscriber.news.clear()
    finally:
        tail().unsubscribe(subscriber)


REPLAY = 1000


def _read(actor: Actor, position: int) -> tuple[int, dict[str, Any]] | None:
    organization_id = actor.organization_id
    try:
        end = journal.end_of(organization_id)
        if end <= position:
            return None
        if end - position > REPLAY:
            return end, {"all": True}
        sealed = journal.sealed_after(organization_id, position, REPLAY)
        return sealed[-1].position, _told(actor, sealed)
    finally:
        close_old_connections()


def _told(actor: Actor, sealed: Sequence[Sealed]) -> dict[str, Any]:
    cases: set[int] = set()
    conversations: set[int] = set()
    rooms: set[str] = set()
    for fact in sealed:
        rooms.add(fact.kind.partition(".")[0])
        cases.update(
            number for number in [fact.data.get("case_id"), *fact.data.get("case_ids", ())] if number
        )
        conversations.update(
            number
            for number in [fact.data.get("conversation_id"), *fact.data.get("conversation_ids", ())]
            if number
        )
    if conversations:
        cases.update(inbox.case_ids_of(actor.organization_id, conversations))
    cases = inbox.visible_among(actor, cases)
    return {"cases": sorted(cases), "list": bool(cases), "rooms": sorted(rooms)}
