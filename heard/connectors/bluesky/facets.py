"""Links, mentions and hashtags in a text: Bluesky wants them marked by their place in UTF-8 bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex  # type: ignore[import-untyped]

from .limits import TAG_BYTES, TAG_GRAPHEMES
from .syntax import HANDLE, is_handle

_LINK = regex.compile(r"(?<![\w@])https?://[^\s<>\"\u00ab\u00bb\u201c\u201d]+", regex.IGNORECASE)
_MENTION = regex.compile(rf"(?<![\w@./-])@({HANDLE})(?![\w-])")
# A tag ends at a space or an invisible character. U+FE0F after the sign makes it the keycap emoji.
_TAG = regex.compile(r"(?<!\S)[#\uff03](?!\ufe0f)([^\s\u00ad\u2060\u200a-\u200d\u20e2]+)")
_TAG_HAS_LETTER = regex.compile(r"[^\d\p{P}]")
_TRAILING_PUNCTUATION = regex.compile(r"\p{P}+$")
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_ENDS_A_SENTENCE = ".,;:!?'\u2019\u2026*"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text, in characters: a ``link``, ``mention`` or ``tag``, and what it stands for."""

    start: int
    end: int
    kind: str
    value: str


def find_spans(text: str) -> Sequence[Span]:
    """Every link, mention and hashtag of ``text``, in order and without overlap; links win."""
    links = list(_links(text))
    others = [span for span in (*_mentions(text), *_tags(text)) if not _overlaps(span, links)]
    return sorted((*links, *others), key=lambda span: span.start)


def mentioned_handles(text: str) -> Sequence[str]:
    """The handles that ``text`` mentions, each once, as they have to be looked up."""
    return list(dict.fromkeys(span.value for span in find_spans(text) if span.kind == "mention"))


def facets_for(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """The facets of a post. A mention whose handle is not in ``dids`` stays plain text."""
    facets = []
    for span in find_spans(text):
        feature = _feature(span, dids)
        if feature is not None:
            start = len(text[: span.start].encode())
            index = {"byteStart": start, "byteEnd": start + len(text[span.start : span.end].encode())}
            facets.append({"$type": "app.bsky.richtext.facet", "index": index, "features": [feature]})
    return facets


def _feature(span: Span, dids: Mapping[str, str]) -> dict[str, str] | None:
    if span.kind == "link":
        return {"$type": "app.bsky.richtext.facet#link", "uri": span.value}
    if span.kind == "tag":
        return {"$type": "app.bsky.richtext.facet#tag", "tag": span.value}
    did = dids.get(span.value)
    return {"$type": "app.bsky.richtext.facet#mention", "did": did} if did else None


def _links(text: str) -> Iterator[Span]:
    for found in _LINK.finditer(text):
        link = _without_sentence_end(found[0])
        if len(link) > len("https://"):
            yield Span(found.start(), found.start() + len(link), "link", link)


def _without_sentence_end(link: str) -> str:
    # "(see https://example.com/a_(b))." names a page that ends in a bracket of its own.
    while link:
        opener = _CLOSERS.get(link[-1])
        unbalanced = opener is not None and link.count(link[-1]) > link.count(opener)
        if link[-1] not in _ENDS_A_SENTENCE and not unbalanced:
            break
        link = link[:-1]
    return link


def _mentions(text: str) -> Iterator[Span]:
    for found in _MENTION.finditer(text):
        if is_handle(found[1]):
            yield Span(found.start(), found.end(), "mention", found[1].lower())


def _tags(text: str) -> Iterator[Span]:
    for found in _TAG.finditer(text):
        tag = _TRAILING_PUNCTUATION.sub("", found[1])
        short = len(regex.findall(r"\X", tag)) <= TAG_GRAPHEMES and len(tag.encode()) <= TAG_BYTES
        if short and _TAG_HAS_LETTER.search(tag):
            yield Span(found.start(), found.start() + 1 + len(tag), "tag", tag)


def _overlaps(span: Span, others: Sequence[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)
