"""``heard up``: one small parent that starts web and worker, starts them again, and stops them cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Self

from rich.console import Console

from heard.config import options, processes

console = Console(stderr=True)
START_SECONDS = 60.0
STOP_SECONDS = 8.0
LOOK_SECONDS = 0.5


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
    """Starts children, restarts the ones that die, stops all of them.

    Used as a context: from its first line Ctrl-C and SIGTERM set ``stop``, whatever is being done then,
    and at its end nothing of it runs.
    """

    children: list[Child]
    environment: dict[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked_to_stop)
        return self

    def __exit__(self, *_failure: object) -> None:
        self.end()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop.set()

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

        When the block fails the child leaves by itself.
        """
        heard, said = os.pipe()
        try:
            self.begin(child, after=heard)
            yield
            os.write(said, b"1")
        finally:
            os.close(heard)
            os.close(said)

    def prepare(self, module: str) -> str:
        """Run a module in a process of its own, so that the parent stays small; what it printed.

        Raises SystemExit with its code when it fails, with 0 when we are asked to stop meanwhile.
        """
        preparing = subprocess.Popen(
            [sys.executable, "-m", module],
            stdout=subprocess.PIPE,
            # Ctrl-C reaches the parent only, here too.
            start_new_session=True,
        )
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                printed = preparing.communicate(timeout=LOOK_SECONDS)[0]
                break
            if self.stop.is_set():
                preparing.terminate()
                preparing.communicate()
                raise SystemExit(0)
        if preparing.returncode:
            console.print("[red]The installation could not be prepared; the reason stands above.[/]")
            raise SystemExit(preparing.returncode)
        return printed.decode().strip()

    def comes_up(self, child: Child, is_ready: Callable[[], bool]) -> bool:
        """Wait until a child is ready; False when it dies or takes too long.

        Raises SystemExit with 0 when we are asked to stop meanwhile.
        """
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and child.is_alive():
            if is_ready():
                return True
            if self.stop.wait(0.05):
                raise SystemExit(0)
        return False

    def watch(self) -> None:
        """Until asked to stop: whoever dies is started again, with growing pauses."""
        while not self.stop.wait(LOOK_SECONDS):
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


def run(host: str, port: int) -> int:
    """``heard up``."""
    data = options.data_folder()
    url = _url(host, port)
    web, worker = children(host, port)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    options.keep_address(url)
    with Family([web, worker], {"HEARD_URL": os.environ.get("HEARD_URL", url)}) as family:
        with family.loading(web):
            setup = family.prepare("heard.config.first")
        family.begin(worker)
        console.print(f"Heard serves [bold]{url}[/]   data: {data}")
        if setup:
            console.print(f"Set up your company: [bold]{url}{setup}[/]")
        console.print("Ctrl-C stops it.")
        family.watch()
    return 0


def _url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}"
