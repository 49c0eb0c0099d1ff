"""Parts that are drawn from nothing but their own values are drawn once, and shown again from memory.

A list of fifty rows is drawn anew whenever one of them changes, for everybody who looks at it. What a
part depends on beside its values is the reader's language, time zone and day, and how long ago its
moments are in words; all of that is in the key, so what is remembered is never out of date.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Reader(NamedTuple):
    """Who reads, as far as drawing depends on it."""

    language: str
    zone: str
    today: date


def reader() -> Reader:
    """Of this request."""
    now = timezone.localtime()
    return Reader(get_language() or "", str(now.tzinfo), now.date())


def span(seconds: float) -> tuple[str, int]:
    """How long that is in its largest unit: (unit: "" | "m" | "h" | "d", how many of it)."""
    if seconds < MINUTE:
        return "", 0
    if seconds < HOUR:
        return "m", int(seconds // MINUTE)
    if seconds < DAY:
        return "h", int(seconds // HOUR)
    return "d", int(seconds // DAY)


def since(moment: datetime) -> float:
    """Seconds from a moment until now, never negative."""
    return max(0.0, (datetime.now(UTC) - moment).total_seconds())


def draw(
    template: str, name: str, values: Hashable, by: Reader, *, ages: tuple[datetime | None, ...] = ()
) -> SafeString:
    """The part's HTML. ``template`` reads ``values`` as ``name`` and nothing else; ``ages`` are the moments
    of which it says how long ago they are.
    """
    return _drawn(template, name, values, by, tuple(None if at is None else span(since(at)) for at in ages))


# A row is some 1.5 KB: the lists that a company's agents look at.
@lru_cache(maxsize=4096)
def _drawn(template: str, name: str, values: Hashable, _by: Reader, _ages: Hashable) -> SafeString:
    return render_to_string(template, {name: values})
