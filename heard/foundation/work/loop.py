"""The worker: sweeps due rows, wakes on hints, never lets one failing job stop the others.

Record jobs run one after the other in the main thread (on SQLite one writer, in short
transactions); network jobs run side by side in a thread pool, so a slow network delays nobody.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import close_old_connections, connections

from heard.foundation import clock, metrics
from heard.foundation.logging import logger
from heard.foundation.work.jobs import Job, Lane, Slice, jobs

log = logger(__name__)
SLICE_SECONDS = 20.0
PAUSE_AFTER_FAILURE_SECONDS = 5.0


@dataclass(slots=True)
class _Place:
    """When a job is looked at next, and how many of its slices are running."""

    job: Job
    next_at: float = 0.0
    running: int = 0
    hot: bool = False
    failed: bool = False


@dataclass(slots=True)
class Worker:
    """Runs all registered jobs until ``stop`` is set. ``awake`` is set by whoever has a hint."""

    network_threads: int = 8
    stop: threading.Event = field(default_factory=threading.Event)
    awake: threading.Event = field(default_factory=threading.Event)
    _places: dict[str, _Place] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Work until told to stop; then finish what is in hand."""
        self._places = {name: _Place(job) for name, job in jobs().items()}
        with ThreadPoolExecutor(self.network_threads, thread_name_prefix="network") as pool:
            while not self.stop.is_set():
                worked = self._turn(pool)
                if not worked:
                    self.awake.wait(self._idle_seconds())
                    if self.awake.is_set():
                        self.awake.clear()
                        self._everything_is_due()

    def hint(self) -> None:
        """Something may be due: look now."""
        self.awake.set()

    def _everything_is_due(self) -> None:
        with self._lock:
            for place in self._places.values():
                # A job that just failed keeps its pause: a hint is no reason to spin.
                if not place.failed:
                    place.next_at = 0.0

    def _idle_seconds(self) -> float:
        with self._lock:
            due = min((place.next_at for place in self._places.values()), default=0.0)
        return min(1.0, max(0.01, due - time.monotonic()))

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Look at every job that is due; true when something was done here."""
        worked = False
        for place in list(self._places.values()):
            if self.stop.is_set():
                break
            if place.next_at > time.monotonic():
                continue
            if place.job.lane is Lane.RECORD:
                done = self._slice(place.job)
                self._note(place, done)
                worked = worked or done > 0
            else:
                self._start(pool, place)
        return worked

    def _start(self, pool: ThreadPoolExecutor, place: _Place) -> None:
        """One look, or as many as may run side by side where the last one found something."""
        with self._lock:
            free = place.job.copies - place.running
            count = max(0, free if place.hot else min(free, 1))
            place.next_at = time.monotonic() + place.job.sweep_seconds
            place.running += count
        for _ in range(count):
            pool.submit(self._network_slice, place).add_done_callback(self._note_death)

    def _network_slice(self, place: _Place) -> None:
        done = -1
        try:
            done = self._slice(place.job)
        finally:
            with self._lock:
                place.running -= 1
        self._note(place, done)
        if done > 0:
            self.awake.set()

    def _note(self, place: _Place, done: int) -> None:
        """Something was done: look again at once. Nothing: after the sweep. Failed: after a pause."""
        with self._lock:
            place.hot, place.failed = done > 0, done < 0
            if done > 0:
                place.next_at = 0.0
            else:
                pause = place.job.sweep_seconds if done == 0 else PAUSE_AFTER_FAILURE_SECONDS
                place.next_at = time.monotonic() + pause

    @staticmethod
    def _note_death(future: Future[None]) -> None:
        if future.exception() is not None:
            log.error("network_slice_died", error=repr(future.exception()))

    def _slice(self, job: Job) -> int:
        """One slice; -1 when it failed. The work edge: whatever goes wrong is logged and swept again."""
        now = clock.now()
        turn = Slice(now, job.limit, now + timedelta(seconds=SLICE_SECONDS), self.stop)
        try:
            with metrics.JOB_SECONDS.labels(job=job.name).time():
                return job.run(turn)
        except Exception:
            log.exception("job_failed", job=job.name)
            metrics.JOB_FAILURES.labels(job=job.name).inc()
            _drop_broken_connections()
            return -1
        finally:
            close_old_connections()


def _drop_broken_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def drain(*, most_rounds: int = 200) -> int:
    """Run all jobs in this thread until nothing is due. For tests, imports and ``--once``."""
    total = 0
    for _ in range(most_rounds):
        done = 0
        for job in jobs().values():
            now = clock.now()
            done += job.run(Slice(now, job.limit, now + timedelta(seconds=SLICE_SECONDS)))
        total += done
        if not done:
            return total
    return total
