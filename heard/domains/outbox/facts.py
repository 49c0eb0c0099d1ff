"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class OutboundSubmitted(Fact):
    """Somebody asked for something to leave; its undo window runs."""

    outbound_id: int
    channel_id: int
    conversation_id: int
    verb: str


@dataclass(frozen=True, slots=True)
class OutboundCancelled(Fact):
    """Taken back before it left."""

    outbound_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class OutboundHeld(Fact):
    """A hold stopped it at the gate."""

    outbound_id: int
    conversation_id: int
    hold_id: int


@dataclass(frozen=True, slots=True)
class OutboundStarted(Fact):
    """Handed to the network under this attempt."""

    outbound_id: int
    conversation_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OutboundSent(Fact):
    """It stands on the network."""

    outbound_id: int
    conversation_id: int
    message_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OutboundRejected(Fact):
    """The network refused it; its author must act."""

    outbound_id: int
    conversation_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OutboundPutOff(Fact):
    """It could not leave yet and will be tried again."""

    outbound_id: int
    conversation_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OutboundOutcomeLost(Fact):
    """The network may or may not have taken it: it is looked at, never sent blindly."""

    outbound_id: int
    conversation_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OutboundAsked(Fact):
    """We looked and still do not know: a person decides."""

    outbound_id: int
    conversation_id: int


@dataclass(frozen=True, slots=True)
class OutboundDecided(Fact):
    """A person said what became of it: ``sent``, ``again`` or ``dropped``."""

    outbound_id: int
    conversation_id: int
    decision: str


@dataclass(frozen=True, slots=True)
class HoldPlaced(Fact):
    """All that leaves is stopped. ``channel_id`` is 0 for the whole organization."""

    hold_id: int
    channel_id: int
    in_flight: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HoldReleaseAsked(Fact):
    """The first of the two steps that release a hold."""

    hold_id: int


@dataclass(frozen=True, slots=True)
class HoldReleased(Fact):
    """Things may leave again."""

    hold_id: int
