"""The organization itself: its name, brands and teams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from heard.domains.organizations import sql
from heard.domains.organizations.models import Brand, Organization, TeamMember
from heard.foundation.asked import once
from heard.foundation.questions import Question
from heard.foundation.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Company:
    """The actor's organization. ``timezone`` is an IANA name."""

    id: int
    name: str
    slug: str
    timezone: str
    created_at: datetime


_organizations = Question(lambda organization_id: Organization.objects.filter(pk=organization_id))


@once
def company(actor: Actor) -> Company:
    """The actor's organization."""
    (found,) = _organizations(actor.organization_id)
    return Company(found.pk, found.name, found.slug, found.timezone, found.created_at)


@dataclass(frozen=True, slots=True)
class BrandLine:
    """A name the company speaks under."""

    id: int
    name: str
    is_default: bool


def brands(actor: Actor) -> list[BrandLine]:
    """The organization's brands, the default first."""
    rows = Brand.objects.filter(organization_id=actor.organization_id).order_by("-is_default", "name")
    return [BrandLine(row.pk, row.name, row.is_default) for row in rows]


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A department, and the ids of the members in it."""

    id: int
    name: str
    purpose: str
    member_ids: tuple[int, ...]
    is_archived: bool


def teams(actor: Actor, *, with_archived: bool = False) -> list[TeamLine]:
    """The organization's teams by name; archived ones last, and only when asked for."""
    return [team for team in _teams(actor.organization_id) if with_archived or not team.is_archived]


@once
def _teams(organization_id: int) -> list[TeamLine]:
    inside: dict[int, list[int]] = {}
    lines: dict[int, tuple[str, str, bool]] = {}
    for team_id, name, purpose, is_archived, member_id in sql.teams(organization_id):
        lines[team_id] = name, purpose, bool(is_archived)
        inside.setdefault(team_id, []).extend([] if member_id is None else [member_id])
    found = [
        TeamLine(team_id, name, purpose, tuple(inside[team_id]), is_archived)
        for team_id, (name, purpose, is_archived) in lines.items()
    ]
    return sorted(found, key=lambda team: (team.is_archived, team.name.casefold()))


def team_member_ids(actor: Actor, team_id: int) -> list[int]:
    """Who is in a team of the actor's organization; empty for a team of another."""
    return sorted(
        TeamMember.objects.filter(organization_id=actor.organization_id, team_id=team_id).values_list(
            "member_id", flat=True
        )
    )
