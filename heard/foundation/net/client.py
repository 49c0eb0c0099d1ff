"""``GuardedNet``: what a connector gets as ``net``.

httpcore's pools underneath, without httpx's client on top: no cookies that one tenant's answer
leaves for another, no redirects on their own, no proxies or credentials from the environment.
"""

from __future__ import annotations

import socket as sockets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpcore
import httpx

from heard import __version__
from heard.connectorkit.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
    Unsupported,
)
from heard.connectorkit.http import wait_seconds
from heard.foundation.redaction import hide, is_secret_name

from .body import ENCODINGS, Garbled, TooLarge, read_body, response_of
from .guard import Guard
from .recorder import Recorder
from .sockets import open_socket, reason, tls_context, wrap
from .sse import Event, EventParser, EventTooLarge
from .wire import Attempt, PinnedBackend, attempting

CONNECT_SECONDS = 10.0
EVENT_MAXIMUM_BYTES = 2_000_000
MAXIMUM_HOPS = 3

# What goes wrong between two machines; httpcore has no common base for it.
_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    TooLarge,
    Garbled,
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as logs, metrics and budgets see it: no query, no body, no secret.

    ``status`` is 0 where no answer came, ``bytes_read`` counts the decoded body, and ``headers`` are the
    answer's, in lower case, for budgets to learn from (``budget.learn``). They never go into a log.
    """

    method: str
    host: str
    path: str
    status: int
    seconds: float
    bytes_read: int
    headers: Mapping[str, str]


OnExchange = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class _Caller:
    """For whom a request is made. ``on_exchange`` must not raise: it runs after the network was told."""

    on_exchange: OnExchange | None = None
    recorder: Recorder | None = None
    secrets: Sequence[str] = ()


def _both(first: OnExchange | None, second: OnExchange | None) -> OnExchange | None:
    if first is None or second is None:
        return first or second

    def tell(exchange: Exchange) -> None:
        first(exchange)
        second(exchange)

    return tell


class GuardedNet:
    """The one way out, shared by all threads of a process; implements ``connectorkit.net.Net``.

    ``for_caller`` gives views that share pools and guard and have a hook of their own beside the process's.
    ``extra_ca_file`` adds an operator's own certificate authority (PEM).
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        extra_ca_file: str | None = None,
        on_exchange: OnExchange | None = None,
    ) -> None:
        self._lines = _Lines(guard or Guard(), extra_ca_file)
        self._caller = _Caller(on_exchange)

    def for_caller(
        self,
        *,
        on_exchange: OnExchange | None = None,
        recorder: Recorder | None = None,
        secrets: Sequence[str] = (),
    ) -> GuardedNet:
        """A view for one caller. ``secrets`` are hidden wherever they turn up in a reported path."""
        view = GuardedNet.__new__(GuardedNet)
        view._lines = self._lines
        hook = _both(self._caller.on_exchange, on_exchange)
        view._caller = replace(self._caller, on_exchange=hook, recorder=recorder, secrets=tuple(secrets))
        return view

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
    ) -> httpx.Response:
        """Send one request and read its answer; redirects are answers, see ``follow``.

        ``timeout_seconds`` is for everything together, from the name's look-up to the last byte.
        Raises ``Unreachable``; with ``writes`` and once a byte has left, ``OutcomeUnknown``; and before
        anything leaves ``CredentialsRefused`` or ``Unsupported`` for a header that HTTP cannot carry.
        """
        address = _with_params(self._lines.guard.check_url(url), params)
        sendable = _headers(headers)
        try:
            request = httpx.Request(
                method, address, headers=sendable, json=json, data=data, files=files, content=content
            )
        except UnicodeEncodeError as error:
            raise Unsupported("The text holds half a character, which cannot be sent.") from error
        attempt = Attempt(time.monotonic() + timeout_seconds, address.scheme == "http")
        started = time.monotonic()
        try:
            with attempting(attempt):
                response = self._lines.exchange(request, timeout_seconds, maximum_bytes, writes=writes)
        except _FAILURES as error:
            self._report(request, None, started)
            raise _named(error, address.host, maximum_bytes, unknown=writes and attempt.sent) from error
        except Unreachable:
            self._report(request, None, started)
            raise
        self._report(request, response, started)
        if self._caller.recorder is not None:
            self._caller.recorder.record(request, response, json=json, data=data, files=files)
        return response

    def follow(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 20.0,
        maximum_bytes: int = 10_000_000,
    ) -> httpx.Response:
        """GET ``url`` through at most three redirects; every hop passes the guard anew.

        Headers are kept while the origin stays the same; a stranger gets none of them. The time is for
        all hops together. Raises ``Unreachable``, also for a redirect beyond the third.
        """
        deadline = time.monotonic() + timeout_seconds
        address = self._lines.guard.check_url(url)
        sent_headers = headers
        for _ in range(MAXIMUM_HOPS + 1):
            response = self.request(
                "GET",
                str(address),
                headers=sent_headers,
                timeout_seconds=max(0.001, deadline - time.monotonic()),
                maximum_bytes=maximum_bytes,
            )
            if not response.has_redirect_location:
                return response
            origin = address.copy_with(raw_path=b"/")
            address = self._lines.guard.check_url(_joined(address, response.headers["location"]))
            if address.copy_with(raw_path=b"/") != origin:
                sent_headers = None
        raise Unreachable(f"{address.host} redirects more than {MAXIMUM_HOPS} times.")

    def events(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        idle_seconds: float = 90.0,
    ) -> AbstractContextManager[Iterator[Event]]:
        """Server-sent events, each at most 2 MB; comments keep the line alive and are not events.

        Raises ``CredentialsRefused`` (401, 403), ``RateLimited`` (429) or ``Unreachable``.
        """
        address = _with_params(self._lines.guard.check_url(url), params)
        asked = {**(headers or {}), "Accept": "text/event-stream", "Cache-Control": "no-store"}
        request = httpx.Request("GET", address, headers=_headers(asked, encodings="identity"))
        return self._stream(request, idle_seconds)

    @contextmanager
    def _stream(self, request: httpx.Request, idle_seconds: float) -> Iterator[Iterator[Event]]:
        host, started = request.url.host, time.monotonic()
        attempt = Attempt(started + CONNECT_SECONDS * 2, request.url.scheme == "http")
        try:
            with attempting(attempt):
                raw = self._lines.open(request, idle_seconds, fresh=True)
        except _FAILURES as error:
            self._report(request, None, started)
            raise _named(error, host, EVENT_MAXIMUM_BYTES, unknown=False) from error
        with closing(raw):
            head = httpx.Response(raw.status, headers=raw.headers, request=request)
            self._report(request, head, started)
            _check_stream(head, host)
            yield _events(raw, host)

    def socket(self, host: str, port: int, *, tls: bool, timeout_seconds: float = 20.0) -> sockets.socket:
        """A connected socket, TLS-wrapped and verified against ``host`` when ``tls``."""
        context = self._lines.tls if tls else None
        return open_socket(self._lines.guard, host, port, context, timeout_seconds)

    def start_tls(self, plain: sockets.socket, host: str) -> sockets.socket:
        """Wrap a connected socket after STARTTLS, verified against ``host``."""
        return wrap(plain, host, self._lines.tls)

    def close(self) -> None:
        """Close every connection, also under other threads: their reads end as ``Unreachable``.

        Views share the connections, so this closes them for all.
        """
        self._lines.close()

    def _report(self, request: httpx.Request, response: httpx.Response | None, started: float) -> None:
        if self._caller.on_exchange is None:
            return
        exchange = Exchange(
            method=request.method,
            host=request.url.host,
            path=hide(request.url.path, self._caller.secrets),
            status=0 if response is None else response.status_code,
            seconds=time.monotonic() - started,
            bytes_read=0 if response is None else len(response.content),
            headers={} if response is None else dict(response.headers),
        )
        self._caller.on_exchange(exchange)


class _Lines:
    """The pools. Opened when first used, because reading the authorities' certificates takes a while."""

    def __init__(self, guard: Guard, extra_ca_file: str | None) -> None:
        self.guard = guard
        self._extra_ca_file = extra_ca_file
        self._backend = PinnedBackend(guard)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """For sockets; a context of its own, because httpcore offers "http/1.1" by ALPN on its."""
        return tls_context(self._extra_ca_file)

    @cached_property
    def _http_tls(self) -> ssl.SSLContext:
        return tls_context(self._extra_ca_file)

    @cached_property
    def _reused(self) -> httpcore.ConnectionPool:
        return self._pool(keep=20)

    @cached_property
    def _fresh(self) -> httpcore.ConnectionPool:
        # A server may close an idle connection just as we write on it, and nobody could tell whether
        # the request was carried out: so what writes gets a connection of its own.
        return self._pool(keep=0)

    def _pool(self, keep: int) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=self._http_tls,
            max_connections=200,
            max_keepalive_connections=keep,
            keepalive_expiry=5.0,
            network_backend=self._backend,
        )

    def open(self, request: httpx.Request, timeout_seconds: float, *, fresh: bool) -> httpcore.Response:
        """Send and read the head; the body is still to come, and the caller closes."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        timeout = {
            "connect": min(CONNECT_SECONDS, timeout_seconds),
            "read": timeout_seconds,
            "write": timeout_seconds,
            "pool": timeout_seconds,
        }
        return (self._fresh if fresh else self._reused).handle_request(
            httpcore.Request(
                request.method,
                target,
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": timeout},
            )
        )

    def exchange(
        self, request: httpx.Request, timeout_seconds: float, maximum_bytes: int, *, writes: bool
    ) -> httpx.Response:
        """One whole request and answer; raises what ``_FAILURES`` lists, and ``Unreachable``."""
        with closing(self.open(request, timeout_seconds, fresh=writes)) as raw:
            headers = httpx.Headers(raw.headers)
            # The answer to HEAD announces a length and an encoding that do not come.
            has_body = request.method != "HEAD" and raw.status not in (204, 304)
            body = read_body(raw.iter_stream(), headers, maximum_bytes) if has_body else b""
            return response_of(raw.status, headers, body, request)

    def close(self) -> None:
        """End everything that is open."""
        self._backend.abort()
        for name in ("_reused", "_fresh"):
            pool = self.__dict__.pop(name, None)
            if pool is not None:
                pool.close()


def _headers(given: Mapping[str, str] | None, encodings: str = ENCODINGS) -> dict[str, str]:
    headers = {"Accept": "*/*", "User-Agent": f"Heard/{__version__}"}
    for name, value in (given or {}).items():
        if not value.isascii() or not value.isprintable() or not name.isascii() or not name.isprintable():
            sentence = f"The header {name!r} holds a character that cannot be sent."
            raise CredentialsRefused(sentence) if is_secret_name(name) else Unsupported(sentence)
        headers[name] = value
    return {**headers, "Accept-Encoding": encodings}


def _with_params(address: httpx.URL, params: Mapping[str, Any] | None) -> httpx.URL:
    kept = {name: value for name, value in (params or {}).items() if value is not None}
    return address.copy_merge_params(kept) if kept else address


def _joined(address: httpx.URL, location: str) -> httpx.URL:
    try:
        return address.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise Unreachable(f"{address.host} redirects to something that is no address.") from error


def _named(error: Exception, host: str, maximum_bytes: int, *, unknown: bool) -> Exception:
    if isinstance(error, TooLarge):
        word = f"its answer is larger than {maximum_bytes:,} bytes"
    elif isinstance(error, Garbled):
        word = "its answer cannot be decoded"
    elif isinstance(error, httpcore.TimeoutException):
        word = "it did not answer in time"
    elif isinstance(error, httpcore.ProtocolError):
        word = "it broke off or does not speak HTTP as we do"
    else:
        word = reason(error)
    if unknown:
        return OutcomeUnknown(f"{host} may or may not have carried this out: {word}.")
    return Unreachable(f"{host} cannot be reached: {word}.")


def _check_stream(head: httpx.Response, host: str) -> None:
    if head.status_code in (401, 403):
        raise CredentialsRefused(f"{host} does not accept our credentials for its stream.")
    if head.status_code == 429:
        raise RateLimited(f"{host} asks us to wait.", retry_after_seconds=wait_seconds(head))
    kind = head.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = head.headers.get("content-encoding", "identity").lower()
    if head.status_code != 200 or kind != "text/event-stream" or encoding != "identity":
        raise Unreachable(f"{host} answered {head.status_code} instead of a stream of events.")


def _events(raw: httpcore.Response, host: str) -> Iterator[Event]:
    parser = EventParser(EVENT_MAXIMUM_BYTES)
    try:
        for chunk in raw.iter_stream():
            yield from parser.feed(chunk)
    except EventTooLarge as error:
        raise Unreachable(f"{host} sent an event larger than {EVENT_MAXIMUM_BYTES:,} bytes.") from error
    except _FAILURES as error:
        raise _named(error, host, EVENT_MAXIMUM_BYTES, unknown=False) from error
    raise Unreachable(f"{host} ended its stream.")
