"""The only way out: what a connector may do on the network, implemented by ``foundation.net``.

The implementation sets time-outs, carries the SSRF guard with the operator's allow-list, redacts
and logs, counts budgets and can record fixtures. A connector never opens a socket of its own.
"""

from __future__ import annotations

import socket as sockets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Response(Protocol):
    """The part of ``httpx.Response`` that connectors use; the body has been read, within limits."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    def json(self) -> Any: ...


class ServerEvent(Protocol):
    """One server-sent event."""

    @property
    def event(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def id(self) -> str: ...


class Net(Protocol):
    """Guarded HTTP and sockets.

    Raises ``Unreachable`` when a host cannot be reached, is refused by the guard (with a sentence
    that says so) or answers too much or too slowly. With ``writes=True`` a failure after the request
    may have reached the server raises ``OutcomeUnknown`` instead. Status codes are the caller's:
    see ``http.raise_for_status``.
    """

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        content: bytes | None = None,
        timeout_seconds: float = 20.0,
        maximum_bytes: int = 10_000_000,
        writes: bool = False,
    ) -> Response: ...

    def events(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        idle_seconds: float = 90.0,
    ) -> AbstractContextManager[Iterator[ServerEvent]]:
        """Server-sent events; raises ``Unreachable`` when nothing (not even a ping) came in time."""

    def socket(self, host: str, port: int, *, tls: bool, timeout_seconds: float = 20.0) -> sockets.socket:
        """A connected socket, TLS-wrapped and verified against ``host`` when ``tls``."""

    def start_tls(self, plain: sockets.socket, host: str) -> sockets.socket:
        """Wrap a connected socket after STARTTLS, verified against ``host``."""
