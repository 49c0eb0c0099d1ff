"""What every page asks first, as plain statements: the ORM took 2 ms for each of them, the database 0.05."""

from __future__ import annotations

from typing import Any

from heard.foundation import db


def memberships(user_id: int) -> list[tuple[Any, ...]]:
    """Where a user is a member, oldest first, a row per team.

    (member, organization, its name, its slug, role, name, last seen at, team or ``None``, time zone).
    """
    rows = db.fetch_all(
        "SELECT m.id, m.organization_id, o.name, o.slug, m.role, m.name, m.last_seen_at, t.team_id,"
        " o.timezone FROM organizations_member m"
        " JOIN organizations_organization o ON o.id = m.organization_id"
        " LEFT JOIN organizations_teammember t ON t.member_id = m.id"
        " WHERE m.user_id = %s AND m.removed_at IS NULL ORDER BY m.id",
        [user_id],
    )
    return [(*row[:6], db.instant(row[6]), *row[7:]) for row in rows]


def names(organization_id: int) -> dict[int, tuple[str, bool]]:
    """(name, is removed) by id of all who are or were members."""
    rows = db.fetch_all(
        "SELECT id, name, removed_at IS NOT NULL FROM organizations_member WHERE organization_id = %s",
        [organization_id],
    )
    return {row[0]: (row[1], bool(row[2])) for row in rows}


def teams(organization_id: int) -> list[tuple[Any, ...]]:
    """(id, name, purpose, is archived, member or ``None``), a row per member."""
    return db.fetch_all(
        "SELECT t.id, t.name, t.purpose, t.archived_at IS NOT NULL, m.member_id FROM organizations_team t"
        " LEFT JOIN organizations_teammember m ON m.team_id = t.id WHERE t.organization_id = %s"
        " ORDER BY t.id, m.member_id",
        [organization_id],
    )
