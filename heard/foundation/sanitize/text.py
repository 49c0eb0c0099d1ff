"""Plain text of strangers: what a database takes, what a page can show, what fits on one line."""

from __future__ import annotations

from functools import partial

import regex  # type: ignore[import-untyped]

# Vietnamese needs two marks on a letter, Hebrew with cantillation four, Tibetan five or six.
_MARKS_ALLOWED = 8
_TOO_MANY_MARKS = regex.compile(rf"([\p{{Mn}}\p{{Me}}]{{{_MARKS_ALLOWED}}})[\p{{Mn}}\p{{Me}}]+")
_UNSTORABLE = regex.compile("[\ud800-\udfff]")

_FSI, _PDI = "\u2068", "\u2069"
# Unicode UAX #9: embeddings and overrides end with PDF, isolates with PDI.
_CLOSED_BY = {
    "\u202a": "\u202c",
    "\u202b": "\u202c",
    "\u202d": "\u202c",
    "\u202e": "\u202c",
    "\u2066": _PDI,
    "\u2067": _PDI,
    _FSI: _PDI,
}
_BIDI = regex.compile("[\u202a-\u202e\u2066-\u2069]")
_PARAGRAPH_END = regex.compile("([\n\r\x1c-\x1e\x85\u2029])")
# UAX #9 ignores what nests deeper than 125; nobody writes even ten.
_DEEPEST = 20

_INVISIBLE = regex.compile(
    r"[\p{Cc}\u200b\u200e\u200f\u061c\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff--[\s]]", regex.V1
)
_FLAG_TAGS = regex.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_SPACES = regex.compile(r"[\s\u2800\u3164\uffa0]+")
_GRAPHEME = regex.compile(r"\X")


def storable_text(text: str) -> str:
    """``text`` as databases take it: without NUL, and with U+FFFD for halves of surrogate pairs."""
    storable: str = _UNSTORABLE.sub("\ufffd", text.replace("\x00", ""))
    return storable


def clean_text(text: str) -> str:
    """``text`` as a page shows it: no towers of marks, and no direction that runs over into its neighbours.

    For showing only: what is stored stays as it was written. Lines that turn the writing direction
    are closed and isolated, so that they turn nothing but themselves.
    """
    shown = _limit_marks(storable_text(text))
    if not _BIDI.search(shown):
        return shown
    return "".join(_isolated(part) for part in _PARAGRAPH_END.split(shown))


def calm(text: str) -> str:
    """``text`` without towers of marks and without any control of writing direction."""
    return _limit_marks(_BIDI.sub("", text))


def one_line(text: str, maximum: int = 160) -> str:
    """``text`` on one line for lists and titles: at most ``maximum`` graphemes, "…" where it was cut.

    Without line breaks, invisible characters and control of writing direction, so that it cannot look
    like another line or like nothing.
    """
    if maximum < 1:
        raise ValueError("a line has at least one grapheme")
    if len(text) <= maximum and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # most names and many previews: nothing below could change them
    # Cut first: a preview of a megabyte must not cost a megabyte. Marks are limited, so this is plenty.
    visible = _without_invisible(calm(storable_text(text[: maximum * 64 + 4096])))
    flat: str = _SPACES.sub(" ", visible).strip()
    found = [match.group() for match in _first(flat, maximum + 1)]
    if len(found) <= maximum:
        return flat
    return "".join(found[: maximum - 1]).rstrip() + "…"


def _first(text: str, count: int) -> list[regex.Match[str]]:
    matches = _GRAPHEME.finditer(text)
    return [match for match, _ in zip(matches, range(count), strict=False)]


def _limit_marks(text: str) -> str:
    limited: str = _TOO_MANY_MARKS.sub(r"\1", text)
    return limited


def _without_invisible(text: str) -> str:
    # Flags of England, Scotland and Wales are spelt with tags, which are invisible anywhere else.
    kept: list[str] = []
    strip = partial(_INVISIBLE.sub, "")
    start = 0
    for flag in _FLAG_TAGS.finditer(text):
        kept += [strip(text[start : flag.start()]), flag.group()]
        start = flag.end()
    return "".join([*kept, strip(text[start:])])


def _isolated(line: str) -> str:
    if not _BIDI.search(line):
        return line
    balanced = _balanced(line)
    if not _BIDI.search(balanced) or _is_one_isolate(balanced):
        return balanced
    return f"{_FSI}{balanced}{_PDI}"


def _balanced(line: str) -> str:
    kept: list[str] = []
    expected: list[str] = []
    for char in line:
        if char in _CLOSED_BY:
            if len(expected) >= _DEEPEST:
                continue
            expected.append(_CLOSED_BY[char])
        elif char in ("\u202c", _PDI):
            if not expected or expected[-1] != char:
                continue
            expected.pop()
        kept.append(char)
    return "".join([*kept, *reversed(expected)])


def _is_one_isolate(balanced: str) -> bool:
    if not (balanced.startswith(_FSI) and balanced.endswith(_PDI)):
        return False
    depth = 0
    for position, char in enumerate(balanced):
        depth += (char in _CLOSED_BY) - (char in ("\u202c", _PDI))
        if depth == 0:
            return position == len(balanced) - 1
    return False
