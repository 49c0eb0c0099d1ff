"""Celery on RabbitMQ: it carries hints and runs slices of under a minute; the rows stay the truth.

``heard worker`` with a broker set runs a Celery consumer beside its own sweeping loop. The
broker may be empty, slow or stopped: hints are sent from a thread of their own and dropped when they
cannot go out at once, and every worker sweeps due rows itself.
"""

from __future__ import annotations

import queue
import threading
from datetime import timedelta

from celery import Celery
from kombu.exceptions import OperationalError

from heard.config import options
from heard.foundation import clock
from heard.foundation.logging import logger
from heard.foundation.work import Slice, jobs
from heard.foundation.work.hints import install_sender
from heard.foundation.work.loop import Worker

log = logger(__name__)
QUEUE = "heard.hints"
SLICE_SECONDS = 45.0
HINT_LIVES_SECONDS = 10
PAUSE_WITHOUT_BROKER_SECONDS = 2.0
SLICES_AT_ONCE = 4


def make_app() -> Celery:
    """The Celery application of this process."""
    app = Celery("heard", broker=options.BROKER_URL.value)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_acks_late=False,  # a lost hint costs a sweep, a repeated one costs a look
        task_time_limit=60,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"confirm_publish": False},
        broker_connection_timeout=1.0,
    )
    app.task(name="heard.slice")(run_slice)
    return app


def run_slice(job_name: str) -> int:
    """One slice of a job, in whatever worker got the hint."""
    job = jobs().get(job_name)
    if job is None:
        return 0
    now = clock.now()
    return job.run(Slice(now, job.limit, now + timedelta(seconds=SLICE_SECONDS)))


class HintSender(threading.Thread):
    """Publishes hints in the background. Nobody ever waits for the broker."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="hints", daemon=True)
        self._app = app
        self._names: queue.Queue[str] = queue.Queue(maxsize=1000)

    def send(self, name: str) -> None:
        """Queue a hint, or drop it when too many wait."""
        try:
            self._names.put_nowait(name)
        except queue.Full:
            return

    def run(self) -> None:
        """Publish queued hints, several alike as one; pause while the broker is away."""
        while True:
            names = {self._names.get()}
            while not self._names.empty():
                names.add(self._names.get_nowait())
            try:
                for name in names:
                    self._app.send_task("heard.slice", args=[name], expires=HINT_LIVES_SECONDS, retry=False)
            except (OperationalError, OSError) as error:
                log.info("hint_not_sent", error=type(error).__name__)
                threading.Event().wait(PAUSE_WITHOUT_BROKER_SECONDS)


def install() -> None:
    """Send this process's hints through the broker."""
    sender = HintSender(make_app())
    sender.start()
    install_sender(sender.send)


def work(worker: Worker) -> None:
    """Run a Celery consumer in this thread and the sweeping loop beside it, until told to stop.

    Celery owns the signals: its warm shutdown finishes the slices in hand, then the loop is stopped.
    While the broker is away Celery reconnects for ever and the loop goes on sweeping.
    """
    loop = threading.Thread(target=worker.run, name="sweep")
    loop.start()
    try:
        make_app().worker_main(
            [
                "worker",
                "--pool=threads",
                f"--concurrency={SLICES_AT_ONCE}",
                "--without-gossip",
                "--without-mingle",
                "--loglevel=WARNING",
                f"--queues={QUEUE}",
            ]
        )
    finally:
        worker.stop.set()
        worker.awake.set()
        loop.join()
