"""The protocol: four questions every network answers, and two-line abilities that some have.

*Who am I* (``identify``), *what did you tell me* (``receive``), *what is new* (``fetch``), *please
say this* (``send``), and one answer read by the composer, the checks and the tests alike:
``supports``. A connector keeps no state between calls; all it may need is in the ``Link``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from .manifest import Manifest
from .net import Net
from .vocabulary import (
    Account,
    ActorKind,
    Answer,
    Attachment,
    Event,
    LookUpResult,
    Page,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Target,
    Verb,
    WhoAmI,
)


class Vault(Protocol):
    """Keeps what a network rotates."""

    def keep(self, secrets: Mapping[str, str]) -> None:
        """Store these secrets durably. Call it *before* a rotated token is used."""

    def current(self) -> Mapping[str, str]:
        """The secrets as stored now: another process may have rotated them meanwhile."""

    def lock(self) -> Any:
        """A context manager that lets one process at a time refresh this account's credentials."""


@dataclass(frozen=True, slots=True)
class Link:
    """One account's open line: who we are, the guarded net, where rotated secrets go, the time."""

    account: Account
    net: Net
    vault: Vault
    now: datetime


@runtime_checkable
class Connector(Protocol):
    """What every network must answer. Errors are those of ``errors``, no others."""

    manifest: Manifest

    def identify(self, link: Link) -> WhoAmI:
        """Test the credentials in ``link.account`` (its ids are empty) and say whose they are."""

    def receive(self, account: Account, delivery: RawDelivery) -> Sequence[Event]:
        """Translate one delivery. Pure: no net, no clock. Raises ``Unreadable``."""

    def fetch(self, link: Link, cursor: Mapping[str, Any] | None) -> Page:
        """What is new since the cursor; with ``None``, the recent past (a first back-fill)."""

    def supports(
        self, verb: Verb, target: Target | None, actor: ActorKind, account: Account, now: datetime
    ) -> Answer:
        """May this be asked, of this target, by this kind of actor, now? Pure."""

    def send(self, link: Link, order: SendOrder) -> Sent:
        """Say it, once. Raises ``Unsupported`` before any request where ``supports`` says no."""


@runtime_checkable
class Pushes(Protocol):
    """The network calls us: signatures are checked over the raw bytes, in constant time."""

    def verify(self, account: Account, headers: Mapping[str, str], body: bytes) -> None:
        """Return if the delivery is genuine, else raise ``Forged``."""

    def handshake(self, account: Account, query: Mapping[str, str]) -> bytes | None:
        """The body that answers a registration or liveness GET; ``None`` if it is not one."""


@runtime_checkable
class Streams(Protocol):
    """The network keeps a line open. Ends by raising; the platform reconnects and back-fills."""

    def stream(self, link: Link) -> Iterator[bytes]:
        """Raw bodies as they come; ``b""`` is a sign of life."""


@runtime_checkable
class LooksUp(Protocol):
    """We can look whether something stands on the network."""

    def look_up(self, link: Link, order: SendOrder) -> LookUpResult:
        """Find what ``order`` may have left behind, by its key or by our own recent items."""


@runtime_checkable
class RepeatsSafely(Protocol):
    """Not everything this network is asked goes out under a key: posts may, and direct messages not."""

    def repeats_safely(self, account: Account, order: SendOrder) -> bool:
        """May ``order`` be sent again within the key's lifetime, and yet stand there once? Pure.

        Asked only where ``Manifest.takes_key`` is true; a connector without this ability answers yes.
        """


def may_repeat(connector: Connector, account: Account, order: SendOrder) -> bool:
    """Whether a second send of ``order`` is harmless, as its manifest and ``RepeatsSafely`` say together."""
    if not connector.manifest.takes_key:
        return False
    return not isinstance(connector, RepeatsSafely) or connector.repeats_safely(account, order)


@runtime_checkable
class GivesContext(Protocol):
    """The messages above one we were shown, so that a thread has its top."""

    def context(self, link: Link, ref: Ref) -> Sequence[bytes]:
        """Raw bodies of the ancestors (and the root), in any order."""


@runtime_checkable
class FetchesMedia(Protocol):
    """Attachments that need the account's credentials, or live in the raw message."""

    def fetch_media(self, link: Link, attachment: Attachment, maximum_bytes: int) -> bytes:
        """The attachment's bytes."""
