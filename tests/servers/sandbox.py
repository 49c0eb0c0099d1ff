"""A Sandbox in a process of its own: quiet, on loopback, to be asked, disturbed, killed and begun again.

It is part of Heard and needs nothing installed, so whatever uses it runs always (no ``*_fixture.py``).
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.servers.process import LOOPBACK, RunAs, answers, free_port, running, scratch_folder

CONTROL_TOKEN = "control-of-the-tests"
HANDLE = "nordwind"


class Sandbox:
    """A running Sandbox. The same file and port are kept over ``kill`` and ``start``."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._options = options
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=20)

    def start(self) -> None:
        """Serve, and return once it answers; raises ``CouldNotStart``."""
        command = [sys.executable, "-m", "heard.connectors.sandbox.server"]
        command += ["--port", str(self.port), "--data", str(self.folder), "--quiet"]
        command += ["--control-token", CONTROL_TOKEN, *self._options]
        root = Path(__file__).parents[2]
        self._process = self._stack.enter_context(
            running(
                [*RunAs(None).prefix(signal.SIGKILL), *command],
                folder=self.folder,
                ready=lambda: answers(self.port),
                env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
            )
        )

    def kill(self) -> None:
        """Signal 9, in the middle of whatever it is doing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it politely; its exit status."""
        assert self._process is not None
        self._stack.close()
        return int(self._process.returncode)

    def close(self) -> None:
        """Whatever still runs is gone afterwards."""
        self._stack.close()
        self._client.close()

    @property
    def token(self) -> str:
        """The company's access token."""
        return str(self.control("GET", "accounts?kind=brand")["accounts"][0]["token"])

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the control API; raises ``httpx.HTTPError`` when it refuses."""
        headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
        answer = self._client.request(method, f"/control/{path}", json=body, headers=headers)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def say(self, text: str, speaker: str = "anna", **more: Any) -> str:
        """Somebody says something to the company; the post's id."""
        return str(self.control("POST", "say", {"as": speaker, "text": text, **more})["id"])

    def fault(self, effect: str, path: str = "/api/v1/posts$", method: str = "POST", **more: Any) -> None:
        """The next matching request (or ``count`` of them) goes wrong."""
        match = {"method": method, "path": path}
        self.control("POST", "faults", {"match": match, "effect": effect, **more})

    def standing(self, author: str = HANDLE) -> list[dict[str, Any]]:
        """What stands there by an account (``""``: by everybody), deleted posts left out."""
        return self._all(f"posts?author={author}")

    def said(self) -> list[dict[str, Any]]:
        """Everything that people said, deleted or not."""
        return self._all("said?")

    def _all(self, path: str) -> list[dict[str, Any]]:
        posts: list[dict[str, Any]] = []
        while True:
            after = posts[-1]["id"] if posts else 0
            page = self.control("GET", f"{path}&after={after}&limit=5000")
            posts += page["posts"]
            if not page["more"]:
                return posts


@contextlib.contextmanager
def sandbox(*options: str) -> Iterator[Sandbox]:
    """A quiet Sandbox with a company and nobody else; gone when the block ends."""
    with scratch_folder("sandbox") as folder:
        one = Sandbox(folder, free_port(), *options)
        try:
            one.start()
            yield one
        finally:
            one.close()
