"""What we ask networks to say, what became of it, and as whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .allowed import Target
from .heard import Author
from .words import Verb, Visibility


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file to send: its bytes are in memory because every network we know limits them."""

    name: str
    content_type: str
    data: bytes
    alt: str = ""


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Please say this, once.

    ``key`` is ours, unique for ever, the same on every attempt: connectors hand it to the network
    as idempotency key, record key or Message-ID wherever it takes one. ``first_attempt_at`` tells
    whether such a key is still within its lifetime.
    """

    key: str
    verb: Verb
    text: str = ""
    subject: str = ""
    visibility: Visibility | None = None
    target: Target | None = None
    recipient: Author | None = None
    files: Sequence[OutFile] = ()
    attempt: int = 1
    first_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """It stands on the network under this id."""

    native_id: str
    id_scope: str = ""
    canonical_id: str = ""
    url: str = ""
    sent_at: datetime | None = None
    refs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotFound:
    """We looked where it would stand, completely, and it is not there."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """We looked, or could not look, and still do not know: a person decides."""

    reason: str


LookUpResult = Sent | NotFound | CannotTell


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """The account behind a channel's credentials.

    ``limits`` is what the server told us of its own limits, JSON-ready, kept with the channel and
    handed back in ``Account.limits`` (Mastodon's ``configuration``). ``secrets`` replaces the given
    ones where signing in produced others (Bluesky's session); empty means unchanged.
    """

    native_id: str
    handle: str
    name: str = ""
    scope: str = ""
    url: str = ""
    avatar_url: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """A connected account as a connector sees it. ``secrets`` never reach a log or an error."""

    native_id: str
    handle: str
    name: str = ""
    scope: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Mapping[str, Any] = field(default_factory=dict)
