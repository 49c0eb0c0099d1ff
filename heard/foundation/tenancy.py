"""Who acts, for which organization. Every query and action takes an ``Actor`` first.

There is no default organization and no thread-local: a function that needs a tenant and was given
none cannot run (invariant 10, tenants never meet).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a member may do; narrowed or widened per channel by ``channels.ChannelAccess``."""

    OWNER = "owner"
    MANAGER = "manager"
    AGENT = "agent"
    REVIEWER = "reviewer"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Actor:
    """A member acting in one organization, or the system acting for one.

    ``member_id`` is ``None`` for the system. ``team_ids`` are the teams the member is in.
    """

    organization_id: int
    member_id: int | None = None
    role: Role | None = None
    name: str = ""
    team_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def is_system(self) -> bool:
        """True for work that no member started (a poll, a reaction to a fact)."""
        return self.member_id is None

    @property
    def label(self) -> str:
        """``member:7`` or ``system``: how the journal names the actor."""
        return "system" if self.member_id is None else f"member:{self.member_id}"


def system(organization_id: int) -> Actor:
    """The actor of work that no member started, in exactly one organization."""
    return Actor(organization_id=organization_id, name="Heard")
