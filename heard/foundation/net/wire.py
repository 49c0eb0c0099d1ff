"""The connections underneath: pinned to checked addresses, bounded by the attempt's deadline.

httpcore asks its network backend to connect to a *name*; ours asks the guard, connects to one of the
addresses it returned, and leaves the name to TLS and to the Host header, so both are still checked.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream

from .guard import Guard


@dataclass(slots=True)
class Attempt:
    """One request on its way. ``deadline`` is on the monotonic clock; ``sent`` turns true with the
    first byte that is handed to the connection, from where on the outcome may be unknown."""

    deadline: float
    plain_http: bool
    sent: bool = False

    def left(self) -> float:
        """Seconds until the deadline; may be negative."""
        return self.deadline - time.monotonic()


# The pool and its connections are shared between threads, the attempt is not.
_attempt: ContextVar[Attempt | None] = ContextVar("heard_net_attempt", default=None)


@contextlib.contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    """Let every connection used inside this block, in this thread, obey ``attempt``."""
    token = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(token)


def bounded(timeout_seconds: float | None, error: type[Exception]) -> float | None:
    """The shorter of ``timeout_seconds`` and what is left of the attempt; raises ``error`` at nothing."""
    attempt = _attempt.get()
    if attempt is None:
        return timeout_seconds
    left = attempt.left()
    if left <= 0:
        raise error("The total time is used up.")
    return left if timeout_seconds is None else min(left, timeout_seconds)


def connect(addresses: Iterable[str], port: int, timeout_seconds: float) -> socket.socket:
    """A connection to the first of ``addresses`` (numeric) that answers; raises ``OSError``.

    The time is shared among the addresses, so that a dead IPv6 route does not use it all up.
    """
    candidates = list(addresses)
    until = time.monotonic() + timeout_seconds
    failure: OSError = ConnectionError("no address to connect to")
    for position, text in enumerate(candidates):
        share = max(0.05, until - time.monotonic()) / (len(candidates) - position)
        version = ipaddress.ip_address(text).version
        plain = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            plain.settimeout(share)
            plain.connect((text, port))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    raise failure


class PinnedBackend(NetworkBackend):
    """Connects where the guard allows, and nowhere else."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._open: weakref.WeakSet[Stream] = weakref.WeakSet()
        self._lock = threading.Lock()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> NetworkStream:
        """Resolve, check, connect; raises ``Unreachable`` from the guard, else httpcore's errors."""
        attempt = _attempt.get()
        if attempt is None:
            raise RuntimeError("connections are opened inside an attempt only")
        seconds = bounded(timeout, httpcore.ConnectTimeout) or 10.0
        started = time.monotonic()
        addresses = self._guard.addresses(host, port, plain_http=attempt.plain_http, timeout_seconds=seconds)
        left = seconds - (time.monotonic() - started)
        try:
            plain = connect(addresses, port, max(0.05, left))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return self.keep(Stream(plain, self))

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 - httpcore's signature
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> NetworkStream:
        """Never: a file on this machine is not on a network."""
        raise httpcore.ConnectError("unix sockets are not connected to")

    def keep(self, stream: Stream) -> Stream:
        """Remember an open stream, so that ``abort`` finds it."""
        with self._lock:
            self._open.add(stream)
        return stream

    def abort(self) -> None:
        """Shut every open connection down: readers waiting in other threads wake up with an error."""
        with self._lock:
            streams = list(self._open)
        for stream in streams:
            stream.shut_down()


class Stream(NetworkStream):
    """One connection whose every step ends with its attempt."""

    def __init__(self, connected: socket.socket, backend: PinnedBackend) -> None:
        self._socket = connected
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to ``max_bytes``; ``b""`` at the end."""
        seconds = bounded(timeout, httpcore.ReadTimeout)
        try:
            self._socket.settimeout(seconds)
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of ``buffer``; from the first byte on the attempt counts as sent."""
        if not buffer:
            return
        seconds = bounded(timeout, httpcore.WriteTimeout)
        attempt = _attempt.get()
        if attempt is not None:
            attempt.sent = True
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        """Wrapped in TLS and verified against ``server_hostname``, which is the name, not the address."""
        try:
            self._socket.settimeout(bounded(timeout, httpcore.ConnectTimeout))
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as error:
            self.close()
            raise httpcore.ConnectTimeout(str(error)) from error
        except (OSError, ValueError) as error:
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        return self._backend.keep(Stream(wrapped, self._backend))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def shut_down(self) -> None:
        """End the connection under whoever is reading from it."""
        with contextlib.suppress(OSError):
            # The plain method: SSLSocket's own drops the TLS object another thread may be reading with.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a connection before it uses it again."""
        if info == "is_readable":
            return is_readable(self._socket)
        if info == "socket":
            return self._socket
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return None


def is_readable(connected: socket.socket) -> bool:
    """Whether an idle connection has something to say, which can only be its end."""
    if connected.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLIN)
    return bool(poll.poll(0))
