"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class MessagesArrived(Fact):
    """Messages were understood, one fact per batch. The tuples are aligned, oldest first.

    ``directions`` holds ``in`` or ``out`` (said by us outside Heard, or our own echo).
    """

    channel_id: int
    message_ids: tuple[int, ...]
    conversation_ids: tuple[int, ...]
    contact_ids: tuple[int, ...]
    directions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageEdited(Fact):
    """Its author changed a message on the network."""

    message_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class MessageDeleted(Fact):
    """A message is gone from the network; its content is gone here too."""

    message_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class MessageSent(Fact):
    """Something of ours stands on the network."""

    message_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class ReceiptHeard(Fact):
    """The network said later what became of something we sent: delivered, read, failed."""

    message_id: int
    conversation_id: int
    state: str


@dataclass(frozen=True, slots=True)
class MessageSplitOff(Fact):
    """A message with a matter of its own got a conversation of its own."""

    message_id: int
    conversation_id: int
    from_conversation_id: int


@dataclass(frozen=True, slots=True)
class ContactMessagesErased(Fact):
    """What a person said, and was told, was erased; the rows stay for counts."""

    contact_id: int
    messages: int
