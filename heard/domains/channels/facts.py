"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class ChannelConnected(Fact):
    """An account of the company was connected (or connected again)."""

    channel_id: int
    network: str


@dataclass(frozen=True, slots=True)
class ChannelPaused(Fact):
    """A person stopped listening on it."""

    channel_id: int


@dataclass(frozen=True, slots=True)
class ChannelResumed(Fact):
    """Listening goes on, with a back-fill of what was missed."""

    channel_id: int


@dataclass(frozen=True, slots=True)
class ChannelRefused(Fact):
    """The network no longer takes the credentials: a new connection is needed."""

    channel_id: int


@dataclass(frozen=True, slots=True)
class ChannelClosed(Fact):
    """Disconnected by us; its credentials are destroyed."""

    channel_id: int


@dataclass(frozen=True, slots=True)
class ChannelGapNoted(Fact):
    """The network could not give everything that was missed."""

    channel_id: int


@dataclass(frozen=True, slots=True)
class ChannelBrandChanged(Fact):
    """The company speaks under another name on a channel."""

    channel_id: int
    brand_id: int


@dataclass(frozen=True, slots=True)
class ChannelAccessChanged(Fact):
    """Who may see or answer on a channel was changed."""

    channel_id: int


@dataclass(frozen=True, slots=True)
class DeliveriesReplayed(Fact):
    """Unreadable deliveries were put back to be understood."""

    channel_id: int
    deliveries: int
