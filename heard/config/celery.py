"""Celery on RabbitMQ: it carries hints and runs slices of under a minute; the rows stay the truth.

``heard worker`` with a broker set runs a Celery consumer in a thread beside its own sweeping loop. The
broker may be empty, slow or stopped: hints are sent from a thread of their own and dropped when they
cannot go out at once, and every worker sweeps due rows itself. The loop has the main thread and the
signals: it works, and stops, whatever becomes of the consumer.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.worker import WorkController, state
from django.db import close_old_connections
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
LEAVE_SECONDS = 6.0

_stop = threading.Event()


def make_app() -> Celery:
    """The Celery application of this process."""
    app = Celery("heard", broker=options.BROKER_URL.value, set_as_current=False, fixups=[])
    app.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_acks_late=False,  # a lost hint costs a sweep, a repeated one costs a look
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,  # nobody controls it: one queue less to be locked out of
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"confirm_publish": False},
        broker_connection_timeout=1.0,
        broker_heartbeat=20,
    )
    app.task(name="heard.slice")(run_slice)
    return app


def run_slice(job_name: str) -> int:
    """One slice of a job, in whatever worker got the hint."""
    job = jobs().get(job_name)
    if job is None or _stop.is_set():
        return 0
    now = clock.now()
    try:
        return job.run(Slice(now, job.limit, now + timedelta(seconds=SLICE_SECONDS), _stop))
    finally:
        close_old_connections()


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
        line = self._app.connection_for_write()
        away: tuple[type[BaseException], ...] = (
            OperationalError,
            OSError,
            *line.connection_errors,
            *line.channel_errors,
        )
        while True:
            names = {self._names.get()}
            while not self._names.empty():
                names.add(self._names.get_nowait())
            try:
                for name in names:
                    self._publish(name)
            except away as error:
                log.info("hint_not_sent", error=type(error).__name__)
                threading.Event().wait(PAUSE_WITHOUT_BROKER_SECONDS)

    def _publish(self, name: str) -> None:
        # One more try, at once: after the broker was away it is what opens the line again.
        policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
        self._app.send_task(
            "heard.slice", args=[name], expires=HINT_LIVES_SECONDS, retry=True, retry_policy=policy
        )


def install() -> None:
    """Send this process's hints through the broker."""
    sender = HintSender(make_app())
    sender.start()
    install_sender(sender.send)


def _consume(app: Celery) -> None:
    """Take hints until told to stop; whatever ends the consumer, another takes its place."""
    logging.getLogger("celery").setLevel(logging.WARNING)  # two lines per hint are no news
    while not _stop.is_set():
        consumer: Any = WorkController(
            app=app,
            hostname=f"heard-{os.getpid()}@{socket.gethostname()}",
            pool_cls="threads",
            concurrency=SLICES_AT_ONCE,
            loglevel="WARNING",
            queues=[QUEUE],
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        )
        try:
            consumer.start()
        except SystemExit:  # Celery's word for "it is over", also in a thread
            log.warning("consumer_ended")
        if not _stop.is_set():
            _stop.wait(PAUSE_WITHOUT_BROKER_SECONDS)


def work(worker: Worker) -> None:
    """Run the sweeping loop in this thread and a Celery consumer beside it, until told to stop.

    While the broker is away Celery reconnects for ever and the loop goes on sweeping. At the end the slices
    in hand are finished, for at most ``LEAVE_SECONDS``; what is not, runs again after its lease.
    """
    consumer = threading.Thread(target=_consume, args=(make_app(),), name="consumer", daemon=True)
    consumer.start()
    try:
        worker.run()
    finally:
        _stop.set()
        state.should_stop = 0  # type: ignore[assignment]  # an exit status, its stub says None; Celery's consumer looks at it every second
        consumer.join(LEAVE_SECONDS)
