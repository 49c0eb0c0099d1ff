"""Rooms enter each other by three doors: ``actions``, ``queries``, ``facts``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .tree import is_migration, is_test, room_of

DOORS = {"actions", "queries", "facts"}
# A test may also take what a room lends to tests, and look at the rows that stand there afterwards.
TEST_DOORS = DOORS | {"testing", "models"}


def closed_doors(path: str, source: str) -> list[str]:
    """Imports and look-ups that reach into another room past its doors."""
    own = room_of(path)
    if own is None or is_migration(path):
        return []
    doors = TEST_DOORS if is_test(path) or path.endswith("/testing.py") else DOORS
    tree = ast.parse(source)
    return [
        f"{path}:{line}: {own} reaches into {room} by {way or 'the room itself'};"
        f" the doors are {', '.join(sorted(doors))}"
        for line, room, way in (*_imports(tree, path), *_look_ups(tree))
        if room != own and way not in doors
    ]


def _imports(tree: ast.Module, path: str) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = _names_of(node, path)
        else:
            continue
        yield from ((node.lineno, *way) for name in names if (way := _way_into_a_room(name)))


def _names_of(node: ast.ImportFrom, path: str) -> list[str]:
    base = node.module or ""
    if node.level:
        package = path.removesuffix(".py").removesuffix("/__init__").split("/")
        if not path.endswith("/__init__.py"):
            package.pop()
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, *filter(None, [node.module])])
    # `from room import actions` names a module, `from room.actions import assign` something in one.
    is_room = base.count(".") == 2
    return [f"{base}.{alias.name}" for alias in node.names] if is_room or base.count(".") < 2 else [base]


def _way_into_a_room(name: str) -> tuple[str, str] | None:
    parts = name.split(".")
    if parts[:2] != ["heard", "domains"] or len(parts) < 3:
        return None
    return parts[2], ".".join(parts[3:])


def _look_ups(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Names of modules and models given as text."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        if called == "import_module" and (way := _way_into_a_room(first.value)):
            yield node.lineno, *way
        elif called == "get_model":
            yield node.lineno, first.value.partition(".")[0], "get_model"
