"""The words in which every connector speaks to Heard: frozen values, no behaviour.

Text is ``str`` without NUL bytes; instants are timezone-aware UTC ``datetime``; identifiers of a
network are opaque strings. Everything here can be written as JSON by ``plain.to_plain``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Visibility(StrEnum):
    """Who can see a message on its network."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    PRIVATE = "private"


class MessageKind(StrEnum):
    """What a message is to us."""

    POST = "post"
    COMMENT = "comment"
    MENTION = "mention"
    DIRECT_MESSAGE = "direct_message"
    REVIEW = "review"
    EMAIL = "email"
    CHAT = "chat"


class AttachmentKind(StrEnum):
    """Coarse type of an attachment; ``UNKNOWN`` is kept, never dropped."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """How a delivery came to us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    STREAM = "stream"
    CONTEXT = "context"
    ECHO = "echo"


class Verb(StrEnum):
    """What can be asked of a network."""

    REPLY = "reply"
    DIRECT_MESSAGE = "direct_message"
    POST = "post"
    LIKE = "like"
    HIDE = "hide"
    DELETE = "delete"
    BLOCK = "block"


class ActorKind(StrEnum):
    """Who asks: some networks allow a person what they forbid a machine."""

    HUMAN = "human"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Author:
    """The account that wrote a message, as its network names it.

    ``scope`` is the space in which ``native_id`` is unique (a server, a page; ``""`` for a network
    with one space). ``is_us`` is true for the channel's own account: an echo, never inbound.
    """

    native_id: str
    handle: str
    name: str = ""
    scope: str = ""
    url: str = ""
    avatar_url: str = ""
    is_us: bool = False
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: by address, or with its bytes where the delivery holds them.

    ``size_bytes`` is ``None`` when the network does not say. ``cache_allowed`` is false where the
    network's terms forbid a copy. ``data`` is set only for networks that deliver the bytes (e-mail).
    """

    native_id: str
    kind: AttachmentKind
    url: str = ""
    name: str = ""
    content_type: str = ""
    alt: str = ""
    size_bytes: int | None = None
    cache_allowed: bool = True
    inline: bool = False
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """Points at a message on its network: unique per (channel, id scope, native id)."""

    native_id: str
    id_scope: str = ""


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """A message as the network shows it now: new, seen again, or edited.

    ``version`` grows with each edit (the network's edit time or counter as a sortable string; ``""``
    where messages are never edited): an older version never replaces a newer one.
    ``parent`` is what it answers, ``root`` the post on top of the tree; both may be unknown to us.
    ``thread_key`` names a private exchange (a chat, an e-mail thread); ``""`` in public.
    ``canonical_id`` (a URI) joins the same message seen by several of our channels.
    ``refs`` are small identifiers needed to answer it (Bluesky's cid). ``client_key`` is our own
    idempotency key where the network returns it, so an echo finds its outbound.
    ``raw`` is this message's part of the delivery, as JSON-ready values, kept apart per message.
    """

    native_id: str
    kind: MessageKind
    visibility: Visibility
    author: Author
    text: str
    sent_at: datetime
    id_scope: str = ""
    canonical_id: str = ""
    html: str = ""
    subject: str = ""
    url: str = ""
    language: str = ""
    version: str = ""
    edited_at: datetime | None = None
    parent: Ref | None = None
    root: Ref | None = None
    thread_key: str = ""
    thread_refs: Sequence[str] = ()
    mentions_us: bool = False
    automatic: bool = False
    recipients: Sequence[str] = ()
    attachments: Sequence[Attachment] = ()
    refs: Mapping[str, str] = field(default_factory=dict)
    client_key: str = ""
    raw: Any = None


@dataclass(frozen=True, slots=True)
class MessageGone:
    """The network says that a message was deleted (by its author or a moderator)."""

    native_id: str
    at: datetime
    id_scope: str = ""


class ReceiptState(StrEnum):
    """What became of something we sent, said later by the network."""

    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A later word on something we sent: delivered, read, or bounced with a reason."""

    native_id: str
    state: ReceiptState
    at: datetime
    id_scope: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """Something readable that we have no word for yet; kept with its raw form for replay."""

    kind: str
    raw: Any = None


Event = MessageSeen | MessageGone | Receipt | UnknownEvent


@dataclass(frozen=True, slots=True)
class RawDelivery:
    """What a network handed us, before we understood it. ``headers`` have lower-case names."""

    source: Source
    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One step of ``fetch``: raw bodies in the network's order, and where to go on.

    ``cursor`` is JSON-ready and stored only after the bodies are durable. ``more`` asks to be called
    again at once. ``gap`` is a sentence when the network can no longer give all that was missed.
    """

    bodies: Sequence[bytes]
    cursor: Mapping[str, Any]
    more: bool = False
    gap: str = ""


class TextUnit(StrEnum):
    """What one step of a text limit is."""

    GRAPHEME = "grapheme"
    CODEPOINT = "codepoint"
    UTF16 = "utf16"
    BYTE = "byte"


@dataclass(frozen=True, slots=True)
class TextLimit:
    """How a network counts a text.

    ``url_cost`` is the fixed price of a URL (``None``: as long as it is). ``mention_local_only``
    counts ``@name@server`` as ``@name``. ``maximum_bytes`` is a second limit in UTF-8 bytes.
    """

    maximum: int
    unit: TextUnit = TextUnit.GRAPHEME
    url_cost: int | None = None
    mention_local_only: bool = False
    maximum_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class MediaLimit:
    """How many files, of which types (``image/png`` or ``image/*``), how large each, in bytes."""

    count: int = 0
    types: Sequence[str] = ()
    maximum_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Constraints:
    """What holds for one verb on one target now.

    ``visibilities`` are the audiences to choose from, the default first. ``warnings`` are sentences
    to show beside Send (Mastodon's "direct" is not encrypted).
    """

    text: TextLimit | None = None
    media: MediaLimit = MediaLimit()
    visibilities: Sequence[Visibility] = ()
    closes_at: datetime | None = None
    subject: bool = False
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Yes:
    """It can be asked, within these constraints."""

    constraints: Constraints = Constraints()


@dataclass(frozen=True, slots=True)
class No:
    """It cannot be asked: why, until when, and what would help (sentences for people)."""

    reason: str
    until: datetime | None = None
    remedy: str = ""


Answer = Yes | No


@dataclass(frozen=True, slots=True)
class Target:
    """The message (or person) a verb is about, with what ``supports`` and ``send`` need of it."""

    native_id: str
    kind: MessageKind
    visibility: Visibility
    author: Author
    id_scope: str = ""
    canonical_id: str = ""
    url: str = ""
    subject: str = ""
    thread_key: str = ""
    sent_at: datetime | None = None
    last_inbound_at: datetime | None = None
    mentions_us: bool = False
    privately_answered: bool = False
    root: Ref | None = None
    refs: Mapping[str, str] = field(default_factory=dict)


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
