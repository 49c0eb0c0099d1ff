"""Decisions of this room: values in, values out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from heard.foundation.errors import Invalid
from heard.foundation.tenancy import Role

INVITATION_LASTS = timedelta(days=7)
SETUP_LINK_LASTS = timedelta(days=1)

_RANK = {Role.OBSERVER: 0, Role.REVIEWER: 1, Role.AGENT: 2, Role.MANAGER: 3, Role.OWNER: 4}

# Offered at first set-up: a name, and what the team is for.
SUGGESTED_TEAMS = {
    "Customer service": "Questions, complaints and orders",
    "Marketing": "Campaigns, posts and praise",
    "Sales": "Offers and new customers",
    "Press": "Journalists and public statements",
    "Product": "Ideas and faults",
    "Board": "What needs a decision at the top",
}


class LinkPurpose(StrEnum):
    """Why a way in was printed on the operator's terminal."""

    SETUP = "setup"
    """Guards the first-run page; names no user."""

    DEMO = "demo"
    """Opens the demo, again and again while it runs on this machine only."""

    RESET = "reset"
    """For somebody who cannot sign in: the old password ends when it is used."""

    ONCE = "once"
    """Signs one user in, once."""


class InvitationState(StrEnum):
    """Where an invitation stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


def rank(role: Role) -> int:
    """How high a role stands: the owner highest."""
    return _RANK[role]


def may_give(giver: Role | None, role: Role) -> bool:
    """Whether ``giver`` may hand out ``role``: nobody raises anyone above themselves.

    ``None`` is the system (set-up, the command line), which may.
    """
    return giver is None or rank(role) <= rank(giver)


def may_change(giver: Role | None, holder: Role) -> bool:
    """Whether ``giver`` may touch somebody who holds ``holder``: a manager cannot demote an owner."""
    return giver is None or rank(holder) <= rank(giver)


def roles_to_give(giver: Role | None) -> list[Role]:
    """The roles that ``giver`` may hand out, highest first."""
    return [role for role in Role if may_give(giver, role)]


def leaves_no_owner(owner_ids: Collection[int], member_id: int, new_role: Role | None) -> bool:
    """Whether giving ``member_id`` the new role (``None``: removing them) would leave no owner."""
    if new_role is Role.OWNER:
        return False
    return set(owner_ids) == {member_id}


def invitation_state(
    *, now: datetime, expires_at: datetime, accepted_at: datetime | None, withdrawn_at: datetime | None
) -> InvitationState:
    """Where an invitation stands at ``now``. What was accepted stays so, whatever came later."""
    if accepted_at is not None:
        return InvitationState.ACCEPTED
    if withdrawn_at is not None:
        return InvitationState.WITHDRAWN
    if now >= expires_at:
        return InvitationState.EXPIRED
    return InvitationState.OPEN


def plain_email(email: str) -> str:
    """An address as it is stored and compared: without surrounding space, in lower case."""
    return email.strip().lower()


def plain_name(text: str, *, field: str, limit: int) -> str:
    """A name as it is stored: one line, without control characters and direction overrides.

    Raises ``Invalid`` on ``field`` when nothing is left, or more than ``limit`` characters are.
    """
    kept = "".join(" " if _is_space(sign) else sign for sign in text if not _is_hidden(sign))
    name = " ".join(kept.split())
    if not name:
        raise Invalid("Please write a name.", field=field)
    if len(name) > limit:
        raise Invalid(f"Please use at most {limit} characters; these are {len(name)}.", field=field)
    return name


def _is_space(sign: str) -> bool:
    return sign.isspace()


def _is_hidden(sign: str) -> bool:
    # Cc control, Cs lone surrogate, and the marks that reorder text around them. Other format
    # characters (joiners) belong to names in some scripts.
    if sign.isspace():
        return False
    return (
        unicodedata.category(sign) in {"Cc", "Cs"}
        or sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def slug_of(name: str, taken: Iterable[str]) -> str:
    """A short address for an organization: ``northbridge-transit``, with a number where it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "organization"
    used = set(taken)
    slug, number = base, 1
    while slug in used:
        number += 1
        slug = f"{base}-{number}"
    return slug


def known_timezones() -> list[str]:
    """The time zones that can be chosen; ``UTC`` first."""
    zones = {
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))
    }
    return ["UTC", *sorted(zones)]


def checked_timezone(name: str) -> str:
    """The name, when it is a time zone. Raises ``Invalid`` on ``timezone`` otherwise."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid("Please choose a time zone from the list.", field="timezone") from error
    return name
