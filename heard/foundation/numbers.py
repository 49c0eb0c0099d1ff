"""Whole numbers: as they come in addresses and forms, where anybody may write anything; as they are said."""

from __future__ import annotations

MOST_DIGITS = 18
"""Every number of so many digits fits 63 bits, which is what databases hold."""
LARGEST = 10**MOST_DIGITS


def counted(count: int, what: str) -> str:
    """``1 channel``, ``2 channels``: for words that take an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def whole(text: str) -> int | None:
    """The number in ``text``; ``None`` for anything but 1 to 18 digits from 0 to 9 (``²`` is a digit too)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
