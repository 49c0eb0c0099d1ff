"""What a fact is: a frozen dataclass in the past tense, with ids, kinds and small values only.

Other rooms derive theirs from ``Fact`` in their own ``facts.py``. What people say never enters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

_kinds: dict[str, type[Fact]] = {}


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts. ``kind`` is ``room.Name``, taken from the module and the class."""

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super(Fact, cls).__init_subclass__(**kwargs)
        parts = cls.__module__.split(".")
        room = parts[-2] if parts[-1] == "facts" else parts[-1]
        cls.kind = f"{room}.{cls.__name__}"
        _kinds[cls.kind] = cls


@dataclass(frozen=True, slots=True)
class Sealed:
    """A fact as a consumer reads it: its place, its time, who did it, and its values."""

    organization_id: int
    position: int
    kind: str
    at: datetime
    actor: str
    data: dict[str, Any]

    def as_fact(self) -> Fact:
        """The dataclass this fact was made from. Unknown fields of older versions are left out.

        Raises ``KeyError`` when no room knows the kind.
        """
        fact_type = _kinds[self.kind]
        names = {field.name for field in fields(fact_type)}
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.data.items()
            if name in names
        }
        return fact_type(**values)


def kinds() -> dict[str, type[Fact]]:
    """All facts that loaded rooms announce, by kind."""
    return dict(sorted(_kinds.items()))


Reaction = Callable[[Sequence[Sealed]], None]

_reactions: dict[str, tuple[frozenset[str], Reaction]] = {}


def on(name: str, *facts: type[Fact]) -> Callable[[Reaction], Reaction]:
    """Register a reaction: ``@on("inbox.open_cases", MessagesArrived)`` in a room's ``reactions.py``.

    It gets sealed facts of these kinds, of one organization, in order, inside the transaction that
    also moves its place; it fails and is retried alone.
    """

    def register(react: Reaction) -> Reaction:
        if name in _reactions and _reactions[name][1] is not react:
            raise ValueError(f"Two reactions are called {name!r}.")
        _reactions[name] = (frozenset(fact.kind for fact in facts), react)
        return react

    return register


def reactions() -> dict[str, tuple[frozenset[str], Reaction]]:
    """All registered reactions by name: the kinds they follow, and the function."""
    return dict(_reactions)
