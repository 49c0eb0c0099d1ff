"""The kinds of things members are told, and their sentences. Rooms above add theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification, and its sentence, which names no person. ``icon`` is of the sprite."""

    name: str
    sentence: str
    icon: str = "bell"


_kinds: dict[str, Kind] = {}


def register(kinds: Iterable[Kind]) -> None:
    """Say what kinds a room uses. Saying it again does nothing; another sentence replaces the first."""
    for kind in kinds:
        _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """The kind by its name; a plain one for what no loaded room knows (any more)."""
    return _kinds.get(name, Kind(name, "Something needs you."))


def is_local(url: str) -> bool:
    """Whether the address stays on this site: a path, and no ``//host``. At most 200 characters."""
    return url.startswith("/") and not url.startswith(("//", "/\\")) and len(url) <= 200
