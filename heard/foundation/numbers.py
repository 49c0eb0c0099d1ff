"""Whole numbers as they come in addresses and forms: anybody may write anything there."""

from __future__ import annotations

MOST_DIGITS = 18
"""Every number of so many digits fits 63 bits, which is what databases hold."""
LARGEST = 10**MOST_DIGITS


def whole(text: str) -> int | None:
    """The number in ``text``; ``None`` for anything but 1 to 18 digits from 0 to 9 (``²`` is a digit too)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
