"""Names that say nothing, files that grew because nobody said stop, and notes to oneself."""

from __future__ import annotations

import ast
import re

MOST_LINES = 400
# It means "I did not name it". Name it, and put it beside its user.
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager", "managers"}
EMPTY_ENDINGS = re.compile(r"(?:Utils?|Helpers?|Manager|Misc)$")
# Written so that this file does not find itself.
LEFT_TO_DO = re.compile(r"(?:#|//|/\*|<!--|\{#).*\b(?P<note>TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def too_long(path: str, source: str) -> list[str]:
    """A file past the limit becomes a package of the same name, so its address never changes."""
    lines = len(source.splitlines())
    if lines <= MOST_LINES:
        return []
    return [f"{path}:{lines}: {lines} lines; past {MOST_LINES} a file becomes a folder of the same name"]


def names_that_say_nothing(path: str, source: str) -> list[str]:
    """Files, folders and classes called after nothing in particular."""
    parts = [part.partition(".")[0] for part in path.split("/")]
    found = [f"{path}:1: {part!r} says nothing about what is inside" for part in parts if part in SAY_NOTHING]
    if path.endswith(".py"):
        found += [
            f"{path}:{node.lineno}: class {node.name}: say what it does"
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ClassDef) and EMPTY_ENDINGS.search(node.name) and not _of_django(node)
        ]
    return found


def _of_django(node: ast.ClassDef) -> bool:
    """Whether the class is what Django calls a manager, where the word says all there is to say."""
    return any(ast.unparse(base).partition("[")[0].endswith("Manager") for base in node.bases)


def left_to_do(path: str, source: str) -> list[str]:
    """Notes that promise to come back. What is left belongs into an issue, or is done."""
    return [
        f"{path}:{number}: {found['note']} is left in the text"
        for number, line in enumerate(source.splitlines(), 1)
        if (found := LEFT_TO_DO.search(line))
    ]
