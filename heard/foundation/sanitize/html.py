"""HTML of e-mails, safe to show inside a page: nh3 decides, ``tidy`` keeps its work small.

No script, style, form or frame survives, no class and no ``style`` (so nothing can be hidden, moved
over our buttons or drawn in white), no address but http, https and mailto. A remote image tells its
sender that and when it was looked at, so they stay away until somebody asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from html import escape, unescape

import nh3

from .text import calm, storable_text
from .tidy import KNOWN, Tag, tidy, write

#: As much of a message's HTML as is shown, in characters.
MAXIMUM_CHARACTERS = 300_000

_KEPT = {
    "*": ("dir", "lang"),
    "a": ("href",),
    "img": ("src", "alt", "width", "height"),
    "ol": ("start",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan"),
    "time": ("datetime",),
}
_SMALL_NUMBER = re.compile(r"[0-9]{1,3}")
_NUMBERS = frozenset(("width", "height", "start", "colspan", "rowspan"))
_CONTENT_ID = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-]{1,200}")
_REMOTE = re.compile(r"\s*(https?:)?//", re.IGNORECASE)


def clean_html(html: str, *, remote_images: bool, inline_urls: Mapping[str, str] | None = None) -> str:
    """A fragment to put into a page as it is; at most the first 300,000 characters of ``html``.

    Links open elsewhere and tell nobody where they were clicked. ``inline_urls`` are our own paths of
    the message's attached images by content id; ``cid:`` images without one stay as ``<img data-cid>``,
    which shows their description. Remote images lose their source unless ``remote_images``.
    """
    cut = html[:MAXIMUM_CHARACTERS]
    urls = dict(inline_urls or {})
    for url in urls.values():
        if not url.startswith("/") or url.startswith("//"):
            raise ValueError("inline images are served from paths of our own")
    parts = _with_images(tidy(storable_text(cut), _KEPT), urls, remote_images=remote_images)
    # Calm at the end, when entities have become characters. Direction is what ``dir`` and ``bdi`` are for.
    cleaned = calm(_cleaner(remote_images, frozenset(urls.values())).clean(write(parts)))
    return cleaned + "<p>…</p>" if len(html) > MAXIMUM_CHARACTERS else cleaned


def blocked_images(html: str) -> int:
    """How many remote images ``clean_html`` leaves out, for the button that would show them."""
    tags = (part for part in tidy(html[:MAXIMUM_CHARACTERS], _KEPT) if isinstance(part, Tag))
    return sum(tag.name == "img" and bool(_REMOTE.match(_source(tag))) for tag in tags)


def _with_images(
    parts: Iterator[str | Tag], urls: Mapping[str, str], *, remote_images: bool
) -> Iterator[str | Tag]:
    for part in parts:
        if isinstance(part, Tag) and part.name == "img":
            yield _image(part, urls, remote_images=remote_images)
        else:
            yield part


def _image(tag: Tag, urls: Mapping[str, str], *, remote_images: bool) -> Tag:
    source = _source(tag).strip()
    attributes = {name: value for name, value in tag.attributes.items() if name != "src"}
    if source[:4].lower() == "cid:":
        content_id = source[4:].strip("<>")
        if content_id in urls:
            attributes["src"] = escape(urls[content_id])
        elif _CONTENT_ID.fullmatch(content_id):
            attributes["data-cid"] = escape(content_id)
    elif remote_images and _REMOTE.match(source):
        attributes["src"] = escape(f"https:{source}" if source.startswith("//") else source)
    return replace(tag, attributes=attributes)


def _source(tag: Tag) -> str:
    return unescape(tag.attributes.get("src", ""))


@lru_cache(maxsize=64)
def _cleaner(remote_images: bool, own_urls: frozenset[str]) -> nh3.Cleaner:  # noqa: FBT001 - a cache key
    def judge(tag: str, name: str, value: str) -> str | None:
        if name in _NUMBERS:
            return value if _SMALL_NUMBER.fullmatch(value) else None
        if name == "dir":
            return value if value.lower() in ("ltr", "rtl", "auto") else None
        if tag == "img" and name == "src":
            return value if value in own_urls or (remote_images and _REMOTE.match(value)) else None
        return value

    return nh3.Cleaner(
        tags=set(KNOWN),
        clean_content_tags={"script", "style"},
        attributes={
            name: {*names, "data-cid"} if name == "img" else set(names) for name, names in _KEPT.items()
        },
        attribute_filter=judge,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={
            "a": {"target": "_blank"},
            "img": {"loading": "lazy", "referrerpolicy": "no-referrer", "decoding": "async"},
        },
        url_schemes={"http", "https", "mailto"},
        url_relative=lambda url: url if url in own_urls else None,
    )
