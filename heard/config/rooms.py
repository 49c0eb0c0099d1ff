"""The rooms that exist, found by scanning ``domains``: adding a folder is the whole change."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

# Lower floors first, so that tables exist before what points at them, and offers stand in a
# stable order on the page. A room missing here would not be on any floor: a test compares.
FLOORS = [
    ["journal"],
    ["organizations"],
    ["media", "notifications"],
    ["channels"],
    ["contacts"],
    ["conversations"],
    ["understanding", "policy"],
    ["outbox"],
    ["inbox", "listening", "publishing"],
    ["automation", "promotions"],
    ["crisis", "improvement", "community", "training"],
    ["insights"],
    ["privacy"],
]
_FOLDER = Path(__file__).resolve().parent.parent / "domains"
ROOMS = [room for floor in FLOORS for room in floor if (_FOLDER / room / "__init__.py").exists()]


def modules(name: str) -> list[ModuleType]:
    """The module ``name`` of every room that has one, lower floors first."""
    found = []
    for room in ROOMS:
        path = f"heard.domains.{room}.{name}"
        if find_spec(path) is not None:
            found.append(import_module(path))
    return found
