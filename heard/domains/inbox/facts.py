"""What this room announces."""

from __future__ import annotations

from dataclasses import dataclass

from heard.domains.journal.facts import Fact


@dataclass(frozen=True, slots=True)
class CasesTouched(Fact):
    """Messages reached their cases, one fact per batch. The tuples are aligned.

    ``opened`` says whether the case was opened by it, ``reopened`` whether a new episode began.
    """

    case_ids: tuple[int, ...]
    conversation_ids: tuple[int, ...]
    opened: tuple[bool, ...]
    reopened: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class CaseAnswered(Fact):
    """A reply of ours that the person can see stands in one of its conversations."""

    case_id: int
    episode_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class CaseSnoozed(Fact):
    """Nobody wants to see it before a moment, in whole seconds of Unix time; by a person."""

    case_id: int
    until_seconds: int


@dataclass(frozen=True, slots=True)
class CasesReturned(Fact):
    """Their moment has come: they are open again."""

    case_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CaseAssigned(Fact):
    """It is somebody's now; 0 means nobody's."""

    case_id: int
    member_id: int
    team_id: int


@dataclass(frozen=True, slots=True)
class CaseStatusChanged(Fact):
    """Open, pending, done or spam, by a person."""

    case_id: int
    status: str
    episode_id: int


@dataclass(frozen=True, slots=True)
class NoteWritten(Fact):
    """Colleagues told each other something."""

    case_id: int
    note_id: int


@dataclass(frozen=True, slots=True)
class CaseNotesErased(Fact):
    """Notes about a forgotten person were emptied."""

    contact_id: int
    notes: int
