"""The company's own settings: its name and time zone, its brands, its teams."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from heard.domains.journal import actions as journal
from heard.domains.journal.facts import Fact
from heard.domains.organizations import rules
from heard.domains.organizations.actions.users import named_once
from heard.domains.organizations.facts import (
    BrandAdded,
    BrandChanged,
    OrganizationChanged,
    TeamChanged,
    TeamCreated,
)
from heard.domains.organizations.models import Brand, Member, Organization, Team, TeamMember
from heard.domains.organizations.permissions import Permission, require
from heard.foundation import clock
from heard.foundation.errors import Conflict, NotFound
from heard.foundation.tenancy import Actor

_TEAM_EXISTS = "There is a team with this name already."
_BRAND_EXISTS = "There is a brand with this name already."


def change_organization(actor: Actor, *, name: str, timezone: str) -> None:
    """Change the company's name and time zone. Its short address (slug) stays."""
    require(actor, Permission.MANAGE_ORGANIZATION)
    name = rules.plain_name(name, field="name", limit=120)
    rules.checked_timezone(timezone)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=actor.organization_id)
        wanted = {"name": name, "timezone": timezone}
        changed = tuple(field for field, value in wanted.items() if getattr(organization, field) != value)
        if not changed:
            return
        organization.name, organization.timezone = name, timezone
        organization.save(update_fields=list(changed))
        _append(actor, OrganizationChanged(fields=changed))


def add_brand(actor: Actor, name: str) -> int:
    """Add a name that the company speaks under; returns its id."""
    require(actor, Permission.MANAGE_CHANNELS)
    name = rules.plain_name(name, field="name", limit=120)
    with transaction.atomic():
        with named_once(_BRAND_EXISTS, field="name"):
            brand = Brand.objects.create(organization_id=actor.organization_id, name=name)
        _append(actor, BrandAdded(brand_id=brand.pk))
    return brand.pk


def rename_brand(actor: Actor, brand_id: int, name: str) -> None:
    """Give a brand another name."""
    require(actor, Permission.MANAGE_CHANNELS)
    name = rules.plain_name(name, field="name", limit=120)
    with transaction.atomic():
        brand = _brand(actor, brand_id)
        brand.name = name
        with named_once(_BRAND_EXISTS, field="name"):
            brand.save(update_fields=["name"])
        _append(actor, BrandChanged(brand_id=brand_id))


def make_default_brand(actor: Actor, brand_id: int) -> None:
    """New channels speak under this brand unless another is chosen."""
    require(actor, Permission.MANAGE_CHANNELS)
    with transaction.atomic():
        brand = _brand(actor, brand_id)
        Brand.objects.filter(organization_id=actor.organization_id).update(is_default=False)
        brand.is_default = True
        brand.save(update_fields=["is_default"])
        _append(actor, BrandChanged(brand_id=brand_id))


def create_team(actor: Actor, *, name: str, purpose: str = "", member_ids: Iterable[int] = ()) -> int:
    """Make a department; returns its id."""
    require(actor, Permission.MANAGE_TEAMS)
    name = rules.plain_name(name, field="name", limit=80)
    purpose = _purpose(purpose)
    with transaction.atomic():
        with named_once(_TEAM_EXISTS, field="name"):
            team = Team.objects.create(
                organization_id=actor.organization_id, name=name, purpose=purpose, created_at=clock.now()
            )
        members = _set_members(actor, team, member_ids)
        facts: list[Fact] = [TeamCreated(team_id=team.pk)]
        if members:
            facts.append(TeamChanged(team_id=team.pk, member_ids=members))
        _append(actor, *facts)
    return team.pk


def change_team(actor: Actor, team_id: int, *, name: str, purpose: str, member_ids: Iterable[int]) -> None:
    """Rename a team, say what it is for, and set who is in it."""
    require(actor, Permission.MANAGE_TEAMS)
    name = rules.plain_name(name, field="name", limit=80)
    with transaction.atomic():
        team = _team(actor, team_id)
        team.name, team.purpose = name, _purpose(purpose)
        with named_once(_TEAM_EXISTS, field="name"):
            team.save(update_fields=["name", "purpose"])
        _append(actor, TeamChanged(team_id=team_id, member_ids=_set_members(actor, team, member_ids)))


def archive_team(actor: Actor, team_id: int) -> None:
    """Take a team out of use. Cases keep it; nothing new can be given to it."""
    require(actor, Permission.MANAGE_TEAMS)
    with transaction.atomic():
        team = _team(actor, team_id)
        if team.archived_at is not None:
            raise Conflict("This team is archived already.")
        team.archived_at = clock.now()
        team.save(update_fields=["archived_at"])
        _append(actor, TeamChanged(team_id=team_id, member_ids=_member_ids(team)))


def restore_team(actor: Actor, team_id: int) -> None:
    """Take an archived team into use again."""
    require(actor, Permission.MANAGE_TEAMS)
    with transaction.atomic():
        team = _team(actor, team_id)
        if team.archived_at is None:
            raise Conflict("This team is in use already.")
        team.archived_at = None
        team.save(update_fields=["archived_at"])
        _append(actor, TeamChanged(team_id=team_id, member_ids=_member_ids(team)))


def _purpose(text: str) -> str:
    return rules.plain_name(text, field="purpose", limit=200) if text.strip() else ""


def _brand(actor: Actor, brand_id: int) -> Brand:
    brand = (
        Brand.objects.select_for_update().filter(organization_id=actor.organization_id, pk=brand_id).first()
    )
    if brand is None:
        raise NotFound("There is no such brand.")
    return brand


def _team(actor: Actor, team_id: int) -> Team:
    team = Team.objects.select_for_update().filter(organization_id=actor.organization_id, pk=team_id).first()
    if team is None:
        raise NotFound("There is no such team.")
    return team


def _set_members(actor: Actor, team: Team, member_ids: Iterable[int]) -> tuple[int, ...]:
    members = Member.objects.filter(
        organization_id=actor.organization_id, pk__in=list(member_ids), removed_at__isnull=True
    )
    wanted = tuple(members.order_by("pk").values_list("pk", flat=True))
    TeamMember.objects.filter(team=team).exclude(member_id__in=wanted).delete()
    TeamMember.objects.bulk_create(
        [
            TeamMember(organization_id=actor.organization_id, team=team, member_id=member_id)
            for member_id in wanted
        ],
        ignore_conflicts=True,
    )
    return wanted


def _member_ids(team: Team) -> tuple[int, ...]:
    return tuple(
        TeamMember.objects.filter(team=team).order_by("member_id").values_list("member_id", flat=True)
    )


def _append(actor: Actor, *facts: Fact) -> None:
    journal.append(actor.organization_id, actor.label, facts, at=clock.now())
