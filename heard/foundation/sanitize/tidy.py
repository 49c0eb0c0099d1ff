"""HTML of strangers, brought into a form that costs no more to parse than it is long.

Parsers by the book (nh3's is one) repeat unclosed formatting in every paragraph and walk the whole
depth for many tags: twelve kilobytes of ``<b>`` and ``<p>`` kept ours busy for five seconds, and a
hundred thousand ``<div>`` for ever. So the markup is first read here, in one pass, and written anew:
known tags only, well nested, not deep, few attributes. Nothing is trusted because of it; the
sanitizer comes after.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

VOID = frozenset(("br", "col", "hr", "img", "wbr"))
KNOWN = VOID | frozenset(
    """
    a abbr b bdi blockquote caption center cite code colgroup dd del details dfn div dl dt em figcaption
    figure h1 h2 h3 h4 h5 h6 i ins kbd li mark ol p pre q rp rt ruby s samp small span strike strong sub
    summary sup table tbody td tfoot th thead time tr tt u ul var
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
# Their content is not for reading. The first group swallows everything up to its end tag, or to the end.
_RAW = frozenset(
    ("iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp")
)
_DROPPED = frozenset(("audio", "canvas", "math", "object", "select", "svg", "template", "video"))

_DEEPEST = 100
_MOST_TAGS = 10_000
_MOST_ATTRIBUTES = 20
_LONGEST_ATTRIBUTE = 4_000

_BLOCKS = frozenset(
    """
    blockquote center details div dl figure figcaption h1 h2 h3 h4 h5 h6 hr li ol p pre summary table ul
    """.split()  # noqa: SIM905
)
_TABLE = frozenset(("table",))
_TABLE_PARTS = frozenset(("caption", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"))
_CELLS = _TABLE_PARTS - _TABLE | {"col"}
_FRAMES = frozenset(("colgroup", "table", "tbody", "tfoot", "thead", "tr"))
_P_SCOPE = frozenset(("caption", "table", "td", "th"))
# What a start tag closes although nobody wrote the end tag, and how far up it looks.
_IMPLIED: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset(("li",)), frozenset(("ol", "ul", "table", "td", "th"))),
    "dt": (frozenset(("dt", "dd")), frozenset(("dl", "table", "td", "th"))),
    "dd": (frozenset(("dt", "dd")), frozenset(("dl", "table", "td", "th"))),
    "td": (frozenset(("td", "th", "caption", "colgroup")), frozenset(("table", "tr"))),
    "th": (frozenset(("td", "th", "caption", "colgroup")), frozenset(("table", "tr"))),
    "tr": (frozenset(("tr", "caption", "colgroup")), frozenset(("table",))),
    "tbody": (frozenset(("tbody", "thead", "tfoot", "caption", "colgroup")), frozenset(("table",))),
    "thead": (frozenset(("tbody", "thead", "tfoot", "caption", "colgroup")), frozenset(("table",))),
    "tfoot": (frozenset(("tbody", "thead", "tfoot", "caption", "colgroup")), frozenset(("table",))),
    "a": (frozenset(("a",)), frozenset(("table", "td", "th"))),
}

_MARKUP = re.compile(r"<(?=[A-Za-z/!?])")
_NAME = re.compile(r"</?([A-Za-z][^\s/>]*+)")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)?))?"""
)
_TAG_END = re.compile(r"[\s/]*+>")
_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)

Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as it was written; ``attributes`` have lower-case names and their entities untouched."""

    name: str
    closing: bool
    attributes: Attributes


@dataclass(slots=True)
class _Writer:
    """Writes tags so that every one is closed, in order."""

    out: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    tags: int = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if self.tags >= _MOST_TAGS:
            return
        self._close_implied(name)
        if self._is_astray(name):
            return
        if len(self.open) >= _DEEPEST and name not in VOID:
            return
        self.tags += 1
        shown = "".join(f' {key}="{_quoted(value)}"' for key, value in attributes.items())
        self.out.append(f"<{name}{shown}>")
        if name not in VOID:
            self.open.append(name)
            self.counts[name] += 1

    def _is_astray(self, name: str) -> bool:
        """Parsers drop parts of a table that is none, and move what is no part of it out in front of it,
        where it may close something else.
        """
        if name in _CELLS and not self.counts["table"]:
            return True
        return bool(self.open) and self.open[-1] in _FRAMES and name not in _TABLE_PARTS | VOID

    def end(self, name: str) -> None:
        # A stray end tag inside a cell must not close what is around the table.
        self._close_up_to(frozenset((name,)), _TABLE if name in _TABLE_PARTS else _P_SCOPE)

    def finish(self) -> str:
        self._close_from(0)
        return "".join(self.out)

    def _close_implied(self, name: str) -> None:
        if name in _BLOCKS:
            self._close_up_to(frozenset(("p",)), _P_SCOPE)
        if name in _IMPLIED:
            self._close_up_to(*_IMPLIED[name])

    def _close_up_to(self, names: frozenset[str], scope: frozenset[str]) -> None:
        if not any(self.counts[name] for name in names):
            return
        for position in range(len(self.open) - 1, -1, -1):
            if self.open[position] in names:
                self._close_from(position)
                return
            if self.open[position] in scope:
                return

    def _close_from(self, position: int) -> None:
        for name in reversed(self.open[position:]):
            self.out.append(f"</{name}>")
            self.counts[name] -= 1
        del self.open[position:]


def tidy(html: str, keep: Mapping[str, Sequence[str]]) -> Iterator[str | Tag]:
    """Text and known tags of ``html`` in order; attributes that ``keep`` names for the tag (or ``*``).

    Text comes with its entities, and without ``<``. Takes time in proportion to the length.
    """
    position, unclosed = 0, set[str]()
    while position < len(html):
        markup = _MARKUP.search(html, position)
        opening = markup.start() if markup else len(html)
        if opening > position:
            yield html[position:opening].replace("<", "&lt;")
        if markup is None:
            return
        name_found = _NAME.match(html, opening)
        if name_found is None:
            position = _after_comment(html, opening)
            continue
        name, closing = name_found[1].lower(), html[opening + 1] == "/"
        wanted = frozenset((*keep.get(name, ()), *keep.get("*", ())))
        attributes, position = _read_attributes(html, name_found.end(), wanted)
        if name in KNOWN:
            yield Tag(name, closing, attributes)
        elif not closing and (name in _RAW or name in _DROPPED):
            position = _after_content(html, position, name, unclosed)


def write(parts: Iterator[str | Tag]) -> str:
    """Markup from what ``tidy`` gave: well nested, at most 100 deep and 10,000 tags long."""
    writer = _Writer()
    for part in parts:
        if isinstance(part, str):
            writer.out.append(part)
        elif part.closing:
            writer.end(part.name)
        else:
            writer.start(part.name, part.attributes)
    return writer.finish()


def _after_comment(html: str, opening: int) -> int:
    if html.startswith("<!--", opening):
        comment = _COMMENT.match(html, opening)
        return comment.end() if comment else len(html)
    end = html.find(">", opening)
    return end + 1 if end >= 0 else len(html)


def _read_attributes(html: str, position: int, wanted: frozenset[str]) -> tuple[Attributes, int]:
    kept: Attributes = {}
    while True:
        end = _TAG_END.match(html, position)
        if end:
            return kept, end.end()
        found = _ATTRIBUTE.match(html, position)
        if found is None:
            return kept, len(html)  # the tag never ends: the rest is not shown
        position = found.end()
        name = found[1].lower()
        if name in wanted and name not in kept and len(kept) < _MOST_ATTRIBUTES:
            value = next((part for part in found.groups()[1:] if part is not None), "")
            if len(value) <= _LONGEST_ATTRIBUTE:
                kept[name] = value


def _after_content(html: str, position: int, name: str, unclosed: set[str]) -> int:
    # A name that was not closed once is not looked for again, or many of them would take for ever.
    found = None
    if name not in unclosed and name != "plaintext":
        found = re.compile(rf"</{name}(?=[\s/>])[^>]*+>?", re.IGNORECASE | re.ASCII).search(html, position)
    if found:
        return found.end()
    unclosed.add(name)
    return len(html) if name in _RAW else position


def _quoted(value: str) -> str:
    return value.replace('"', "&quot;")
