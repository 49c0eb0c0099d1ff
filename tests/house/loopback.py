"""No test leaves this machine: sockets reach loopback and Unix sockets only, and names stay here.

A test that tries fails, even where the code under test swallowed the refusal. Names that can never
exist (``.invalid``, ``.test``, ``.example``: RFC 6761) are answered as unknown without asking anybody,
so that "no such host" can be tested.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

RESERVED = (".invalid", ".test", ".example")
HERE = ("localhost", "")

_refused: list[str] = []


class LeftTheMachine(OSError):
    """A test reached for something that is not on this machine."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"a test tried to reach {where}: tests stay on this machine (tests/house/loopback.py)"
        )


def is_here(host: str | bytes | None) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = (host.decode("idna") if isinstance(host, bytes) else host or "").rstrip(".").lower()
    if name in HERE or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback)


def _refuse(where: str) -> None:
    _refused.append(where)
    raise LeftTheMachine(where)


def _guarded(method: str, address_at: int) -> Callable[..., Any]:
    original = getattr(socket.socket, method)

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[address_at]
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_here(address[0]):
            _refuse(f"{address[0]} port {address[1]}")
        return original(self, *arguments)

    return guarded


def _is_address(host: str | bytes) -> bool:
    try:
        ipaddress.ip_address((host.decode() if isinstance(host, bytes) else host).partition("%")[0])
    except ValueError:
        return False
    return True


def _resolver(original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        # An address is only written differently by this, nobody is asked; connecting to it is refused.
        if is_here(host) or _is_address(host):
            return original(host, *arguments, **options)
        name = host.decode("idna") if isinstance(host, bytes) else host
        if name.rstrip(".").lower().endswith(RESERVED):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _refuse(f"the name server, about {name}")

    return resolve


def install(patch: pytest.MonkeyPatch) -> None:
    """Put the guard in place of the system's own calls."""
    for method, address_at in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        patch.setattr(socket.socket, method, _guarded(method, address_at))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patch.setattr(socket, name, _resolver(getattr(socket, name)))


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        yield


@pytest.fixture(autouse=True)
def _nothing_left_the_machine() -> Iterator[None]:
    _refused.clear()
    yield
    if _refused:
        pytest.fail(str(LeftTheMachine(_refused[0])), pytrace=False)


@pytest.fixture
def refused_addresses() -> Iterator[list[str]]:
    """For the guard's own tests: what was refused so far; forgiven at the end."""
    yield _refused
    _refused.clear()
