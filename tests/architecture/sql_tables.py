"""Statements write their own room's tables only, and read those of lower rooms only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .tree import floors, is_migration, is_test, room_of

NAME = r"[\"`]?(?:\w+\.)?(?P<table>\{?\w+\}?)[\"`]?"
WRITES = [
    re.compile(pattern + NAME + after, re.IGNORECASE)
    for pattern, after in [
        (r"\bINSERT\s+(?:OR\s+\w+\s+)?INTO\s+", ""),
        (r"\bREPLACE\s+INTO\s+", ""),
        (r"\bMERGE\s+INTO\s+", ""),
        (r"\bDELETE\s+FROM\s+(?:ONLY\s+)?", ""),
        (r"\bTRUNCATE\s+(?:TABLE\s+)?", ""),
        (r"\bCOPY\s+", r"\s*(?:\([^)]*\)\s*)?FROM\b"),
        # SET tells the statement from FOR UPDATE and from ON CONFLICT DO UPDATE.
        (r"\bUPDATE\s+(?:OR\s+\w+\s+)?(?:ONLY\s+)?(?!SET\b)", r"(?:\s+(?:AS\s+)?\w+)?\s+SET\b"),
    ]
]
READS = re.compile(r"\b(?:FROM|JOIN|USING)\s+" + NAME, re.IGNORECASE)
# foundation.db's set-based writers take the table's name as their first argument.
WRITERS = {"insert_rows", "allocate_ids", "copy_rows", "upsert_rows"}


def foreign_tables(path: str, source: str) -> list[str]:
    """Tables of other rooms that a room's statements write, or read from above."""
    own = room_of(path)
    if own is None or is_migration(path) or is_test(path):
        return []
    found = []
    for line, writes, table in _named_tables(ast.parse(source)):
        reason = _wrong_write(own, table) if writes else _wrong_read(own, table)
        if reason:
            found.append(f"{path}:{line}: {reason}")
    return found


def _wrong_write(own: str, table: str) -> str | None:
    if table.startswith("{"):
        return f"a statement writes {table}: write the table's name out, so that its room can be seen"
    if table.startswith(f"{own}_"):
        return None
    return f"{own} writes {table}: a room writes its own tables only"


def _wrong_read(own: str, table: str) -> str | None:
    owner = next((room for room in floors() if table.startswith(f"{room}_")), None)
    if owner in {None, own} or floors()[owner] < floors().get(own, 0):
        return None
    return f"{own} reads {table}: statements join downward only, and {owner} is not below {own}"


def _named_tables(tree: ast.Module) -> Iterator[tuple[int, bool, str]]:
    """(line, whether it is written, table) of every statement and call that names one."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    prose = _docstrings(tree)
    for node in ast.walk(tree):
        text = _text(node)
        if isinstance(node, ast.expr) and text is not None and id(node) not in inside | prose:
            # SQL in capitals tells statements from sentences.
            if re.search(r"\b(?:INSERT|UPDATE|DELETE|SELECT|COPY|TRUNCATE|REPLACE|MERGE)\b", text):
                yield from ((node.lineno, *table) for table in _tables_in(text))
        elif isinstance(node, ast.Call):
            yield from ((node.lineno, True, table) for table in _written_by_call(node))


def _tables_in(text: str) -> Iterator[tuple[bool, str]]:
    for pattern in WRITES:
        yield from ((True, found["table"]) for found in pattern.finditer(text))
    yield from ((False, found["table"]) for found in READS.finditer(text))


def _written_by_call(node: ast.Call) -> Iterator[str]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in WRITERS and node.args and (text := _text(node.args[0])) is not None:
        yield text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        # A value put in is a name in braces: "{table}" where a table stands is complained about.
        return "".join(_text(part) or "{value}" for part in node.values)
    return None


def _docstrings(tree: ast.Module) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
