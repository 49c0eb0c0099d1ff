"""The cast with passwords: Alice owns, Bob helps, Charlie must see nothing.

Alice and Bob work at Northbridge Transit, where Bob is an agent; Charlie owns a company of their own
on the same installation.
"""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.organizations import actions, queries
from heard.domains.organizations.actions.founding import Founded
from heard.foundation.tenancy import Actor, Role, system

PASSWORD = "the train leaves at nine"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays. E-mail addresses are ``alice@northbridge.example`` and so on."""

    alice: Actor
    bob: Actor
    charlie: Actor
    user_ids: dict[str, int]

    @property
    def organization_id(self) -> int:
        """Alice's and Bob's organization."""
        return self.alice.organization_id


def found_cast() -> Cast:
    """Make both organizations and their people, with ``PASSWORD`` for Alice and Charlie."""
    north = _found("Northbridge Transit", "Alice", "alice@northbridge.example", ["Customer service", "Press"])
    south = _found("Southgate Bakery", "Charlie", "charlie@southgate.example", ["Sales"])
    acting = system(north.organization_id)
    service = queries.teams(acting)[0]
    bob_id = actions.add_member(acting, "Bob", "bob@northbridge.example", Role.AGENT, [service.id])
    return Cast(
        alice=queries.actor_of(north.organization_id, north.member_id),
        bob=queries.actor_of(north.organization_id, bob_id),
        charlie=queries.actor_of(south.organization_id, south.member_id),
        user_ids={
            "alice": north.user_id,
            "bob": queries.user_id_of(north.organization_id, bob_id),
            "charlie": south.user_id,
        },
    )


def _found(name: str, owner: str, email: str, teams: list[str]) -> Founded:
    return actions.found_organization(
        name=name,
        timezone="Europe/Berlin",
        owner_name=owner,
        owner_email=email,
        owner_password=PASSWORD,
        teams=teams,
    )
