"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class OrganizationFounded(Fact):
    """A company was set up, with its first owner."""

    member_id: int


@dataclass(frozen=True, slots=True)
class OrganizationChanged(Fact):
    """Its settings were changed; ``fields`` names which."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrandAdded(Fact):
    """A name the company speaks under."""

    brand_id: int


@dataclass(frozen=True, slots=True)
class BrandChanged(Fact):
    """A brand was renamed or made the default."""

    brand_id: int


@dataclass(frozen=True, slots=True)
class TeamCreated(Fact):
    """A department was made."""

    team_id: int


@dataclass(frozen=True, slots=True)
class TeamChanged(Fact):
    """A team was renamed, archived, or its members changed."""

    team_id: int
    member_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MemberInvited(Fact):
    """A link was made for a new member."""

    invitation_id: int
    role: str


@dataclass(frozen=True, slots=True)
class InvitationWithdrawn(Fact):
    """The link works no longer."""

    invitation_id: int


@dataclass(frozen=True, slots=True)
class MemberJoined(Fact):
    """Somebody became a member."""

    member_id: int
    role: str


@dataclass(frozen=True, slots=True)
class MemberRoleChanged(Fact):
    """What a member may do was changed."""

    member_id: int
    role: str


@dataclass(frozen=True, slots=True)
class MemberRemoved(Fact):
    """A member left: sessions ended, nothing assigned to them any more."""

    member_id: int


@dataclass(frozen=True, slots=True)
class MemberReset(Fact):
    """An operator made a one-time way in for a member on the command line."""

    member_id: int


@dataclass(frozen=True, slots=True)
class MemberRenamed(Fact):
    """A member's name was changed."""

    member_id: int


@dataclass(frozen=True, slots=True)
class MemberForgotten(Fact):
    """What was kept about a removed member is erased: name, address, ways to sign in."""

    member_id: int


@dataclass(frozen=True, slots=True)
class SessionsEnded(Fact):
    """A member signed out everywhere, on all devices at once."""

    member_id: int
