"""Pages live under a content security policy without inline script or style, so they contain none."""

from __future__ import annotations

import re

# (what is found, why it does not work). Django's tags are blanked out first.
INLINE = [
    (
        re.compile(r"(?i)<script\b(?![^>]*\bsrc\s*=)(?![^>]*\btype\s*=\s*[\"']application/(?:ld\+)?json)"),
        "a script",
    ),
    (re.compile(r"(?i)<style\b"), "a style sheet"),
    (re.compile(r"(?i)(?<=[\s\"'])style\s*="), "a style attribute"),
    (re.compile(r"(?i)(?<=[\s\"'])on[a-z]+\s*="), "an event handler"),
    (re.compile(r"(?i)\bhx-on\b"), "a handler that needs eval"),
    (re.compile(r"(?i)=\s*[\"']?\s*javascript:"), "a javascript: address"),
    (re.compile(r"(?i)=\s*[\"']\s*js:"), "a value that needs eval"),
]
LINE = "\n"
TAGS = re.compile(r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}|<!--.*?-->", re.DOTALL)
TEXT_BETWEEN = re.compile(r"(?<=>)[^<]+(?=<)")


def inline_code(path: str, source: str) -> list[str]:
    """Inline script and style in a template or drawing, which the policy refuses to run."""
    blanked = TAGS.sub(_blank, source)
    # What stands between elements is text: only there may it speak of "style = …".
    blanked = TEXT_BETWEEN.sub(_blank, blanked)
    return [
        f"{path}:{blanked.count(LINE, 0, found.start()) + 1}: has {what} inline; the policy allows files only"
        for pattern, what in INLINE
        for found in pattern.finditer(blanked)
    ]


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
