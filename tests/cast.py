"""The fixed cast: Alice owns, Bob helps, Charlie must see nothing. The same people in every test."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.test import Client

from heard.config import startup
from heard.connectorkit import registry
from heard.connectorkit.vocabulary import Event, Source
from heard.foundation.tenancy import Actor, Role
from tests.memory_network import NETWORK, MemoryNetwork, body_of, message

os.environ.setdefault("HEARD_ALLOW_ADDRESSES", "127.0.0.1, localhost, [::1]")
startup.equip()
startup.load_rooms()

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Cast:
    """Two organizations and their people."""

    alice: Actor
    bob: Actor
    charlie: Actor
    users: dict[int, int] = field(default_factory=dict)

    def browser(self, actor: Actor) -> Client:
        """A browser in which this person is signed in."""
        from heard.domains.organizations.models import User

        client = Client()
        client.force_login(User.objects.get(pk=self.users[actor.member_id or 0]))
        return client


@pytest.fixture
def cast(db: None) -> Cast:
    """Northbridge, where Alice and Bob work, and Southbank, where Charlie does."""
    from heard.domains.organizations.actions import add_member, found_organization
    from heard.domains.organizations.models import Member
    from heard.domains.organizations.queries import actor_of

    north = found_organization(
        name="Northbridge",
        timezone="Europe/London",
        owner_name="Alice Archer",
        owner_email="alice@northbridge.example",
        owner_password=None,
        teams=["Customer service", "Press"],
    )
    alice = actor_of(north.organization_id, north.member_id)
    bob_id = add_member(alice, "Bob Baker", "bob@northbridge.example", Role.AGENT)
    south = found_organization(
        name="Southbank",
        timezone="Europe/Berlin",
        owner_name="Charlie Cole",
        owner_email="charlie@southbank.example",
        owner_password=None,
    )
    users = {row.pk: row.user_id or 0 for row in Member.objects.all()}
    return Cast(
        alice,
        actor_of(north.organization_id, bob_id),
        actor_of(south.organization_id, south.member_id),
        users,
    )


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> MemoryNetwork:
    """The memory network, installed beside the real ones."""
    found = MemoryNetwork()
    real = dict(registry.connectors())
    monkeypatch.setattr(registry, "connectors", lambda: {**real, NETWORK: found})
    monkeypatch.setattr(registry, "connector", lambda name: {**real, NETWORK: found}[name])
    return found


@dataclass
class Line:
    """A connected channel of the memory network, and what customers say on it."""

    actor: Actor
    channel_id: int
    network: MemoryNetwork

    def hand_in(self, *events: Event, source: Source = Source.WEBHOOK) -> None:
        """The network hands these over in one delivery; nothing is understood yet."""
        from heard.domains.channels.actions import ArrivedDelivery, receive
        from heard.foundation import clock

        receive(
            [
                ArrivedDelivery(
                    self.actor.organization_id, self.channel_id, source, body_of(events), clock.now()
                )
            ]
        )

    def says(self, *events: Event, source: Source = Source.WEBHOOK) -> None:
        """Customers say these, and Heard does all its work."""
        self.hand_in(*events, source=source)
        work()

    def case(self, number: int | str = 1, person: str = "ann", **changes: object) -> int:
        """A case that a customer's message opened; returns its id."""
        from heard.domains.conversations.models import Message
        from heard.domains.inbox.queries import case_ids_of

        self.says(message(number, person, **changes))
        found = Message.objects.get(
            organization_id=self.actor.organization_id, channel_id=self.channel_id, native_id=f"m{number}"
        )
        assert found.conversation_id is not None
        return case_ids_of(self.actor.organization_id, [found.conversation_id]).pop()


def work() -> None:
    """Run all jobs, sealing and reacting, until nothing is due."""
    from heard.foundation.work.loop import drain

    drain()


@pytest.fixture
def line(cast: Cast, network: MemoryNetwork) -> Line:
    """Northbridge's channel."""
    return connect(cast.alice, network)


@pytest.fixture
def connect_line(network: MemoryNetwork) -> Callable[[Actor], Line]:
    """Connect a channel for somebody else."""
    return lambda actor: connect(actor, network)


def connect(actor: Actor, network: MemoryNetwork) -> Line:
    """Connect the memory network's account for this organization."""
    from heard.domains.channels.actions import connect as connect_channel

    channel_id = connect_channel(actor, NETWORK, {"token": "right", "address": "memory"})
    return Line(actor, channel_id, network)
