"""Threading, pure: which conversation a message belongs to, and what may be stored of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from heard.connectorkit.vocabulary import MessageKind, MessageSeen, Source, Visibility

LONGEST_NATIVE_ID = 512
LONGEST_SCOPE = 255
LONGEST_TEXT = 100_000
LONGEST_RAW = 200_000
MOST_ATTACHMENTS = 300
LONGEST_REASON = 500
FAILED = "failed"
"""Where ``refs`` of something we sent keeps the sentence that says why it did not arrive."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

Key = tuple[str, str]
"""(id scope, native id): a message within its channel."""


ASKED_FOR = timedelta(days=1)
"""How long a network is asked again for a context or a picture that it does not give."""


class Placed(NamedTuple):
    """A message we hold: where it stands."""

    message_id: int
    conversation_id: int | None
    contact_id: int | None
    direction: str
    version: str
    state: str
    text: str = ""


def refusal(event: MessageSeen) -> str:
    """Why this message cannot be stored, as a sentence; empty when it can.

    Identifiers are never cut: two cut ones could be equal.
    """
    if not event.native_id:
        return "A message came without an id."
    if len(event.native_id) > LONGEST_NATIVE_ID:
        return f"A message's id has {len(event.native_id)} characters; at most {LONGEST_NATIVE_ID} are kept."
    if len(event.id_scope) > LONGEST_SCOPE:
        return f"A message's id scope has {len(event.id_scope)} characters; at most {LONGEST_SCOPE} are kept."
    if len(event.author.native_id) > LONGEST_NATIVE_ID or len(event.author.scope) > LONGEST_SCOPE:
        return "The author's id is longer than any id we keep."
    return ""


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """What a database can hold: no NUL, no half surrogate pairs, cut where no person would read on."""
    if not text:
        return text
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= longest else text[:longest] + "…"


def clamp(at: datetime, received_at: datetime) -> datetime:
    """A sane instant: nonsense (1601, 9999) becomes the time we received it."""
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    elif at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except OverflowError:
            return received_at
    return at if EARLIEST <= at <= received_at + timedelta(days=1) else received_at


def originals(events: Sequence[MessageSeen]) -> dict[str, MessageSeen]:
    """By canonical id: which of the copies that lie in several places (a mail's folders) is the message.

    Ours where one is: what lies in the Sent folder was sent by us, whatever else holds a copy.
    """
    found: dict[str, MessageSeen] = {}
    for event in events:
        if event.canonical_id and event.id_scope:
            held = found.setdefault(event.canonical_id, event)
            if event.author.is_us and not held.author.is_us:
                found[event.canonical_id] = event
    return found


def direction(event: MessageSeen, source: Source) -> str:
    """``in``, ``out`` or ``context``."""
    if event.author.is_us:
        return "out"
    return "context" if source is Source.CONTEXT else "in"


def is_private(event: MessageSeen) -> bool:
    """True for exchanges only the two sides can see."""
    return event.visibility is Visibility.PRIVATE


def conversation_key(
    event: MessageSeen,
    *,
    parent: Placed | None,
    contact_id: int | None,
    parent_key: str | None,
    thread_key: str | None = None,
) -> str | None:
    """The key of the conversation this message belongs to; ``None`` for a post that opens a tree.

    In private: the exchange (``thread_key``, or the one found by references). In public: the branch
    under one top-level comment or mention. Somebody else who turns to us in another's branch
    (``mentions_us``) has a matter of their own: they are split off at that message. Our own posts, and
    context, belong to no conversation until one grows under them.
    """
    if is_private(event):
        return (
            thread_key or f"private:{event.thread_key or event.author.scope + ':' + event.author.native_id}"
        )
    if parent is not None and parent_key is not None:
        is_other = (
            contact_id is not None and parent.contact_id is not None and contact_id != parent.contact_id
        )
        if not (is_other and event.mentions_us):
            return parent_key
    if event.author.is_us:
        return None
    return f"public:{event.id_scope}:{event.native_id}"[:600]


def is_newer(event: MessageSeen, held: Placed) -> bool:
    """True when the network shows a later version than ours, with another text."""
    return bool(event.version) and event.version > held.version and held.state == "visible"


KIND_LABELS = {
    MessageKind.POST: "Post",
    MessageKind.COMMENT: "Comment",
    MessageKind.MENTION: "Mention",
    MessageKind.DIRECT_MESSAGE: "Direct message",
    MessageKind.REVIEW: "Review",
    MessageKind.EMAIL: "E-mail",
    MessageKind.CHAT: "Chat",
}
