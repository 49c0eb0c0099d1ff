"""Counting a text as its network counts: the composer, the gate and the tests ask the same function.

Time is linear in the text: 64 KiB of combining characters cost no more than 64 KiB of letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from .vocabulary import TextLimit, TextUnit

_GRAPHEME = regex.compile(r"\X")
#: A flag is two regional indicators. ``\\X`` looks back over a whole run of them at every step, which
#: takes seconds for a text of flags; standing in a letter for each flag keeps the count and the time.
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{1,2}")
_URL = re.compile(r"(?<![\w@/])https?://[^\s<>\"'`]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w/@])@(\w+(?:[.-]\w+)*)@[a-z0-9][a-z0-9.-]*[a-z0-9]", re.IGNORECASE)
_CLOSERS = ".,;:!?)]}»”’…"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Count:
    """``used`` of ``maximum`` in the unit of the limit; ``used_bytes`` as UTF-8; ``over`` in either."""

    used: int
    maximum: int
    over: bool
    used_bytes: int

    @property
    def left(self) -> int:
        """What may still be written, in the limit's unit; negative when over."""
        return self.maximum - self.used


def count(text: str, limit: TextLimit) -> Count:
    """Count ``text`` as ``limit`` says. Bytes are those of the text itself, whatever a URL costs."""
    used_bytes = len(text.encode("utf-8", "surrogatepass"))
    counted, urls = _take_urls(text, limit)
    if limit.mention_local_only:
        counted = _MENTION.sub(r"@\1", counted)
    used = _length(counted, limit.unit) + urls * (limit.url_cost or 0)
    over = used > limit.maximum or (limit.maximum_bytes is not None and used_bytes > limit.maximum_bytes)
    return Count(used=used, maximum=limit.maximum, over=over, used_bytes=used_bytes)


def _take_urls(text: str, limit: TextLimit) -> tuple[str, int]:
    if limit.url_cost is None:
        return text, 0
    kept: list[str] = []
    position = found = 0
    for match in _URL.finditer(text):
        url = _trim(match.group())
        if "." not in url and "localhost" not in url.lower():
            continue
        kept.append(text[position : match.start()])
        position = match.start() + len(url)
        found += 1
    kept.append(text[position:])
    return "".join(kept), found


def _trim(url: str) -> str:
    """Without the punctuation that belongs to the sentence: ``(see https://a.example/b).``"""
    end = len(url)
    spare = {closer: url.count(opener) - url.count(closer) for closer, opener in _BRACKETS.items()}
    while end and url[end - 1] in _CLOSERS:
        last = url[end - 1]
        if last in spare:
            if spare[last] >= 0:  # its opening bracket stands inside the URL
                break
            spare[last] += 1
        end -= 1
    return url[:end]


def _length(text: str, unit: TextUnit) -> int:
    if unit is TextUnit.GRAPHEME:
        # ASCII without CR LF is one grapheme each: the usual text costs nothing.
        if text.isascii() and "\r" not in text:
            return len(text)
        return sum(1 for _ in _GRAPHEME.finditer(_FLAG.sub("A", text)))
    if unit is TextUnit.UTF16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    if unit is TextUnit.BYTE:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text)
