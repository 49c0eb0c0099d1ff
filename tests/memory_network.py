"""A network in memory, for tests of the house: a real connector over a Python object, with faults.

What stands on it is ``posts``; ``fault`` decides how the next calls fail. It is no stand-in for any real
network: those are met in ``tests/connectors``.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from heard.connectorkit import errors, plain
from heard.connectorkit.manifest import Field, FieldKind, Manifest
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Author,
    CannotTell,
    Constraints,
    Event,
    LookUpResult,
    MediaLimit,
    MessageKind,
    MessageSeen,
    No,
    NotFound,
    Page,
    RawDelivery,
    SendOrder,
    Sent,
    Target,
    TextLimit,
    Verb,
    Visibility,
    WhoAmI,
    Yes,
)

NETWORK = "memory"


@dataclass(slots=True)
class Post:
    """What stands on the network."""

    native_id: str
    key: str
    text: str
    started_at: datetime


@dataclass
class MemoryNetwork:
    """The connector and the network behind it."""

    posts: list[Post] = field(default_factory=list)
    fault: Callable[[SendOrder], str] = lambda _order: ""
    takes_key: bool = True
    can_look: bool = True
    without_key: frozenset[Verb] = frozenset()
    delay_seconds: float = 0.0
    inbound: list[MessageSeen] = field(default_factory=list)
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._set_manifest()

    def _set_manifest(self) -> None:
        self.manifest = Manifest(
            NETWORK,
            "Memory",
            "For tests.",
            fields=[Field("token", "Token", FieldKind.SECRET), Field("address", "Address", required=False)],
            poll_seconds=1,
            takes_key=self.takes_key,
        )

    def without_keys(self) -> None:
        """From now on a network that takes no idempotency key."""
        self.takes_key = False
        self._set_manifest()

    def identify(self, link: Link) -> WhoAmI:
        if link.account.secrets.get("token") != "right":
            raise errors.CredentialsRefused("The token is not accepted.")
        return WhoAmI("us", "@us", "Our company")

    def receive(self, account: Account, delivery: RawDelivery) -> Sequence[Event]:
        del account
        try:
            found = json.loads(delivery.body)
            return [plain.event_from_plain(item) for item in found]
        except (ValueError, KeyError, TypeError) as error:
            raise errors.Unreadable("This is no delivery of the memory network.") from error

    def fetch(self, link: Link, cursor: Mapping[str, Any] | None) -> Page:
        del link
        start = int((cursor or {}).get("seen", 0))
        new = self.inbound[start:]
        return Page([body_of(new)] if new else [], {"seen": start + len(new)})

    def supports(
        self, verb: Verb, target: Target | None, actor: ActorKind, account: Account, now: datetime
    ) -> Answer:
        del actor, account, now
        if verb in {Verb.HIDE, Verb.BLOCK}:
            return No("The memory network hides nothing.")
        private = target is not None and target.visibility is Visibility.PRIVATE
        visibilities = (Visibility.PRIVATE,) if private else (Visibility.PUBLIC, Visibility.PRIVATE)
        return Yes(Constraints(TextLimit(280), MediaLimit(2, ("image/*",), 1_000_000), visibilities))

    def send(self, link: Link, order: SendOrder) -> Sent:
        started_at = datetime.now(UTC)
        if isinstance(self.supports(order.verb, order.target, ActorKind.HUMAN, link.account, link.now), No):
            raise errors.Unsupported("The memory network hides nothing.")
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        fault = self.fault(order)
        if fault == "before":
            raise errors.OutcomeUnknown("No answer came.")
        if fault == "rejected":
            raise errors.Rejected("Too rude for this network.")
        if fault == "unreachable":
            raise errors.Unreachable("It is down.")
        keyed = self.repeats_safely(link.account, order)
        with self._lock:
            known = next((post for post in self.posts if keyed and post.key == order.key), None)
            if known is None:
                known = Post(f"post-{next(self._ids)}", order.key, order.text, started_at)
                self.posts.append(known)
        if fault == "after":
            raise errors.OutcomeUnknown("No answer came.")
        return Sent(known.native_id)

    def repeats_safely(self, account: Account, order: SendOrder) -> bool:
        del account
        return self.takes_key and order.verb not in self.without_key

    def look_up(self, link: Link, order: SendOrder) -> LookUpResult:
        del link
        if not self.can_look:
            return CannotTell("This network cannot be searched.")
        found = next((post for post in self.posts if post.key == order.key), None)
        return Sent(found.native_id) if found else NotFound()


def body_of(events: Sequence[Event]) -> bytes:
    """A delivery's body that this network's ``receive`` reads."""
    return json.dumps([plain.to_plain(event) for event in events]).encode()


def message(number: int | str, person: str = "ann", **changes: Any) -> MessageSeen:
    """Something a customer says in public, to us."""
    values: dict[str, Any] = {
        "native_id": f"m{number}",
        "kind": MessageKind.MENTION,
        "visibility": Visibility.PUBLIC,
        "author": Author(person, f"@{person}", person.title()),
        "text": f"Hello {number}",
        "sent_at": datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        "mentions_us": True,
    }
    values.update(changes)
    return MessageSeen(**values)
