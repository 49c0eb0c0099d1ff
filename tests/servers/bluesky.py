"""A throw-away Bluesky network: the real directory, data server and app view, all on loopback.

Its code is Bluesky's own (npm ``@atproto/dev-env``), run by Node beside a PostgreSQL and a Redis of its
own. Direct messages are not part of it: their service is closed. The app view indexes what the data
server takes with a delay of some tenths of a second, as the real one does.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from atproto import Client, Session
from atproto.exceptions import AtProtocolError

from .bluesky_install import HOME, RECIPE, installed, need_node
from .postgres import postgres
from .process import (
    LOOPBACK,
    Missing,
    answers,
    free_port,
    running,
    scratch_folder,
    unprivileged,
)

PATIENCE_SECONDS = 120.0
INDEXING_SECONDS = 30.0
PORTS = ("HEARD_PLC_PORT", "HEARD_PDS_PORT", "HEARD_APPVIEW_PORT", "HEARD_OZONE_PORT")
PASSWORD = "correct-horse-battery"


@dataclass(slots=True)
class BlueskyServer:
    """``url`` is where accounts sign in; ``seconds_to_ready`` says how long the start took."""

    url: str
    appview_url: str
    seconds_to_ready: float
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _people: list[Client] = field(default_factory=list, repr=False)

    def create_account(self, name: str) -> Client:
        """A new person, signed in with Bluesky's official client; ``name`` gets a number and ``.test``."""
        handle = f"{name}{next(self._numbers)}.test"
        client = Client(base_url=self.url)
        self._people.append(client)
        made = client.com.atproto.server.create_account(
            {"email": f"{handle}@example.com", "handle": handle, "password": PASSWORD}
        )
        session = Session(handle, made.did, made.access_jwt, made.refresh_jwt, self.url)
        deadline = time.monotonic() + INDEXING_SECONDS
        while True:
            try:
                # The session is at hand, but the app view knows the profile only a moment later.
                client.login(session_string=session.export())
            except AtProtocolError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return client

    def close_connections(self) -> None:
        """Hang up for everybody: an open socket at the end of a run is a warning, and so an error."""
        for client in self._people:
            client.request.close()

    def app_password(self, client: Client, label: str = "heard") -> str:
        """A new app password for this person, as an administrator would make it for us."""
        return client.com.atproto.server.create_app_password({"name": label}).password


@contextlib.contextmanager
def bluesky() -> Iterator[BlueskyServer]:
    """A running network. Raises ``Missing`` when a part of it is not installed."""
    node = need_node()
    if not installed():
        raise Missing(
            "the Bluesky servers are not installed (python -m tests.servers.bluesky_install: three minutes)"
        )
    with postgres() as database, _redis() as redis_port, scratch_folder("bluesky") as folder:
        ready_file = folder / "ready.json"
        environment = {
            **os.environ,
            **{name: str(free_port()) for name in PORTS},
            "HEARD_READY_FILE": str(ready_file),
            "DB_POSTGRES_URL": database.url,
            "REDIS_HOST": f"{LOOPBACK}:{redis_port}",
            "NODE_PATH": str(HOME / "node_modules"),
            "TMPDIR": str(folder),  # where the data servers keep repositories and blobs
            "LOG_ENABLED": "false",
        }
        command = [node, "--require", str(RECIPE / "loopback.js"), str(RECIPE / "network.js")]
        started_at = time.monotonic()
        with running(
            command,
            folder=folder,
            ready=ready_file.exists,
            env=environment,
            patience_seconds=PATIENCE_SECONDS,
        ):
            addresses = json.loads(ready_file.read_text())
            server = BlueskyServer(**addresses, seconds_to_ready=time.monotonic() - started_at)
            try:
                yield server
            finally:
                server.close_connections()


@contextlib.contextmanager
def _redis() -> Iterator[int]:
    program = shutil.which("redis-server")
    if program is None:
        raise Missing("Redis is not installed (Debian: apt-get install redis-server)")
    owner = unprivileged("redis")
    with scratch_folder("redis", owner) as folder:
        port = free_port()
        command = [program, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        with running(command, folder=folder, ready=lambda: answers(port), owner=owner):
            yield port
