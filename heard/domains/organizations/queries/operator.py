"""What whoever runs the installation may ask, on the terminal and in the worker; never a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from heard.domains.organizations import rules
from heard.domains.organizations.models import Member, Organization
from heard.domains.organizations.queries.people import MemberLine, member_lines
from heard.foundation.errors import Invalid


@dataclass(frozen=True, slots=True)
class OrganizationLine:
    """One organization of the installation, for the operator's terminal."""

    id: int
    name: str
    slug: str
    timezone: str
    member_count: int
    created_at: datetime


def every_organization() -> list[OrganizationLine]:
    """All organizations. For the operator's commands; never for a page."""
    counts: dict[int, int] = {}
    for organization_id in Member.objects.filter(removed_at__isnull=True).values_list(
        "organization_id", flat=True
    ):
        counts[organization_id] = counts.get(organization_id, 0) + 1
    return [
        OrganizationLine(row.pk, row.name, row.slug, row.timezone, counts.get(row.pk, 0), row.created_at)
        for row in Organization.objects.order_by("pk")
    ]


def chosen_organization(slug: str | None) -> OrganizationLine:
    """The one a command means: by its short name, or the only one. Raises ``Invalid`` with what to type."""
    found = every_organization()
    names = ", ".join(line.slug for line in found)
    if slug is None:
        if len(found) == 1:
            return found[0]
        raise Invalid(
            f"Name one with --organization: {names}." if found else "No organization is set up yet."
        )
    for line in found:
        if line.slug == slug:
            return line
    raise Invalid(f"There is no organization “{slug}”. There are: {names}.")


def organization_ids() -> list[int]:
    """The ids of all organizations. For the worker and the operator's commands."""
    return list(Organization.objects.order_by("pk").values_list("pk", flat=True))


def removed_member(organization_id: int, email: str) -> MemberLine | None:
    """The removed member of one organization with this address. For the operator's commands."""
    rows = Member.objects.filter(organization_id=organization_id, removed_at__isnull=False)
    found = member_lines(rows.filter(user__email=rules.plain_email(email)))
    return found[0] if found else None


def members_for_operator(organization_id: int) -> list[MemberLine]:
    """Active members of one organization. For the operator's commands."""
    rows = Member.objects.filter(organization_id=organization_id, removed_at__isnull=True).order_by("pk")
    return member_lines(rows)
