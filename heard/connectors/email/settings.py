"""What an administrator filled in, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from heard.connectorkit.errors import Rejected
from heard.connectorkit.vocabulary import Account

MEGABYTE = 1_000_000

_T = TypeVar("_T", bound=StrEnum)
_IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_SMTP_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Auth(StrEnum):
    """How we sign in."""

    PASSWORD = "password"  # noqa: S105 - the name of a method, not a password
    XOAUTH2 = "xoauth2"


class SentCopy(StrEnum):
    """Who puts a copy of what we send into the Sent folder."""

    AUTO = "auto"
    APPEND = "append"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a mail server listens. ``what`` names it for people."""

    what: str
    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class MailSettings:
    """One mailbox. ``largest_bytes`` is the largest mail fetched whole."""

    address: str
    name: str
    aliases: tuple[str, ...]
    imap: Server
    smtp: Server
    username: str
    auth: Auth
    folder: str
    sent_folder: str
    sent_copy: SentCopy
    largest_bytes: int
    back_fill_days: int
    token_url: str
    client_id: str
    scope: str


def own_addresses(account: Account) -> frozenset[str]:
    """The addresses that are us, in lower case; at least the one the account was connected with."""
    written = f"{account.settings.get('address', '')},{account.settings.get('aliases', '')}"
    pieces = [*written.replace(";", ",").split(","), account.handle, account.native_id]
    return frozenset(piece.strip().lower() for piece in pieces if "@" in piece)


def keeps_sent_beside_received(account: Account) -> bool:
    """Whether the folder that is watched was also named as the Sent folder."""
    sent = _text(account.settings, "sent_folder")
    return bool(sent) and sent == (_text(account.settings, "folder") or "INBOX")


def read_settings(account: Account) -> MailSettings:
    """The settings of a channel. Raises ``Rejected`` naming the field that cannot be used."""
    given = account.settings
    address = _text(given, "address") or account.handle
    return MailSettings(
        address=address,
        name=_text(given, "display_name") or account.name,
        aliases=tuple(sorted(own_addresses(account) - {address.lower()})),
        imap=_server(given, "imap", "The server for reading (IMAP)", _IMAP_PORTS),
        smtp=_server(given, "smtp", "The server for sending (SMTP)", _SMTP_PORTS),
        username=_text(given, "username") or address,
        auth=_choice(Auth, given, "auth", Auth.PASSWORD),
        folder=_text(given, "folder") or "INBOX",
        sent_folder=_text(given, "sent_folder"),
        sent_copy=_choice(SentCopy, given, "sent_copy", SentCopy.AUTO),
        largest_bytes=_number(given, "largest_megabytes", 25, 1, 100) * MEGABYTE,
        back_fill_days=_number(given, "back_fill_days", 14, 0, 3650),
        token_url=_text(given, "token_url"),
        client_id=_text(given, "client_id"),
        scope=_text(given, "scope"),
    )


def _server(given: Mapping[str, Any], prefix: str, what: str, ports: Mapping[str, int]) -> Server:
    security = _choice(Security, given, f"{prefix}_security", Security.TLS)
    port = _number(given, f"{prefix}_port", ports[security], 1, 65_535)
    host = _text(given, f"{prefix}_host")
    if not host:
        raise Rejected(f"{what} is missing.")
    return Server(what, host, port, security)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return "" if value is None else str(value).strip()


def _number(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    text = _text(given, name)
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text[:9]) <= most:
        label = name.replace("_", " ")
        raise Rejected(f"The {label} must be a whole number from {least} to {most}.")
    return int(text[:9])


def _choice(kind: type[_T], given: Mapping[str, Any], name: str, default: _T) -> _T:
    text = _text(given, name)
    try:
        return kind(text) if text else default
    except ValueError as error:
        label = name.replace("_", " ")
        raise Rejected(f"The {label} must be one of {', '.join(kind)}.") from error
