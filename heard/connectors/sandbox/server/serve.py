"""Starting a Sandbox: one process, one event loop, one file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import structlog
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.routing import Route

from . import api, control, square
from .bell import Bell
from .faults import Faults
from .options import Options
from .push import Pusher, stop
from .running import Allowance, Running
from .store import Store
from .world import Pace, World

TICK_SECONDS = 0.5
#: After a pause (a laptop asleep) people do not say everything at once that they would have said.
LONGEST_TICK_SECONDS = 5.0
log = structlog.get_logger(__name__)


class Taken(OSError):
    """The port is in use, or the file is served by another Sandbox."""


def free_port(host: str) -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def build(options: Options, now: Callable[[], float] = time.time) -> tuple[Running, Starlette]:
    """The parts of a Sandbox and its application, ready to be served (or to be asked in a test)."""
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.touch(mode=0o600)  # tokens are in it
    store = Store(options.file)
    shown_host = "localhost" if options.host in ("", "0.0.0.0", "::") else options.host  # noqa: S104
    base_url = f"http://{shown_host}:{options.port}"
    with store.writing():
        control_token = options.control_token or store.setting("control_token") or secrets.token_urlsafe(24)
        store.keep("control_token", control_token)
        store.add_account(options.brand_handle, options.brand_name, "brand", now=now())
    pace = Pace(options.pace, options.speed, options.quiet)
    running = Running(
        options=options,
        store=store,
        world=World(store, base_url, pace, seed=options.seed, now=now),
        bell=Bell(),
        client=httpx.AsyncClient(follow_redirects=False, trust_env=False),
        base_url=base_url,
        control_token=control_token,
        allowance=Allowance(options.rate_limit),
        now=now,
    )
    return running, _application(running)


def _application(running: Running) -> Starlette:
    network = Starlette(routes=api.routes(running))
    faults = Faults(network, running.store)
    routes: list[Route] = [*control.routes(running, faults), *square.routes(running)]
    application = Starlette(routes=routes)
    application.mount("", faults)
    return application


async def _live(running: Running) -> None:
    """The people's clock, for ever; cancelled at the end."""
    last = running.now()
    while True:
        await asyncio.sleep(TICK_SECONDS)
        now = running.now()
        if running.world.tick(min(LONGEST_TICK_SECONDS, max(0.0, now - last))):
            running.bell.ring()
        last = now


@contextlib.asynccontextmanager
async def _background(running: Running) -> AsyncIterator[None]:
    pusher = Pusher(running.store, running.bell, running.client, running.now)
    tasks = [asyncio.create_task(_live(running)), asyncio.create_task(pusher.run())]
    for task in tasks:
        task.add_done_callback(_report)
    try:
        yield
    finally:
        running.stopping = True
        running.bell.ring()
        for task in tasks:
            await stop(task)
        await running.client.aclose()
        running.store.close()


def _report(task: asyncio.Task[None]) -> None:
    """A background task that fell over must be heard of; the network itself goes on answering."""
    if not task.cancelled() and task.exception() is not None:
        log.error("sandbox_task_ended", error=repr(task.exception()))


async def serve_forever(options: Options, stop_event: threading.Event | None = None) -> None:
    """Serve until ``stop_event`` is set or a signal comes; raises ``Taken``."""
    if not options.port:
        options = replace(options, port=free_port(options.host))
    _check_free(options)
    with _only_one(options.file):
        running, application = build(options)
        server = Server(
            application,
            address=options.host,
            port=options.port,
            interface=Interfaces.ASGINL,
            websockets=False,
            log_enabled=False,
        )
        ended = asyncio.Event()
        _listen_for_signals(ended)
        async with _background(running):
            serving = asyncio.create_task(server.serve())
            watching = asyncio.create_task(_watch(stop_event, ended))
            write_state(running)
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            running.stopping = True
            running.bell.ring()
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.gather(serving, stop(watching))


async def _watch(stop_event: threading.Event | None, ended: asyncio.Event) -> None:
    while not ended.is_set():
        if stop_event is not None and stop_event.is_set():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 0.2 if stop_event is not None else None)


def _listen_for_signals(ended: asyncio.Event) -> None:
    """Only the main thread of a process is sent signals."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)


def _check_free(options: Options) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            raise Taken(f"Port {options.port} is in use.") from error


@contextlib.contextmanager
def _only_one(file: Path) -> Iterator[None]:
    """Hold a lock beside the file; the system lets go of it when a process dies."""
    import fcntl

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(file.suffix + ".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Taken(f"{file.name} is served by another Sandbox.") from error
        yield


def write_state(running: Running) -> None:
    """Tell commands and the demo where we are: ``url``, ``control_token``, ``brand_token``; owner only."""
    path = running.options.state_file
    if path is None:
        return
    brand = running.store.account_by("handle", running.options.brand_handle)
    state = {
        "url": running.base_url,
        "control_token": running.control_token,
        "brand_token": brand.token if brand else "",
        "brand": running.options.brand_handle,
        "pid": os.getpid(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(state, file)
    draft.replace(path)


def serve(options: Options, stop_event: threading.Event | None = None) -> None:
    """Serve a Sandbox and block until it is stopped; raises ``Taken``."""
    asyncio.run(serve_forever(options, stop_event))
