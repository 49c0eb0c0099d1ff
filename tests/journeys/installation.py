"""A real installation for journeys: Sandbox, web and worker as processes of their own, on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers.process import LOOPBACK, RunAs, free_port, running, scratch_folder
from tests.servers.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
MARA = "mara@nordwind.example"
RAVI = "ravi@nordwind.example"
CLAIRE = "claire@nordwind.example"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where it serves, the public that speaks to it, and how its people get in."""

    url: str
    folder: Path
    network: Sandbox
    environment: Mapping[str, str]

    def links(self, *emails: str) -> dict[str, str]:
        """Addresses that sign these members in."""
        found = self.run("tests.journeys.ways_in", *emails)
        return {email: self.url + path for email, path in json.loads(found.splitlines()[-1]).items()}

    def run(self, module: str, *arguments: str) -> str:
        """A command of this installation; what it printed. Raises ``CalledProcessError``."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env=dict(self.environment), stdout=subprocess.PIPE, check=True, timeout=240,
        )  # fmt: skip
        return done.stdout.decode()

    def standing(self, words: str) -> list[dict[str, object]]:
        """What stands on the Sandbox by the company with these words in it."""
        return [post for post in self.network.standing() if words in str(post["text"])]


def _serves(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200
    return False


@contextlib.contextmanager
def installation(
    prepare: str = "heard.config.demo_company", *, host: str = LOOPBACK, **options: str
) -> Iterator[Installation]:
    """Start one, prepared by a module of the product; everything is gone when the block ends.

    ``host`` is how people call it; ``options`` are settings, by the names of their environment variables.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("journeys"))
        network = Sandbox(folder, free_port())
        stack.callback(network.close)
        network.start()
        url = f"http://{host}:{free_port()}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "HEARD_DATA": str(folder),
            "HEARD_URL": url,
            "HEARD_ALLOW_ADDRESSES": "127.0.0.1, localhost",
            "HEARD_LOG_LEVEL": "WARNING",
            **options,
        }
        found = Installation(url, folder, network, environment)
        (folder / "prepared").write_text(found.run(prepare))
        _start(stack, found, "web", ["--port", url.rpartition(":")[2]])
        _start(stack, found, "worker", ["--streams"])
        yield found


def _start(stack: contextlib.ExitStack, place: Installation, name: str, options: list[str]) -> None:
    folder = place.folder / f"log-{name}"
    folder.mkdir()
    stack.enter_context(
        running(
            [*RunAs(None).prefix(signal.SIGKILL), sys.executable, "-m", "heard", name, *options],
            folder=folder,
            ready=lambda: name != "web" or _serves(place.url),
            env=place.environment,
        )
    )
