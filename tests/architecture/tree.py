"""What the checkers walk over: the repository's files, its rooms and their floors."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = "heard/domains/"

Checker = Callable[[str, str], list[str]]


@cache
def files() -> tuple[str, ...]:
    """Every file that is, or is about to be, committed: what git ignores is nobody's business."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(sorted(path for path in listed.split("\0") if path and (ROOT / path).is_file()))


def select(*suffixes: str, under: str = "", but: str | None = None) -> Iterator[str]:
    """Paths with one of these suffixes, below a folder, leaving out what the pattern ``but`` finds."""
    for path in files():
        if path.startswith(under) and path.endswith(suffixes) and not (but and re.search(but, path)):
            yield path


def complaints(checker: Checker, paths: Iterable[str]) -> str:
    """Everything the checker has against these files, a line each; empty when it is content."""
    return "\n".join(complaint for path in paths for complaint in checker(path, text(path)))


def text(path: str) -> str:
    """A file's text; nothing when it was removed since the run began."""
    try:
        return (ROOT / path).read_text("utf-8")
    except FileNotFoundError:
        return ""


@cache
def floors() -> dict[str, int]:
    """Each room's floor, 0 the lowest, from the contract in pyproject.toml."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    return {room: floor for floor, layer in enumerate(reversed(layers)) for room in re.findall(r"\w+", layer)}


def room_of(path: str) -> str | None:
    """The room a file belongs to."""
    parts = path.removeprefix(ROOMS).split("/")
    return parts[0] if path.startswith(ROOMS) and len(parts) > 1 else None


def rooms() -> list[str]:
    """The rooms that exist."""
    return sorted({room for path in files() if path.endswith("/__init__.py") and (room := room_of(path))})


def is_test(path: str) -> bool:
    """Whether a Python file belongs to a test suite."""
    return bool(re.search(r"(^|/)tests(/|\.py$)|(^|/)conftest\.py$", path))


def is_migration(path: str) -> bool:
    """Whether a Python file is a migration: history, which is not edited any more."""
    return "/migrations/" in path
