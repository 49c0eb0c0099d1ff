"""How an organization begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from heard.domains.journal import actions as journal
from heard.domains.journal.facts import Fact
from heard.domains.organizations import rules
from heard.domains.organizations.actions.links import spend_setup_link
from heard.domains.organizations.actions.users import check_password, checked_email, join, make_user, user_of
from heard.domains.organizations.facts import BrandAdded, MemberJoined, OrganizationFounded, TeamCreated
from heard.domains.organizations.models import Brand, Organization, Team
from heard.domains.organizations.permissions import Permission, require
from heard.foundation import clock
from heard.foundation.errors import Invalid, NotAllowed, NotFound
from heard.foundation.tenancy import Actor, Role


@dataclass(frozen=True, slots=True)
class Founded:
    """A new organization and its first owner."""

    organization_id: int
    member_id: int
    user_id: int


def found_organization(
    *,
    name: str,
    timezone: str,
    owner_name: str,
    owner_email: str,
    owner_password: str | None,
    teams: Sequence[str] = (),
) -> Founded:
    """Make an organization with a default brand, its first owner and the named teams.

    An owner who is a user already (in another organization) keeps their password. Raises ``Invalid``
    naming the field: ``name``, ``timezone``, ``owner_name``, ``email``, ``password``.
    """
    name = rules.plain_name(name, field="name", limit=120)
    owner_name = rules.plain_name(owner_name, field="owner_name", limit=120)
    email = checked_email(owner_email)
    rules.checked_timezone(timezone)
    wanted = list(dict.fromkeys(rules.plain_name(team, field="teams", limit=80) for team in teams))
    now = clock.now()
    with transaction.atomic():
        user = user_of(email)
        if user is None:
            if owner_password is not None:
                check_password(owner_password, email)
            user = make_user(email, owner_password, is_verified=True, at=now)
        slug = rules.slug_of(name, Organization.objects.values_list("slug", flat=True))
        organization = Organization.objects.create(name=name, slug=slug, timezone=timezone, created_at=now)
        brand = Brand.objects.create(organization=organization, name=name, is_default=True)
        made = [
            Team.objects.create(
                organization=organization,
                name=team,
                purpose=rules.SUGGESTED_TEAMS.get(team, ""),
                created_at=now,
            )
            for team in wanted
        ]
        member = join(organization.pk, user, owner_name, Role.OWNER, (), at=now)
        facts: list[Fact] = [OrganizationFounded(member_id=member.pk), BrandAdded(brand_id=brand.pk)]
        facts += [TeamCreated(team_id=team.pk) for team in made]
        facts.append(MemberJoined(member_id=member.pk, role=Role.OWNER.value))
        journal.append(organization.pk, f"member:{member.pk}", facts, at=now)
    return Founded(organization.pk, member.pk, user.pk)


def set_up(
    token: str,
    *,
    name: str,
    timezone: str,
    owner_name: str,
    owner_email: str,
    owner_password: str,
    teams: Sequence[str] = (),
) -> Founded:
    """The first organization of an installation, made by whoever holds the printed set-up token.

    Raises ``NotFound`` once an organization exists, and ``NotAllowed`` when the token does not hold.
    """
    with transaction.atomic():
        if not spend_setup_link(token):
            raise NotAllowed("This set-up token is not valid any more. Start Heard again to print a new one.")
        if Organization.objects.exists():
            raise NotFound("This installation is set up already.")
        return found_organization(
            name=name,
            timezone=timezone,
            owner_name=owner_name,
            owner_email=owner_email,
            owner_password=owner_password,
            teams=teams,
        )


def add_member(actor: Actor, name: str, email: str, role: Role, team_ids: Iterable[int] = ()) -> int:
    """Make somebody a member without an invitation; returns the member's id.

    For the demo and the command line: a new user has no password, so a link must let them in.
    """
    require(actor, Permission.MANAGE_MEMBERS)
    name = rules.plain_name(name, field="name", limit=120)
    email = checked_email(email)
    if not rules.may_give(actor.role, role):
        raise Invalid("You cannot give a role above your own.", field="role")
    now = clock.now()
    with transaction.atomic():
        user = user_of(email) or make_user(email, None, is_verified=False, at=now)
        member = join(actor.organization_id, user, name, role, team_ids, at=now)
        journal.append(
            actor.organization_id, actor.label, [MemberJoined(member_id=member.pk, role=role.value)], at=now
        )
    return member.pk
