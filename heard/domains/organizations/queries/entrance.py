"""The questions asked at the door: who is signed in, what a link is good for, is this set up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from heard.domains.organizations import rules, sql
from heard.domains.organizations.members_only import Membership
from heard.domains.organizations.models import Invitation, Member, Organization, SignInLink, TeamMember, User
from heard.domains.organizations.rules import InvitationState, LinkPurpose
from heard.foundation import clock
from heard.foundation.crypto import token_hash
from heard.foundation.errors import NotFound
from heard.foundation.tenancy import Actor, Role


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user as members' pages see them: acting in one organization, with the others to switch to.

    ``timezone`` is that organization's IANA name: pages say times as its people's clocks do.
    """

    actor: Actor
    memberships: tuple[Membership, ...]
    last_seen_at: datetime | None
    timezone: str


def signed_in(user_id: int, organization_id: int | None) -> SignedIn | None:
    """Who this user is in the chosen organization, else in their first. ``None``: a member of none.

    One statement: it runs before every page.
    """
    rows = sql.memberships(user_id)
    if not rows:
        return None
    chosen = next((row for row in rows if row[1] == organization_id), rows[0])
    found = {row[0]: Membership(row[1], row[2], row[3], row[0], Role(row[4])) for row in rows}
    actor = Actor(
        organization_id=chosen[1],
        member_id=chosen[0],
        role=Role(chosen[4]),
        name=chosen[5],
        team_ids=frozenset(row[7] for row in rows if row[0] == chosen[0] and row[7] is not None),
    )
    return SignedIn(actor, tuple(found.values()), chosen[6], chosen[8])


def actor_of(organization_id: int, member_id: int) -> Actor:
    """The actor that a member is, for work that goes on without a request. Raises ``NotFound``."""
    found = Member.objects.filter(
        organization_id=organization_id, pk=member_id, removed_at__isnull=True
    ).first()
    if found is None:
        raise NotFound("There is no such member.")
    teams = TeamMember.objects.filter(member=found).values_list("team_id", flat=True)
    return Actor(organization_id, found.pk, Role(found.role), found.name, frozenset(teams))


def user_id_of(organization_id: int, member_id: int) -> int:
    """The user behind a member, to make a sign-in link for. Raises ``NotFound``."""
    found = Member.objects.filter(
        organization_id=organization_id, pk=member_id, removed_at__isnull=True
    ).first()
    if found is None or found.user_id is None:
        raise NotFound("There is no such member.")
    return found.user_id


@dataclass(frozen=True, slots=True)
class OpenedInvitation:
    """An invitation as whoever holds its link sees it."""

    organization_id: int
    organization_name: str
    email: str
    name: str
    role: Role
    invited_by: str
    state: InvitationState
    expires_at: datetime
    has_user: bool


def invitation_of(token: str) -> OpenedInvitation:
    """The invitation of a link. Raises ``NotFound`` for a token that never was."""
    row = (
        Invitation.objects.filter(token_hash=token_hash(token))
        .select_related("organization", "invited_by")
        .first()
    )
    if row is None:
        raise NotFound("There is no such invitation. Copy the whole link, or ask for a new one.")
    state = rules.invitation_state(
        now=clock.now(), expires_at=row.expires_at, accepted_at=row.accepted_at, withdrawn_at=row.withdrawn_at
    )
    return OpenedInvitation(
        organization_id=row.organization_id,
        organization_name=row.organization.name,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        invited_by=row.invited_by.name,
        state=state,
        expires_at=row.expires_at,
        has_user=User.objects.filter(email=row.email).exists(),
    )


def is_set_up() -> bool:
    """Whether any organization exists: then the first-run page does not."""
    return Organization.objects.exists()


def setup_token_holds(token: str) -> bool:
    """Whether this is a set-up token that can still be used."""
    return SignInLink.objects.filter(
        purpose=LinkPurpose.SETUP,
        token_hash=token_hash(token),
        expires_at__gt=clock.now(),
        used_at__isnull=True,
    ).exists()
