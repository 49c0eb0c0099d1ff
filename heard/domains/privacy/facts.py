"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class PersonErased(Fact):
    """A person was forgotten in every room; ``suppressed`` when not to be collected again."""

    contact_id: int
    messages: int
    files: int
    suppressed: bool


@dataclass(frozen=True, slots=True)
class PersonExported(Fact):
    """Everything held about a person was handed out."""

    contact_id: int
