"""What is new in an answer by mail, and what only repeats the mails before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Lines longer than this are prose, whatever they begin with.
_LONGEST_MARK = 400
#: "On Monday … Anna Berg wrote:" is broken into at most so many lines by mail programs.
_MARK_LINES = 3
#: Within so many lines the head of a repeated mail ("From: … Sent: …") names at least two fields.
_HEAD_LINES = 5

_WROTE = re.compile(
    r"(on\b.{4,}\bwrote|am\b.{4,}\bschrieb\b.{0,200}|.{0,200}\bschrieb am\b.{4,}|le\b.{4,}\ba écrit"
    r"|el\b.{4,}\bescribió|il\b.{4,}\bha scritto|op\b.{4,}\bschreef\b.{0,200}|em\b.{4,}\bescreveu)\s?:\s*",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS_TO_TELL = re.compile(r"(on|am|le|el|il|op|em)\s|.{0,200}\bschrieb am\b", re.IGNORECASE)
_RULE = re.compile(
    r"\s*-{2,}\s*(original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht"
    r"|message d.origine|message transféré|mensaje original|mensaje reenviado)\s*-{2,}\s*",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*\*?(from|von|de)\s?:\*?\s", re.IGNORECASE)
_FIELD = re.compile(
    r"\s*\*?(sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto)"
    r"\s?:\*?\s",
    re.IGNORECASE,
)
_DATED = re.compile(r"\d|@")
_UNDERSCORES = re.compile(r"\s*_{10,}\s*")


def split_quoted(text: str) -> tuple[str, str]:
    """``(new, quoted)``: together they are ``text``, character by character.

    ``quoted`` is the history that mail programs put below an answer, by the marks of English, German,
    French, Spanish, Italian, Dutch and Portuguese programs and of Outlook, or a last run of ``>`` lines.
    It is empty where there is none, where somebody answered between the quoted lines (they belong
    together), and where nothing else would be left (a mail that was only passed on).
    """
    lines = text.splitlines(keepends=True)
    start = _first_mark(lines)
    if start is None:
        start = _last_quotes(lines)
    if start is None or not "".join(lines[:start]).strip():
        return text, ""
    new = "".join(lines[:start])
    return new, text[len(new) :]


def _first_mark(lines: Sequence[str]) -> int | None:
    """The line from which on everything repeats an older mail."""
    for number, line in enumerate(lines):
        if line.lstrip().startswith(">"):
            continue
        told = _tells_who_wrote(lines, number)
        if told:
            return None if _answers_below(lines, number + told) else number
        if _RULE.fullmatch(line[:_LONGEST_MARK]):
            return number
        if _begins_a_head(lines, number):
            above = number > 0 and _UNDERSCORES.fullmatch(lines[number - 1][:_LONGEST_MARK])
            return number - 1 if above else number
    return None


def _tells_who_wrote(lines: Sequence[str], number: int) -> int:
    """Of how many lines "On Monday … Anna wrote:" consists that begins here; 0 where it is none."""
    if not _BEGINS_TO_TELL.match(lines[number][:_LONGEST_MARK]):
        return 0
    told = ""
    for count, line in enumerate(lines[number : number + _MARK_LINES], start=1):
        told += line
        if len(told) > _LONGEST_MARK or not line.strip():
            return 0
        if _WROTE.fullmatch(told):
            # "On Tuesday I wrote:" is prose, unless quoted lines follow; programs name a date or an address.
            return count if _DATED.search(told) or _quotes_follow(lines, number + count) else 0
    return 0


def _begins_a_head(lines: Sequence[str], number: int) -> bool:
    if not _FROM.match(lines[number][:_LONGEST_MARK]):
        return False
    below = lines[number + 1 : number + 1 + _HEAD_LINES]
    return sum(bool(_FIELD.match(line[:_LONGEST_MARK])) for line in below) >= 2


def _quotes_follow(lines: Sequence[str], start: int) -> bool:
    following = (line.lstrip() for line in lines[start : start + _MARK_LINES] if line.strip())
    return next(following, "").startswith(">")


def _answers_below(lines: Sequence[str], start: int) -> bool:
    """Whether ``>`` lines begin here and something new stands between or below them."""
    if not _quotes_follow(lines, start):
        return False
    return any(line.strip() and not line.lstrip().startswith(">") for line in lines[start:])


def _last_quotes(lines: Sequence[str]) -> int | None:
    """Where the ``>`` lines begin with which the text ends."""
    start = None
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number].strip()
        if line.startswith(">"):
            start = number
        elif line:
            break
    return start
