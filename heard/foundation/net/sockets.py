"""Sockets for what is not HTTP (IMAP, SMTP, AMQP): through the same guard, verified by name."""

from __future__ import annotations

import socket
import ssl
import time

import httpx

from heard.connectorkit.errors import Unreachable

from .guard import Guard, normal_host
from .wire import connect


def tls_context(extra_ca_file: str | None) -> ssl.SSLContext:
    """Verifies by certifi's and the system's authorities, and by the operator's own if there is a file.

    Raises ``OSError`` when the file cannot be read or holds no certificate.
    """
    context = httpx.create_ssl_context(verify=True, trust_env=False)
    context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if extra_ca_file:
        context.load_verify_locations(cafile=extra_ca_file)
    return context


def open_socket(
    guard: Guard, host: str, port: int, tls: ssl.SSLContext | None, timeout_seconds: float
) -> socket.socket:
    """A connected socket whose operations time out after ``timeout_seconds`` each.

    Raises ``Unreachable``. Connecting and the TLS handshake share one ``timeout_seconds``.
    """
    name = normal_host(host)
    until = time.monotonic() + timeout_seconds
    addresses = guard.addresses(name, port, plain_http=False, timeout_seconds=timeout_seconds)
    try:
        plain = connect(addresses, port, max(0.05, until - time.monotonic()))
    except OSError as error:
        raise Unreachable(f"{name} cannot be reached: {reason(error)}.") from error
    if tls is None:
        plain.settimeout(timeout_seconds)
        return plain
    plain.settimeout(max(0.05, until - time.monotonic()))
    wrapped = wrap(plain, name, tls)
    wrapped.settimeout(timeout_seconds)
    return wrapped


def wrap(plain: socket.socket, host: str, tls: ssl.SSLContext) -> ssl.SSLSocket:
    """``plain`` wrapped in TLS and verified against ``host``; closed and ``Unreachable`` otherwise."""
    name = normal_host(host)
    try:
        return tls.wrap_socket(plain, server_hostname=name)
    except (OSError, ValueError) as error:
        plain.close()
        raise Unreachable(f"{name} cannot be reached safely: {reason(error)}.") from error


def reason(error: BaseException) -> str:
    """Why a connection failed, in words; nothing in it comes from the other side or from the request."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({seen.verify_message})"
        if isinstance(seen, ssl.SSLError):
            return "it does not speak TLS as we do"
        if isinstance(seen, TimeoutError):
            return "it did not answer in time"
        if isinstance(seen, ConnectionRefusedError):
            return "nothing listens there"
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror.lower()
        seen = seen.__cause__ or seen.__context__
    return "the connection failed"
