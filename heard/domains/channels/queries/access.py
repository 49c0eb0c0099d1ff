"""Who may see a channel and answer on it, where that differs from their role."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.channels import sql
from heard.domains.channels.models import (
    Access,
    ChannelAccess,
)
from heard.domains.organizations.queries import Permission, may
from heard.foundation.asked import once
from heard.foundation.errors import NotAllowed
from heard.foundation.tenancy import Actor


@once
def _accesses(actor: Actor) -> dict[int, str]:
    """Channel id -> access, where it differs from the role.

    A member's own beats their teams'; of several teams', the widest holds.
    """
    if actor.member_id is None:
        return {}
    order = {Access.NONE: 0, Access.VIEW: 1, Access.REPLY: 2}
    own: dict[int, str] = {}
    by_team: dict[int, str] = {}
    for channel_id, access, member_id, team_id in sql.accesses(actor.organization_id):
        if member_id == actor.member_id:
            own[channel_id] = access
        elif team_id in actor.team_ids and (
            channel_id not in by_team or order[Access(access)] > order[Access(by_team[channel_id])]
        ):
            by_team[channel_id] = access
    return {**by_team, **own}


def hidden_channel_ids(actor: Actor) -> set[int]:
    """Channels this actor must not see."""
    return {channel_id for channel_id, access in _accesses(actor).items() if access == Access.NONE}


def may_reply(actor: Actor, channel_id: int) -> bool:
    """May this actor answer on this channel? The role's word, narrowed or widened for the channel."""
    if actor.is_system:
        return True
    access = _accesses(actor).get(channel_id)
    if access is None:
        return may(actor, Permission.REPLY)
    return access == Access.REPLY


def may_reply_anywhere(actor: Actor) -> bool:
    """May this actor answer on any channel? Some may on one, though their role does not."""
    return actor.is_system or may(actor, Permission.REPLY) or Access.REPLY in _accesses(actor).values()


def require_reply(actor: Actor, channel_id: int) -> None:
    """Raise ``NotAllowed`` unless ``may_reply``."""
    if not may_reply(actor, channel_id):
        raise NotAllowed("You may read this channel, not answer on it. Ask a manager of your company.")


@dataclass(frozen=True, slots=True)
class AccessView:
    """An exception to the role on a channel."""

    member_id: int | None
    team_id: int | None
    access: str


def accesses(actor: Actor, channel_id: int) -> list[AccessView]:
    """Who is an exception on this channel."""
    rows = ChannelAccess.objects.filter(organization_id=actor.organization_id, channel_id=channel_id)
    return [AccessView(row.member_id, row.team_id, row.access) for row in rows.order_by("pk")]
