"""The short lists: what kinds of things there are."""

from __future__ import annotations

from enum import StrEnum


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


class ReceiptState(StrEnum):
    """What became of something we sent, said later by the network."""

    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class TextUnit(StrEnum):
    """What one step of a text limit is."""

    GRAPHEME = "grapheme"
    CODEPOINT = "codepoint"
    UTF16 = "utf16"
    BYTE = "byte"
