"""Every room has one page: its purpose, its words, its invariants."""

from __future__ import annotations

import re
from collections.abc import Iterable

MUST_SAY = ("purpose", "words", "invariants")


def rooms_without_a_page(rooms: Iterable[str], files: Iterable[str]) -> list[str]:
    """Rooms whose folder has no README.md."""
    known = set(files)
    pages = {room: f"heard/domains/{room}/README.md" for room in rooms}
    return [f"{page}:1: {room} has no page of its own" for room, page in pages.items() if page not in known]


def unsaid(path: str, source: str) -> list[str]:
    """The parts a room's page leaves out.

    Each is a heading, or a bold word that opens a paragraph. A paragraph right under the title says the
    purpose without naming it, and so does a table of words.
    """
    said = {word.lower() for word in re.findall(r"^(?:#+\s*|\*\*)(\w+)", source, re.MULTILINE)}
    if re.match(r"# .+\n\n[A-Z]", source):
        said.add("purpose")
    if re.search(r"^\|\s*words?\s*\|", source, re.MULTILINE | re.IGNORECASE):
        said.add("words")
    return [f"{path}:1: does not say the room's {part}" for part in MUST_SAY if part not in said]
