"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class ContactsMet(Fact):
    """People we had not heard before, one fact per batch."""

    contact_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ContactBlocked(Fact):
    """Messages of this person no longer reach the inbox."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class ContactUnblocked(Fact):
    """They do again."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class ContactErased(Fact):
    """A person was forgotten: anonymised, counts kept; ``suppressed`` when not to be collected again."""

    contact_id: int
    suppressed: bool


@dataclass(frozen=True, slots=True)
class ContactNoteWritten(Fact):
    """What colleagues should know about a person was changed; the words are not in the record."""

    contact_id: int
