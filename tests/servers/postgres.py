"""A throw-away PostgreSQL: a cluster of its own in a scratch folder.

``python -m tests.servers.postgres -- COMMAND…`` lends one to a command as ``HEARD_DATABASE_URL``.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .lend import lend
from .process import LOOPBACK, Missing, answers, free_port, run_once, running, scratch_folder, unprivileged

BINARIES = Path("/usr/lib/postgresql")

# A test's cluster is thrown away, so it need not survive a power cut. Killing our own processes, which
# is what the chaos runs do, loses nothing of what PostgreSQL has in hand.
FASTER = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "200"}


@dataclass(frozen=True, slots=True)
class Postgres:
    """``url`` names an empty database; the user is a superuser without password, on loopback only."""

    port: int
    user: str
    database: str

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{LOOPBACK}:{self.port}/{self.database}"


def binaries() -> Path:
    """The newest installed version's folder of programs."""
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise Missing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A running cluster. Raises ``Missing`` when PostgreSQL is not installed."""
    programs = binaries()
    owner = unprivileged("postgres")
    with scratch_folder("postgres", owner) as folder:
        as_owner = owner.prefix(signal.SIGTERM)
        data = folder / "data"
        initdb = [str(programs / "initdb"), "-A", "trust", "-U", "heard", "-E", "UTF8", "--locale", "C.UTF-8"]
        run_once([*as_owner, *initdb, "--no-sync", "-D", str(data)], cwd=folder)
        port = free_port()
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            **FASTER,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        serve = [str(programs / "postgres"), "-D", str(data), *options]
        # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
        asked = [str(programs / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(port)]

        def takes_queries() -> bool:
            # It answers the door while it is starting up, and sends everybody away.
            return answers(port) and subprocess.run(asked, cwd=folder, check=False).returncode == 0

        with running(serve, folder=folder, ready=takes_queries, owner=owner, stop_with=signal.SIGINT):
            createdb = [str(programs / "createdb"), "-h", LOOPBACK, "-p", str(port), "-U", "heard", "heard"]
            run_once(createdb, cwd=folder)
            yield Postgres(port=port, user="heard", database="heard")


@contextlib.contextmanager
def _environment() -> Iterator[dict[str, str]]:
    with postgres() as server:
        yield {"HEARD_DATABASE_URL": server.url}


if __name__ == "__main__":
    sys.exit(lend(_environment, sys.argv[1:]))
