"""``heard up``: one small parent that starts web and worker, starts them again, and stops them cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from heard.config import options, processes

console = Console(stderr=True)
STOP_SECONDS = 8.0


@dataclass(slots=True)
class Child:
    """A process of this installation."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    not_before: float = 0.0

    def is_alive(self) -> bool:
        """True while its process runs."""
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Family:
    """Starts children, restarts the ones that die, stops all of them."""

    children: list[Child]
    environment: dict[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start all."""
        for child in self.children:
            self.begin(child)

    def begin(self, child: Child, *, after: int | None = None) -> None:
        """Start one of them; with ``after`` it loads, and waits for a word on this pipe."""
        environment = {**os.environ, **self.environment, "HEARD_PARENT": str(os.getpid())}
        pipes = () if after is None else (after,)
        if after is not None:
            environment[processes.AFTER] = str(after)
        # A session of its own: Ctrl-C reaches the parent only, which then stops them in order.
        child.process = subprocess.Popen(
            [sys.executable, "-m", *child.arguments],
            env=environment,
            start_new_session=True,
            pass_fds=pipes,
        )

    @contextlib.contextmanager
    def loading(self, child: Child) -> Iterator[None]:
        """A child loads while the block prepares what it needs, and goes on when the block is done.

        When the block fails all children end.
        """
        heard, said = os.pipe()
        try:
            self.begin(child, after=heard)
            yield
            os.write(said, b"1")
        except BaseException:
            self.end()
            raise
        finally:
            os.close(heard)
            os.close(said)

    def watch(self) -> None:
        """Until told to stop: whoever dies is started again, with growing pauses."""
        while not self.stop.wait(0.5):
            for child in self.children:
                if child.process is not None and child.process.poll() is not None:
                    child.failures += 1
                    child.not_before = time.monotonic() + min(30.0, 0.2 * 2.0**child.failures)
                    console.print(
                        f"[yellow]{child.name} stopped ({child.process.returncode}); starting it again.[/]"
                    )
                    child.process = None
                if child.process is None and child.not_before <= time.monotonic():
                    self.begin(child)

    def end(self) -> None:
        """Stop all, politely first."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def children(host: str, port: int) -> list[Child]:
    """The processes of an embedded installation."""
    return [
        Child("web", ["heard", "web", "--host", host, "--port", str(port)]),
        Child("worker", ["heard", "worker", "--streams"]),
    ]


def serve(family: Family) -> None:
    """Run a family until Ctrl-C or SIGTERM."""

    def ask(_number: int, _frame: object) -> None:
        family.stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    try:
        family.watch()
    finally:
        family.end()


def run(host: str, port: int) -> int:
    """``heard up``."""
    data = options.data_folder()
    url = _url(host, port)
    web, worker = children(host, port)
    family = Family([web, worker], {"HEARD_URL": os.environ.get("HEARD_URL", url)})
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    options.keep_address(url)
    with family.loading(web):
        setup = prepare_in_child()
    family.begin(worker)
    console.print(f"Heard serves [bold]{url}[/]   data: {data}")
    if setup:
        console.print(f"Set up your company: [bold]{url}{setup}[/]")
    console.print("Ctrl-C stops it.")
    serve(family)
    return 0


def prepare_in_child() -> str:
    """Migrate, collect static files, and make a set-up link where nobody is set up yet.

    In a process of its own, so that the parent stays small. Returns the link's path, or "".
    """
    done = subprocess.run(
        [sys.executable, "-m", "heard.config.first"],
        stdout=subprocess.PIPE,
        check=False,
        env=dict(os.environ),
    )
    if done.returncode:
        console.print("[red]The installation could not be prepared; the reason stands above.[/]")
        raise SystemExit(done.returncode)
    return done.stdout.decode().strip()


def _url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}"
