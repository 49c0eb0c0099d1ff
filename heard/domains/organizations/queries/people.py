"""Who works here, and who is invited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import QuerySet

from heard.domains.organizations import sql
from heard.domains.organizations.models import Invitation, Member, TeamMember
from heard.domains.organizations.permissions import Permission, require
from heard.foundation import clock
from heard.foundation.asked import once
from heard.foundation.errors import NotFound
from heard.foundation.tenancy import Actor, Role


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A member, as colleagues see them."""

    id: int
    name: str
    email: str
    role: Role
    team_ids: tuple[int, ...]
    joined_at: datetime
    last_seen_at: datetime | None
    removed_at: datetime | None
    has_second_factor: bool = False


def member_lines(rows: QuerySet[Member]) -> list[MemberLine]:
    """Rows as lines, in three statements however many there are."""
    found = list(rows.select_related("user"))
    teams_of: dict[int, list[int]] = {}
    for member_id, team_id in TeamMember.objects.filter(
        member__in=found, team__archived_at__isnull=True
    ).values_list("member_id", "team_id"):
        teams_of.setdefault(member_id, []).append(team_id)
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    guarded = set(
        Authenticator.objects.filter(user__member__in=found, type__in=kinds).values_list("user_id", flat=True)
    )
    return [
        MemberLine(
            id=row.pk,
            name=row.name,
            email=row.user.email if row.user else "",
            role=Role(row.role),
            team_ids=tuple(sorted(teams_of.get(row.pk, []))),
            joined_at=row.joined_at,
            last_seen_at=row.last_seen_at,
            removed_at=row.removed_at,
            has_second_factor=row.user_id in guarded,
        )
        for row in found
    ]


@once
def members(actor: Actor, *, with_removed: bool = False) -> list[MemberLine]:
    """The organization's members by name; removed ones last, and only when asked for."""
    rows = Member.objects.filter(organization_id=actor.organization_id)
    if not with_removed:
        rows = rows.filter(removed_at__isnull=True)
    return sorted(
        member_lines(rows), key=lambda line: (line.removed_at is not None, line.name.casefold(), line.id)
    )


def member(actor: Actor, member_id: int) -> MemberLine:
    """One member, removed or not. Raises ``NotFound``."""
    found = member_lines(Member.objects.filter(organization_id=actor.organization_id, pk=member_id))
    if not found:
        raise NotFound("There is no such member.")
    return found[0]


def member_names(actor: Actor, member_ids: Iterable[int]) -> dict[int, str]:
    """Names by id, of removed members too; ids of other organizations are left out."""
    everybody = _names(actor.organization_id)
    return {number: everybody[number][0] for number in member_ids if number in everybody}


def everybodys_names(actor: Actor) -> dict[int, str]:
    """Names by id of all who ever were members: who did something."""
    return {number: name for number, (name, _) in _names(actor.organization_id).items()}


def colleagues(actor: Actor) -> list[tuple[int, str]]:
    """(id, name) of the organization's members by name: who may be given something."""
    known = _names(actor.organization_id)
    here = [(number, name) for number, (name, is_removed) in known.items() if not is_removed]
    return sorted(here, key=lambda line: (line[1].casefold(), line[0]))


@once
def _names(organization_id: int) -> dict[int, tuple[str, bool]]:
    return sql.names(organization_id)


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """An invitation that can still be accepted, or has expired unused."""

    id: int
    email: str
    name: str
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime
    is_expired: bool


def open_invitations(actor: Actor) -> list[InvitationLine]:
    """Invitations that were neither accepted nor withdrawn, newest first."""
    require(actor, Permission.MANAGE_MEMBERS)
    now = clock.now()
    rows = Invitation.objects.filter(
        organization_id=actor.organization_id, accepted_at__isnull=True, withdrawn_at__isnull=True
    )
    return [
        InvitationLine(
            row.pk,
            row.email,
            row.name,
            Role(row.role),
            row.invited_by.name,
            row.created_at,
            row.expires_at,
            row.expires_at <= now,
        )
        for row in rows.select_related("invited_by").order_by("-created_at", "-pk")
    ]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a member's own page shows: the account, and which ways in it has."""

    name: str
    email: str
    is_email_verified: bool
    has_password: bool
    has_totp: bool
    passkeys: int
    connected: tuple[str, ...]


def profile(actor: Actor) -> Profile:
    """The actor's own account. Raises ``NotFound`` for the system."""
    if actor.member_id is None:
        raise NotFound("There is no such member.")
    row = (
        Member.objects.filter(organization_id=actor.organization_id, pk=actor.member_id)
        .select_related("user")
        .first()
    )
    if row is None or row.user is None:
        raise NotFound("There is no such member.")
    kinds = list(Authenticator.objects.filter(user=row.user).values_list("type", flat=True))
    return Profile(
        name=row.name,
        email=row.user.email,
        is_email_verified=EmailAddress.objects.filter(
            user=row.user, email=row.user.email, verified=True
        ).exists(),
        has_password=row.user.has_usable_password(),
        has_totp=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        connected=tuple(SocialAccount.objects.filter(user=row.user).values_list("provider", flat=True)),
    )
