"""What an examination says: one sentence each, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """``fine``; ``look``: it works, and somebody should look; ``wrong``: something does not work."""

    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``what_to_do`` is empty only where all is well."""

    level: Level
    title: str
    what_to_do: str = ""


def fine(title: str) -> Finding:
    """All is well with this."""
    return Finding(Level.FINE, title)


def look(title: str, what_to_do: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(Level.LOOK, title, what_to_do)


def wrong(title: str, what_to_do: str) -> Finding:
    """It does not work."""
    return Finding(Level.WRONG, title, what_to_do)


def count_of(number: int, one: str, many: str = "") -> str:
    """``1 channel``, ``1,200 channels``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size_of(size_bytes: float) -> str:
    """Bytes for people: ``3.4 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "bytes" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def span_of(seconds: float) -> str:
    """Seconds for people: ``40 seconds``, ``3 minutes``, ``5 hours``, ``2 days``."""
    for unit, length, most in (("second", 1, 120), ("minute", 60, 120), ("hour", 3600, 48)):
        if seconds < length * most:
            return count_of(round(seconds / length), unit)
    return count_of(round(seconds / 86400), "day")
