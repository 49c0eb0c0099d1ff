"""How a worker notices that something is due, sooner than its own sweep.

Embedded: ``PRAGMA data_version`` of both files. PostgreSQL without a broker: LISTEN. With a broker:
Celery carries the hints (``heard.config.celery``). All of them may fail; the sweep finds the rows.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from heard.config import options
from heard.foundation.db import is_postgres
from heard.foundation.logging import logger
from heard.foundation.work.hints import install_sender
from heard.foundation.work.loop import Worker

log = logger(__name__)
LOOK_SECONDS = 0.05
RECONNECT_SECONDS = 2.0


def listen(worker: Worker) -> None:
    """Start the thread that wakes this worker."""
    target = _listen_postgres if is_postgres() else _look_sqlite
    threading.Thread(target=_keep, args=(target, worker), name="wakeups", daemon=True).start()


def _keep(target: Any, worker: Worker) -> None:
    while not worker.stop.is_set():
        try:
            target(worker)
        except DatabaseError:
            log.warning("wakeups_lost_database")
            close_old_connections()
            worker.stop.wait(RECONNECT_SECONDS)


def _look_sqlite(worker: Worker) -> None:
    for alias in connections:
        connections[alias].ensure_connection()
    # sqlite3's own connections: forty looks a second, and Django's cursors would cost more than the look.
    lines: list[Any] = [connections[alias].connection for alias in connections]
    last: list[int | None] = [None for _ in lines]
    while not worker.stop.wait(LOOK_SECONDS):
        for place, line in enumerate(lines):
            with connections["default"].wrap_database_errors:
                version = line.execute("PRAGMA data_version").fetchone()[0]
            if version != last[place]:
                last[place] = version
                worker.hint()


def _listen_postgres(worker: Worker) -> None:
    connection = connections["default"]
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.execute("LISTEN heard_due")
    raw.execute("LISTEN heard_sealed")
    while not worker.stop.is_set():
        for _ in raw.notifies(timeout=1.0):
            worker.hint()


class Notifier(threading.Thread):
    """Sends hints by NOTIFY from a thread of its own: nobody waits, and a full queue drops them."""

    def __init__(self) -> None:
        super().__init__(name="hints", daemon=True)
        self._names: queue.Queue[str] = queue.Queue(maxsize=1000)

    def send(self, name: str) -> None:
        """Queue a hint; dropped when too many wait, the sweep finds the rows."""
        try:
            self._names.put_nowait(name)
        except queue.Full:
            return

    def run(self) -> None:
        """Send queued hints, several alike as one."""
        while True:
            names = {self._names.get()}
            while not self._names.empty():
                names.add(self._names.get_nowait())
            try:
                with connections["default"].cursor() as cursor:
                    for name in names:
                        cursor.execute("SELECT pg_notify('heard_due', %s)", [name])
            except DatabaseError:
                close_old_connections()


def install_hints() -> None:
    """Choose how this process sends hints."""
    if not is_postgres():
        return
    if options.BROKER_URL.value:
        from heard.config.celery import install

        install()
        return
    notifier = Notifier()
    notifier.start()
    install_sender(notifier.send)
