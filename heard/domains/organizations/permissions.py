"""Who may do what. One table for all rooms; they import it through this room's ``queries``."""

from __future__ import annotations

from enum import StrEnum

from heard.foundation.errors import NotAllowed
from heard.foundation.tenancy import Actor, Role


class Permission(StrEnum):
    """One thing that a member may or may not do. The value reads on in "You may not …"."""

    VIEW_INBOX = "see the inbox"
    REPLY = "reply"
    ASSIGN = "assign cases"
    NOTE = "write notes"
    CHANGE_STATUS = "change the status of cases"
    BLOCK = "block people"
    APPROVE = "approve what others wrote"
    PUBLISH = "publish"
    MANAGE_CHANNELS = "connect or change channels"
    MANAGE_MEMBERS = "invite or change members"
    MANAGE_TEAMS = "change teams"
    MANAGE_ORGANIZATION = "change the organization"
    PLACE_HOLD = "stop everything that leaves"
    RELEASE_HOLD = "release what was stopped"
    EXPORT_PERSON = "export what is known of a person"
    ERASE_PERSON = "erase a person"
    VIEW_JOURNAL = "read the journal"


_OBSERVER = frozenset({Permission.VIEW_INBOX})
_REVIEWER = _OBSERVER | {Permission.NOTE, Permission.APPROVE}
# Everybody who works in the inbox can stop everything; releasing it again takes a manager.
_AGENT = _OBSERVER | {
    Permission.REPLY,
    Permission.ASSIGN,
    Permission.NOTE,
    Permission.CHANGE_STATUS,
    Permission.BLOCK,
    Permission.PLACE_HOLD,
}
_OWNER = frozenset(Permission)
_MANAGER = _OWNER - {Permission.MANAGE_ORGANIZATION}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.MANAGER: _MANAGER,
    Role.AGENT: _AGENT,
    Role.REVIEWER: _REVIEWER,
    Role.OBSERVER: _OBSERVER,
}


def may(actor: Actor, permission: Permission) -> bool:
    """Whether the actor may. The system may everything in its one organization; a member without a
    role nothing.
    """
    if actor.is_system:
        return True
    return actor.role is not None and permission in PERMISSIONS[actor.role]


def require(actor: Actor, permission: Permission) -> None:
    """Raise ``NotAllowed``, with a sentence for the page, unless the actor may."""
    if not may(actor, permission):
        raise NotAllowed(f"Your role does not let you {permission.value}. Ask an owner or a manager.")
