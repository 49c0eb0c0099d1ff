"""Sides have logical names (start, end), so that a page turns round for right-to-left languages."""

from __future__ import annotations

import re

SIDES = r"(?:left|right)"
PHYSICAL = re.compile(
    rf"(?P<name>(?:^|(?<=[\s;{{])){SIDES}"
    rf"|(?:margin|padding|border|scroll-margin|scroll-padding)-{SIDES}(?:-\w+)?"
    rf"|border-(?:top|bottom)-{SIDES}-radius)\s*:"
    rf"|(?P<value>(?:float|clear|text-align|caption-side)\s*:\s*{SIDES})\b"
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def physical_sides(path: str, source: str) -> list[str]:
    """Properties and values that say left or right."""
    plain = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    return [
        f"{path}:{plain.count(chr(10), 0, found.start()) + 1}: {found['name'] or found['value']}:"
        " name the side by start or end"
        for found in PHYSICAL.finditer(plain)
    ]
