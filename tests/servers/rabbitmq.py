"""A throw-away RabbitMQ node with a port mapper of its own, all on loopback.

``python -m tests.servers.rabbitmq -- COMMAND…`` lends one to a command as ``HEARD_BROKER_URL``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from .lend import lend
from .process import (
    LOOPBACK,
    CouldNotStart,
    Missing,
    RunAs,
    answers,
    free_port,
    run_once,
    running,
    scratch_folder,
    unprivileged,
)

# Debian's /usr/sbin/rabbitmq-server writes its logs to /var and accepts only two users; the programs
# behind it are asked directly.
PROGRAMS = Path("/usr/lib/rabbitmq/bin")


class RabbitMQ:
    """A broker that can be stopped and started in mid-flow, on the same port and with what it kept."""

    def __init__(self, folder: Path, owner: RunAs) -> None:
        self.port = free_port()
        self._folder = folder
        self._owner = owner
        self._erlang_port = free_port()
        self._node = f"heard{self.port}@localhost"
        self._environment = self._variables()
        self._life = contextlib.ExitStack()

    @property
    def url(self) -> str:
        # RabbitMQ's own default account, which it accepts from loopback only.
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    def start(self) -> None:
        """Come up, with the queues and durable messages of before. Returns once it takes connections."""
        node = running(
            [str(PROGRAMS / "rabbitmq-server")],
            folder=self._folder,
            ready=lambda: answers(self.port),
            env=self._environment,
            owner=self._owner,
        )
        self._life.enter_context(node)
        self.control("await_startup")

    def stop(self) -> None:
        """Go away as in an orderly shutdown: connections drop, new ones are refused."""
        self._life.close()

    def forget_everything(self) -> None:
        """Lose all queues and messages, as a broker does whose disk was lost; it is running afterwards."""
        for step in ("stop_app", "force_reset", "start_app", "await_startup"):
            self.control(step)

    def control(self, *arguments: str) -> str:
        """Run ``rabbitmqctl`` against this node and return what it printed."""
        command = [str(PROGRAMS / "rabbitmqctl"), "--quiet", "-n", self._node, *arguments]
        return run_once(
            [*self._owner.prefix(signal.SIGTERM), *command], cwd=self._folder, env=self._environment
        )

    def message_count(self) -> int:
        """Messages in all queues, ready or handed out."""
        rows = self.control("list_queues", "--no-table-headers", "messages").split()
        return sum(int(row) for row in rows)

    @contextlib.contextmanager
    def port_mapper(self) -> Iterator[None]:
        """Erlang's name service. Ours alone: the machine's own would outlive us and listen everywhere."""
        command = ["epmd", "-port", str(self._erlang_port), "-address", LOOPBACK]
        with running(
            command, folder=self._folder, ready=lambda: answers(self._erlang_port), owner=self._owner
        ):
            yield

    def _variables(self) -> dict[str, str]:
        loopback_only = "-kernel inet_dist_use_interface {127,0,0,1}"
        return {
            **os.environ,
            "HOME": str(self._folder),  # where Erlang keeps the cookie that lets rabbitmqctl in
            "ERL_EPMD_PORT": str(self._erlang_port),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "no-such-file"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback_only,
            "RABBITMQ_CTL_ERL_ARGS": loopback_only,
        }


@contextlib.contextmanager
def rabbitmq() -> Iterator[RabbitMQ]:
    """A running broker. Raises ``Missing`` when RabbitMQ is not installed."""
    if not (PROGRAMS / "rabbitmq-server").exists() or shutil.which("epmd") is None:
        raise Missing("RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)")
    owner = unprivileged("rabbitmq")
    with scratch_folder("rabbitmq", owner) as folder:
        broker = RabbitMQ(folder, owner)
        with broker.port_mapper():
            try:
                broker.start()
                yield broker
            finally:
                with contextlib.suppress(CouldNotStart):
                    broker.stop()


@contextlib.contextmanager
def _environment() -> Iterator[dict[str, str]]:
    with rabbitmq() as broker:
        yield {"HEARD_BROKER_URL": broker.url}


if __name__ == "__main__":
    sys.exit(lend(_environment, sys.argv[1:]))
