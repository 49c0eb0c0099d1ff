"""What networks tell us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .words import AttachmentKind, MessageKind, ReceiptState, Source, Visibility


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
    idempotency key where the network returns it; the platform joins an echo to what it sent by their ids.
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
