"""Start a server for a while: loopback, a free port, a scratch folder, an unprivileged user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 60.0
GRACE_SECONDS = 15.0
LOOPBACK = "127.0.0.1"


class Missing(Exception):
    """Something is not installed here. The sentence names it and says how to get it."""


class CouldNotStart(Exception):
    """The server is installed but did not come up; carries the end of its log."""


def free_port() -> int:
    """A loopback port nobody listens on now. It is not reserved: start again on another if it was taken."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Whether something accepts TCP connections on this loopback port."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


@dataclass(frozen=True, slots=True)
class RunAs:
    """Who a server runs as: ``name`` is ``None`` when we already are an ordinary user."""

    name: str | None

    def own(self, path: Path) -> None:
        if self.name is not None:
            shutil.chown(path, self.name, pwd.getpwnam(self.name).pw_gid)

    def prefix(self, dies_with_us_by: signal.Signals) -> list[str]:
        """Drop root's rights, and have the kernel signal the server should the test run be killed."""
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            if self.name is not None:
                raise Missing(
                    "setpriv (Debian: util-linux) is not installed: the server must not run as root"
                )
            return []
        command = [setpriv, "--pdeathsig", dies_with_us_by.name.removeprefix("SIG")]
        if self.name is not None:
            group = str(pwd.getpwnam(self.name).pw_gid)
            command += ["--reuid", self.name, "--regid", group, "--clear-groups"]
        return [*command, "--"]


def unprivileged(preferred: str) -> RunAs:
    """The server's own account where we are root and there is one, else nobody, else ourselves."""
    if os.geteuid() != 0:
        return RunAs(None)
    known = {entry.pw_name for entry in pwd.getpwall()}
    return RunAs(preferred if preferred in known else "nobody")


@contextlib.contextmanager
def scratch_folder(name: str, owner: RunAs | None = None) -> Iterator[Path]:
    """An empty folder owned by whom the server runs as; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"heard-{name}-"))
    try:
        (owner or RunAs(None)).own(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_once(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed; raises ``CouldNotStart`` when it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CouldNotStart(f"{command[-1]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    folder: Path,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
    owner: RunAs | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the foreground of its own session, from ready to gone.

    ``ready`` is asked every 50 ms. Output goes to ``folder/output.log``. Raises ``CouldNotStart`` with
    the end of that log when the process ends, or is not ready within ``patience_seconds``.
    """
    prefix = (owner or RunAs(None)).prefix(stop_with)
    log_path = folder / "output.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [*prefix, *command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until(ready, process, command, log_path, patience_seconds)
        yield process
    finally:
        stop(process, stop_with)


def _wait_until(
    ready: Callable[[], bool],
    process: subprocess.Popen[bytes],
    command: Sequence[str],
    log_path: Path,
    patience_seconds: float,
) -> None:
    deadline = time.monotonic() + patience_seconds
    while not ready():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            why = (
                f"ended with {process.returncode}" if ended else f"was not ready in {patience_seconds:.0f} s"
            )
            tail = log_path.read_text(errors="replace")[-2000:]
            raise CouldNotStart(f"{Path(command[0]).name} {why}; the end of its log:\n{tail}")
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes], stop_with: signal.Signals = signal.SIGTERM) -> None:
    """Ask politely, wait, then kill whatever of its session is left."""
    if process.poll() is None:
        process.send_signal(stop_with)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
