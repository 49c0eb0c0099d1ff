"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class MemberNotified(Fact):
    """A member was told something: their open pages move the bell."""

    member_id: int
    told_kind: str
    subject_id: int


@dataclass(frozen=True, slots=True)
class NotificationsRead(Fact):
    """A member has read what they were told; ``count`` of it."""

    member_id: int
    count: int
