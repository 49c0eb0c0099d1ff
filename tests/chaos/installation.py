"""A real installation for a while: a Sandbox and Heard's processes, which can be killed and started again.

Every process runs in a session of its own, dies with the harness (also when that is killed), and writes to a
log in the scratch folder. Only the main thread starts processes: the kernel's "die with your parent" looks
at the thread that started them.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.servers.process import LOOPBACK, RunAs, answers, free_port, scratch_folder

PATIENCE_SECONDS = 90.0
STOP_SECONDS = 15.0
ROOT = Path(__file__).resolve().parents[2]


class DidNotStart(Exception):
    """A process of the installation did not come up; carries the end of its log."""


@dataclass(slots=True)
class Part:
    """One process that can be killed and started again; ``port`` is where it answers, 0 for nowhere."""

    name: str
    command: list[str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Installation:
    """Sandbox and Heard on one machine, embedded or on the servers that are given."""

    folder: Path
    settings: dict[str, str]
    parts: dict[str, Part] = field(default_factory=dict)
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    company: dict[str, Any] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)  # on the Sandbox, by brand

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.parts['web'].port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{LOOPBACK}:{self.parts['link'].port}"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
        return {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "HEARD_DATA": str(self.folder / "data"),
            "HEARD_URL": self.url,
            "HEARD_ALLOW_ADDRESSES": f"{LOOPBACK}:{self.parts['link'].port}",
            "HEARD_LOG_LEVEL": "INFO",
            "HEARD_LOG_FORMAT": "json",
            "HEARD_PARENT": str(os.getpid()),
            **self.settings,
        }

    def log_of(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, name: str, *, wait: bool = False) -> None:
        """Start a part that is not running; ``wait`` until it answers where it has a port."""
        part = self.parts[name]
        if part.is_alive:
            return
        with self.log_of(name).open("ab") as log:
            part.process = subprocess.Popen(
                [*RunAs(None).prefix(signal.SIGKILL), sys.executable, "-m", *part.command],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        if wait:
            self.wait_for(name)

    def wait_for(self, name: str) -> None:
        part = self.parts[name]
        until = time.monotonic() + PATIENCE_SECONDS
        while part.port and not answers(part.port):
            if not part.is_alive or time.monotonic() > until:
                raise DidNotStart(f"{name}:\n{self.log_of(name).read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """Signal 9, to the whole session: nothing gets to say goodbye."""
        part = self.parts[name]
        if part.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.process.pid, signal.SIGKILL)
        part.process.wait()
        part.process = None
        part.kills += 1

    def ask_to_stop(self, name: str, seconds: float = STOP_SECONDS) -> float:
        """SIGTERM; how many seconds it took to leave. Raises ``subprocess.TimeoutExpired`` when it stays."""
        part = self.parts[name]
        if part.process is None:
            return 0.0
        began = time.monotonic()
        part.process.send_signal(signal.SIGTERM)
        part.process.wait(seconds)
        part.process = None
        return time.monotonic() - began

    def end(self) -> None:
        for name in self.parts:
            self.kill(name)

    def run(self, *command: str, timeout_seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run one of the installation's commands to its end."""
        return subprocess.run(
            [*RunAs(None).prefix(signal.SIGKILL), sys.executable, "-m", *command],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=timeout_seconds, check=False,
        )  # fmt: skip

    def found_company(
        self, lines: Mapping[str, Mapping[str, Any]], name: str = "Northbridge"
    ) -> dict[str, Any]:
        """Databases, an organization with its people, and a channel for each line (brand: settings)."""
        for brand in lines:
            self.accounts[brand] = self.control("POST", "accounts", {"handle": brand, "kind": "brand"})
        asked = {
            brand: {"address": self.sandbox_url, "token": self.accounts[brand]["token"], **settings}
            for brand, settings in lines.items()
        }
        (self.folder / "lines.json").write_text(json.dumps(asked))
        done = self.run("tests.chaos.company", str(self.folder / "lines.json"), name)
        if done.returncode:
            raise DidNotStart(f"company:\n{done.stdout}{done.stderr}"[-4000:])
        self.company = json.loads(done.stdout.splitlines()[-1])
        return self.company

    def ask_for_pushes(self, brand: str, secret: str) -> None:
        """Have the Sandbox push to a brand's channel too; Heard's web process has to answer by now."""
        answer = httpx.put(
            f"{self.sandbox_url}/api/v1/webhook",
            json={"url": f"{self.url}/hooks/{self.company['hooks'][brand]}", "secret": secret},
            headers={"Authorization": f"Bearer {self.accounts[brand]['token']}"},
            timeout=20.0,
        )
        answer.raise_for_status()

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Ask the Sandbox's control API; raises ``httpx.HTTPError``."""
        answer = httpx.request(
            method,
            f"{self.sandbox_url}/control/{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.control_token}"},
            timeout=20.0,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextlib.contextmanager
def installation(
    settings: Mapping[str, str] | None = None, *, workers: int = 1, separate_stream: bool = False
) -> Iterator[Installation]:
    """A prepared folder with its parts named, the Sandbox started; everything gone at the end."""
    with scratch_folder("chaos") as folder:
        (folder / "data").mkdir()
        found = Installation(folder, {"HEARD_SEND_LEASE_SECONDS": "6", **(settings or {})})
        link, web = free_port(), free_port()
        sandbox = [
            "heard.connectors.sandbox.server",
            "--port",
            str(link),
            "--file",
            str(folder / "net.sqlite3"),
        ]
        sandbox += ["--state", str(folder / "sandbox.json"), "--data", str(folder), "--quiet"]
        sandbox += ["--control-token", found.control_token, "--rate-limit", "1000000"]
        found.parts["link"] = Part("link", sandbox, link)
        found.parts["web"] = Part("web", ["heard", "web", "--port", str(web)], web)
        streams = [] if separate_stream else ["--streams"]
        for number in range(workers):
            name = f"worker{number + 1}" if workers > 1 else "worker"
            found.parts[name] = Part(name, ["heard", "worker", *streams])
        if separate_stream:
            found.parts["stream"] = Part("stream", ["heard", "stream"])
        try:
            found.start("link", wait=True)
            yield found
        finally:
            found.end()
