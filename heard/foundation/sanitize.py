"""What strangers wrote, made safe to show: HTML of e-mails, and text with tricks in it."""

from __future__ import annotations

import nh3
import regex

LONGEST_HTML = 500_000
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "*": {"dir", "lang"},
}
_BIDI = regex.compile(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_MARKS = regex.compile(r"(\p{M}{4})\p{M}+")


def clean_html(html: str, *, remote_images: bool) -> str:
    """An e-mail's HTML, safe under our policy: no script, style, form, frame; links open elsewhere.

    Remote images are left out unless ``remote_images``. Longer than ``LONGEST_HTML`` characters: "".
    """
    if len(html) > LONGEST_HTML:
        return ""
    tags = _TAGS | ({"img"} if remote_images else set())
    attributes = {**_ATTRIBUTES, **({"img": {"src", "alt", "width", "height"}} if remote_images else {})}
    return nh3.clean(
        html,
        tags=tags,
        attributes=attributes,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        clean_content_tags={"script", "style", "title", "head"},
        strip_comments=True,
    )


def clean_text(text: str) -> str:
    """A stranger's text for showing: no NUL, no half surrogates, no overrides of direction, few marks."""
    text = text.replace("\0", "")
    if text.isascii():
        return text
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _MARKS.sub(r"\1", _BIDI.sub("", text))
