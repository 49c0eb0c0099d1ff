"""Which addresses Heard may talk to: one guard for every fetched URL and every socket.

A company's members type host names, and messages carry links, so the servers we connect to are
chosen by others. Whatever is not on the public internet is refused, unless the operator listed it.
A name is resolved once and the connection is pinned to the addresses that were checked: a name
that answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import idna

from heard.connectorkit.errors import Unreachable

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]

SETTING = "HEARD_ALLOW_ADDRESSES"

# IANA's special-purpose registries, written out: ``ipaddress.is_global`` changes between patch releases.
_REFUSED: tuple[tuple[IPNetwork, str], ...] = tuple(
    (ipaddress.ip_network(text), word)
    for text, word in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", "this machine"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved"),
        ("198.51.100.0/24", "reserved"),
        ("203.0.113.0/24", "reserved"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "this machine"),
        ("::ffff:0:0/96", "an IPv4 address in IPv6 spelling"),
        ("::/96", "an IPv4 address in IPv6 spelling"),
        ("64:ff9b:1::/48", "private"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved"),
        ("3fff::/20", "reserved"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Where clouds hand out a machine's credentials. One of them lies in public space, and a wide entry
# of the allow-list must not open them by accident: only the exact address does.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normal_host(host: str) -> str:
    """``host`` in the one spelling we compare and connect with: lower case, IDNA, no trailing dot.

    IPv6 addresses come without brackets. Raises ``Unreachable`` for anything that is neither a name
    nor an address in its usual spelling (``2130706433``, ``0x7f.1``, ``010.0.0.1``, zone ids).
    """
    bare = host.strip().lower().removesuffix(".")
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    try:
        address = ipaddress.ip_address(bare)
        return _odd(host) if "%" in bare else str(address)
    except ValueError:
        pass
    if not bare.isascii():
        try:
            bare = idna.encode(bare, uts46=True).decode("ascii").removesuffix(".")
        except UnicodeError as error:  # idna's errors are UnicodeErrors
            raise Unreachable(f"“{_shown(host)}” is not a valid host name.") from error
        return normal_host(bare)
    labels = bare.split(".")
    if len(bare) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Unreachable(f"“{_shown(host)}” is not a valid host name.")
    if _NUMBER.fullmatch(labels[-1]):
        return _odd(host)
    return bare


def _odd(host: str) -> str:
    raise Unreachable(f"“{_shown(host)}” is an unusual spelling of a numeric address; write it plainly.")


def _shown(host: str) -> str:
    return "".join(char for char in host[:80] if char.isprintable())


@dataclass(frozen=True, slots=True)
class AllowList:
    """What the operator allows beyond the public internet.

    Entries are host names, addresses, either with a port, and networks (CIDR). A name allows whatever
    it resolves to; an address or network allows what resolves into it. An entry without a port allows
    every port. Listed hosts may also be spoken to by plain http.
    """

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[IPNetwork, int | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowList:
        """Read ``"127.0.0.1, 10.0.0.0/8, mail.internal, [::1]:8080, localhost:1234"``.

        Raises ``ValueError`` with a sentence that names the entry at fault.
        """
        names: set[tuple[str, int | None]] = set()
        networks: list[tuple[IPNetwork, int | None]] = []
        for entry in text.replace(",", " ").split():
            host, port = _host_and_port(entry)
            network = _network(host, entry)
            if network is not None:
                networks.append((network, port))
                continue
            try:
                names.add((normal_host(host), port))
            except Unreachable as error:
                raise ValueError(f"{SETTING}: {error.message}") from error
        return cls(frozenset(names), tuple(networks))

    def names_host(self, host: str, port: int) -> bool:
        """Whether ``host`` (already normal) is listed by name for ``port``."""
        return (host, None) in self.names or (host, port) in self.names

    def covers(self, address: IPAddress, port: int) -> bool:
        """Whether ``address`` lies in a listed network; metadata addresses must be listed exactly."""
        return any(
            address in network and listed_port in (None, port) and _precise(network, address)
            for network, listed_port in self.networks
        )


def _precise(network: IPNetwork, address: IPAddress) -> bool:
    return address not in _METADATA or network.num_addresses == 1


def _host_and_port(entry: str) -> tuple[str, int | None]:
    host, separator, port = entry.rpartition(":")
    bracketed = entry.startswith("[")
    if bracketed and entry.endswith("]"):
        return entry[1:-1], None
    if not separator or (":" in host and not bracketed):
        return entry, None
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{SETTING}: “{entry}” has no valid port (1 to 65535).")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _network(host: str, entry: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(host)
    except ValueError as error:
        if "/" in host:
            raise ValueError(f"{SETTING}: “{entry}” is not a network: {error}.") from error
        return None


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of ``host`` as the operating system gives them; raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides where a connection may go. ``resolver`` is exchanged in tests."""

    allow: AllowList = AllowList()
    resolver: Resolver = system_resolver

    def check_url(self, url: str | httpx.URL) -> httpx.URL:
        """``url`` with its host in normal spelling and without fragment.

        Looks at the spelling only; ``addresses`` judges where the name leads when we connect.
        Raises ``Unreachable``. No sentence repeats the URL: its path or query may hold a token.
        """
        try:
            parsed = httpx.URL(url)
            host, port = parsed.raw_host.decode("ascii"), parsed.port
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise Unreachable("The address is not a valid URL.") from error
        if parsed.scheme not in ("http", "https"):
            raise Unreachable("Only http and https addresses are fetched.")
        if not host:
            raise Unreachable("The address names no host.")
        if parsed.userinfo:
            raise Unreachable("The address holds a user name or password, which is refused.")
        if port is not None and not 0 < port < 65536:
            raise Unreachable(f"{port} is not a port that can be connected to.")
        return parsed.copy_with(host=normal_host(host), fragment=None)

    def addresses(self, host: str, port: int, *, plain_http: bool, timeout_seconds: float) -> Sequence[str]:
        """Resolve ``host`` once and return the addresses a connection may be pinned to, in order.

        All addresses must be public; where the operator listed some of them, only those are used.
        Raises ``Unreachable``.
        """
        host = normal_host(host)
        if not 0 < port < 65536:
            raise Unreachable(f"{port} is not a port that can be connected to.")
        found = self._resolve(host, port, timeout_seconds)
        named = self.allow.names_host(host, port)
        listed = [
            text
            for text, address in found
            if self.allow.covers(address, port) or (named and address not in _METADATA)
        ]
        if listed:
            return listed
        if plain_http:
            raise Unreachable(
                f"Plain http to {host} is refused, because others could read along; "
                f"use https, or an operator can allow it with {SETTING}."
            )
        for text, address in found:
            word = why_refused(address)
            if word:
                through = "" if text == host else f" ({host})"
                raise Unreachable(
                    f"The address {text}{through} is {word}; an operator can allow it with {SETTING}."
                )
        return [text for text, _ in found]

    def _resolve(self, host: str, port: int, timeout_seconds: float) -> list[tuple[str, IPAddress]]:
        try:
            return [(host, ipaddress.ip_address(host))]
        except ValueError:
            pass
        texts = _within(lambda: self.resolver(host, port), timeout_seconds, host)
        found = [(text, ipaddress.ip_address(text)) for text in texts]
        if not found:
            raise Unreachable(f"The name {host} has no address.")
        return found


def why_refused(address: IPAddress) -> str:
    """What kind of non-public address this is, in words; ``""`` when it is public."""
    if address in _METADATA:
        return "where a cloud keeps a machine's credentials"
    for network, word in _REFUSED:
        if address in network:
            return word
    if isinstance(address, ipaddress.IPv4Address):
        return ""
    inner = _embedded(address)
    if inner is not None:
        word = why_refused(inner)
        return f"a way to {inner}, which is {word}" if word else ""
    return "" if address in _GLOBAL_UNICAST else "reserved"


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _within(look_up: Callable[[], Sequence[str]], timeout_seconds: float, host: str) -> Sequence[str]:
    """Resolve in a thread of its own: ``getaddrinfo`` takes no time-out and may hang for half a minute."""
    answer: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(look_up())
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, name="heard-resolve", daemon=True).start()
    try:
        result = answer.get(timeout=max(0.001, timeout_seconds))
    except queue.Empty:
        raise Unreachable(f"The name {host} could not be looked up in time.") from None
    if isinstance(result, OSError | UnicodeError):
        raise Unreachable(f"The name {host} could not be found.") from result
    return result
