"""HTML as plain text: what a reader sees, with links spelled out to where they really lead.

For networks that deliver markup (Mastodon, e-mail without a text part). It never fails, whatever the
markup, and takes linear time; the result is for reading and searching, not for showing as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from .payload import clean
from .quoting import split_quoted

__all__ = ["LONGEST_HTML", "html_to_text", "split_quoted"]

#: Markup beyond this is not read: no message is that long, and a parser must not be a lever.
LONGEST_HTML = 1_000_000

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "ul",
    ]
)
#: These stand apart by an empty line; the other blocks only begin a new one.
_PARAGRAPHS = frozenset(
    ["blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul"]
)
_LINES = frozenset(("li", "tr"))
_CELLS = frozenset(("td", "th"))
_SILENT = frozenset(("head", "noscript", "script", "style", "template", "title"))
_BY_NAME = frozenset(("hashtag", "mention"))
_SPACES = re.compile(r"[ \t\r\n\f]+")
_WEB = re.compile(r"https?://", re.IGNORECASE)
#: Declarations and instructions say nothing to readers. What begins a tag and never ends it is text. Both
#: are settled before the parser runs, which would look for their ends again and again.
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_UNFINISHED = re.compile(r"<(?=[!?/]|[a-z])(?![^<>]*>)", re.IGNORECASE)


def html_to_text(html: str, mentions: Mapping[str, str] | None = None) -> str:
    """What ``html`` says, as plain text without NUL bytes and lone surrogates.

    Paragraphs are parted by an empty line, ``<br>`` is a line break, items begin with ``-`` or their
    number. A link is written as its address where its text is (a part of) an address, else as
    ``text (address)``; the texts of mentions and hashtags stand alone. ``mentions`` gives the
    text for a link by its address (``{"https://b.example/@anna": "@anna@b.example"}``).
    """
    reader = _Reader(mentions or {})
    reader.feed(_parseable(clean(html[:LONGEST_HTML])))
    reader.close()
    return reader.text()


def _parseable(html: str) -> str:
    """``html`` without comments and declarations, and with every tag that begins also ending."""
    kept: list[str] = []
    position = 0
    while (start := html.find("<!--", position)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        kept.append(html[position:start])
        position = end + 3
    kept.append(html[position:])
    return _UNFINISHED.sub("&lt;", _DECLARATION.sub("", "".join(kept)))


class _Reader(HTMLParser):
    """Collects pieces of text; breaks are remembered and written before the next piece."""

    def __init__(self, mentions: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self._mentions = mentions
        self._pieces: list[str] = []
        self._breaks = 0
        self._space = False
        self._silent = ""
        self._preformatted = 0
        self._lists: list[int | None] = []
        self._link: _Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent:
            return
        if tag in _SILENT:
            self._silent = tag
        elif tag == "br":
            self._new_line()
        elif tag == "a":
            self._close_link()
            self._link = _Link.opened(dict(attrs), self._mentions)
        elif tag == "span" and self._link and _is_shortened(attrs):
            self._link.shortened = True
        elif tag == "img":
            self._say((dict(attrs).get("alt") or "").strip())
        else:
            self._open_block(tag)

    def _open_block(self, tag: str) -> None:
        if tag in _BLOCKS or tag in _LINES:
            self._close_link()
        if tag in _PARAGRAPHS and not (self._lists and tag in ("ul", "ol")):
            self._part(2)
        elif tag in _BLOCKS or tag in _LINES:
            self._part(1)
        elif tag in _CELLS:
            self._space = True
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._say(self._bullet())
            self._space = True
        elif tag == "pre":
            self._preformatted += 1

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent = "" if tag == self._silent else self._silent
            return
        if tag == "a":
            self._close_link()
            return
        if tag in _BLOCKS or tag in _LINES:
            self._close_link()
            self._part(2 if tag in _PARAGRAPHS and not (tag in ("ul", "ol") and len(self._lists) > 1) else 1)
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre" and self._preformatted:
            self._preformatted -= 1

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._link is not None:
            self._link.pieces.append(data)
        elif self._preformatted:
            self._verbatim(data)
        else:
            self._words(data)

    def text(self) -> str:
        """Everything read, without blank edges."""
        self._close_link()
        return "".join(self._pieces).strip()

    def _close_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._words(link.text())

    def _words(self, data: str) -> None:
        flat = _SPACES.sub(" ", data)
        if flat.startswith(" "):
            self._space = True
        self._say(flat.strip(" "))
        if flat.endswith(" ") and flat.strip(" "):
            self._space = True

    def _verbatim(self, data: str) -> None:
        for number, line in enumerate(data.replace("\r\n", "\n").split("\n")):
            if number:
                self._new_line()
            self._say(line)

    def _say(self, words: str) -> None:
        if not words:
            return
        if self._pieces and self._breaks:
            self._pieces.append("\n" * self._breaks)
        elif self._pieces and self._space:
            self._pieces.append(" ")
        self._breaks, self._space = 0, False
        self._pieces.append(words)

    def _new_line(self) -> None:
        if self._link is not None:
            self._link.pieces.append(" ")
        else:
            # Two at most: a thousand <br> are still one gap.
            self._breaks = min(self._breaks + 1, 2)

    def _part(self, lines: int) -> None:
        self._breaks = max(self._breaks, lines)

    def _bullet(self) -> str:
        indent = "  " * (min(len(self._lists), 8) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return indent + "-"
        self._lists[-1] = number + 1
        return f"{indent}{number}."


class _Link:
    """An ``<a>`` being read."""

    def __init__(self, href: str, by_name: bool, known_as: str) -> None:  # noqa: FBT001 - private
        self.href = href
        self.by_name = by_name
        self.known_as = known_as
        self.shortened = False
        self.pieces: list[str] = []

    @classmethod
    def opened(cls, attributes: Mapping[str, str | None], mentions: Mapping[str, str]) -> _Link:
        """From the attributes of the tag."""
        href = (attributes.get("href") or "").strip()
        classes = (attributes.get("class") or "").lower().split()
        return cls(href, not _BY_NAME.isdisjoint(classes), mentions.get(href, ""))

    def text(self) -> str:
        """What stands for the link in plain text. A leading or trailing space is kept."""
        shown = "".join(self.pieces)
        words = _SPACES.sub(" ", shown).strip()
        if self.known_as:
            return self.known_as
        if self.by_name or not _WEB.match(self.href) or _same_address(words, self.href):
            return shown
        if not words or self.shortened or _WEB.match(words):
            return self.href
        return f"{shown.rstrip()} ({self.href})"


def _same_address(words: str, href: str) -> bool:
    return words.rstrip("/") == href.rstrip("/")


def _is_shortened(attributes: Sequence[tuple[str, str | None]]) -> bool:
    classes = (dict(attributes).get("class") or "").lower().split()
    return "invisible" in classes or "ellipsis" in classes
