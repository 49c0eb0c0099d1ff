"""The processes of an installation: web, worker, stream, and ``up``, which runs them on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from heard.config import options
from heard.foundation.logging import logger

log = logger(__name__)


AFTER = "HEARD_AFTER"
"""Names the pipe on which a child of ``heard up`` hears that the databases are prepared."""


def until_prepared() -> None:
    """Wait for the parent's word, where it prepares the databases while we load; leave if none comes."""
    pipe = os.environ.pop(AFTER, "")
    if pipe:
        with os.fdopen(int(pipe), "rb") as line:
            if not line.read(1):
                raise SystemExit(1)


def _on_stop(stop: Callable[[], None]) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def web(host: str, port: int) -> None:
    """Serve pages, hooks and live streams until told to stop, in this one process."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    from heard.config import startup
    from heard.config.asgi import application

    server = Server(
        application(),
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
        backlog=1024,
        runtime_threads=1,
    )

    startup.settle()
    until_prepared()
    leave_with_parent()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        await server.serve()

    log.info("web_serves", host=host, port=port)
    asyncio.run(serve())
    # Streams of open pages would keep the interpreter waiting for their threads.
    os._exit(0)


def serve_metrics(host: str, port: int | None) -> None:
    """Show this process's numbers to Prometheus, for processes that serve no pages."""
    from heard.foundation import metrics

    if port is not None:
        server = metrics.serve(port, host)
        log.info("metrics_served", host=host, port=server.server_port)


def worker(*, with_streams: bool) -> None:
    """Do the work until told to stop."""
    from heard.config import startup, wakeups
    from heard.domains.channels import actions as channels
    from heard.foundation.db import is_postgres
    from heard.foundation.work.loop import Worker

    found = Worker(network_threads=options.NETWORK_THREADS.number)

    def leave() -> None:
        found.stop.set()
        found.awake.set()

    _on_stop(leave)
    leave_with_parent()
    if not is_postgres():
        channels.take_over()
    wakeups.listen(found)
    threads: list[threading.Thread] = []
    if with_streams:
        threads.append(threading.Thread(target=streams, args=(found.stop,), name="streams", daemon=True))
        threads[-1].start()
    startup.settle()
    log.info("worker_works", streams=with_streams)
    if options.BROKER_URL.value:
        from heard.config import celery

        celery.work(found)
    else:
        found.run()
    for thread in threads:
        thread.join(timeout=3)
    os._exit(0)


def stream() -> None:
    """Hold the lines of networks that have them open, until told to stop."""
    stop = threading.Event()
    _on_stop(stop.set)
    leave_with_parent()
    log.info("stream_listens")
    streams(stop)
    os._exit(0)


def streams(stop: threading.Event) -> None:
    """The stream keeper of this process."""
    from heard.domains.channels.actions import StreamKeeper

    StreamKeeper(stop).run()


def leave_with_parent() -> None:
    """A child of ``heard up`` must not outlive it, not even after kill -9."""
    parent = os.environ.get("HEARD_PARENT", "")
    if not parent:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def is_ready(url: str) -> bool:
    """True when the web process at this address answers its readiness probe."""
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=1.0).status_code == 200
    return False
