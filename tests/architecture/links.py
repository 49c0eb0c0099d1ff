"""Relative links in the documents lead somewhere, and their #anchors to a heading."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from urllib.parse import unquote

CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?(?P<to>[^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]^]+\]:\s*(?P<to>\S+)", re.MULTILINE)
PICTURE = re.compile(r"<(?:img|source)\b[^>]*?\bsrc(?:set)?=\"(?P<to>[^\"\s]+)")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|/)", re.IGNORECASE)

Read = Callable[[str], str | None]
"""A file's text by its path; ``""`` for a folder or a picture, ``None`` where there is nothing."""


def dead_links(path: str, source: str, read: Read) -> list[str]:
    """Links of a Markdown page that lead nowhere."""
    plain = CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    found = []
    for pattern in (LINK, REFERENCE, PICTURE):
        for link in pattern.finditer(plain):
            if not ELSEWHERE.match(link["to"]) and (why := _why_dead(path, source, link["to"], read)):
                line = plain.count("\n", 0, link.start("to")) + 1
                found.append(f"{path}:{line}: {link['to']} {why}")
    return found


def _why_dead(path: str, source: str, link: str, read: Read) -> str | None:
    target, _, anchor = link.partition("#")
    text: str | None = source
    if target:
        text = read(posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(target))))
    if text is None:
        return "leads nowhere"
    if anchor and text and anchor.lower() not in anchors(text):
        return f"has no heading #{anchor}"
    return None


def anchors(source: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them.

    >>> sorted(anchors("# Heard\\n\\n## How it flows\\n## How it flows\\n"))
    ['heard', 'how-it-flows', 'how-it-flows-1']
    """
    found: set[str] = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", source))
    plain = re.sub(r"^(```|~~~).*?^\1", "", source, flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", plain, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        number = 0
        while (numbered := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(numbered)
    return found
