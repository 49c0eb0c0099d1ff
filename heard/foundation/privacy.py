"""How each column is classified, and so how it is erased (invariant 11).

Every model of a room carries ``classified = {"column": Classified.X, …}`` for all of its columns.
A test fails on a column that is missing.
"""

from __future__ import annotations

from enum import StrEnum


class Classified(StrEnum):
    """What a column can tell about a person outside the company, or about a member."""

    NEUTRAL = "neutral"
    """Says nothing about a person: ids, counts, states, times."""

    PERSON = "person"
    """Identifies a person outside the company: erased with the contact."""

    CONTENT = "content"
    """What a person said, or was told: erased with the contact."""

    MEMBER = "member"
    """About a member of the company: erased when the member is removed and forgotten."""

    SECRET = "secret"  # noqa: S105 - the name of a class, not a password
    """A credential: encrypted, never exported, destroyed with its channel."""


NEUTRAL, PERSON, CONTENT, MEMBER, SECRET = Classified
