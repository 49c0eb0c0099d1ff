"""``make room NAME=…``: the folder of a new room that passes every check, to be given a life."""

from __future__ import annotations

import re
from pathlib import Path

import click

from heard.config.rooms import FLOORS

HOME = Path(__file__).resolve().parent.parent / "domains"
FLOORS_OF_HOUSE = tuple(room for floor in FLOORS for room in floor)

README = """# {room}

**Purpose.** Say in two sentences what this room is for, and for whom.

**Words.** *Word*: what it means here, and nowhere else.

**Invariants.**
- What must always hold, whoever calls. Each has a test that would fail without it.

Other rooms come in by `actions`, `queries` and `facts`.
"""
FILES = {
    "__init__.py": '"""{Room}: say in one line what this room is for."""\n',
    "README.md": README,
    "migrations/__init__.py": "",
    "tests/__init__.py": "",
    "tests/test_{room}.py": '''"""What a user notices of {room}."""

from __future__ import annotations

from django.apps import apps


def test_the_room_is_part_of_the_house():
    assert apps.get_app_config("{room}").name == "heard.domains.{room}"
''',
}


class NotMade(ValueError):
    """The room was not made; the message says why."""


def make_room(name: str, home: Path = HOME) -> Path:
    """Write a new room's folder and return it.

    Only what is never empty is made: `actions.py`, `models.py` and the others come with their first
    line of code. Raises ``NotMade`` for a room that stands on no floor, or that is there already.
    """
    room = name.strip().lower()
    if not re.fullmatch(r"[a-z][a-z]{2,30}", room):
        raise NotMade(f"“{name}” is no name for a room: one word in letters, please.")
    if room not in FLOORS_OF_HOUSE:
        raise NotMade(
            f"“{room}” stands on no floor. Decide where it belongs (docs/decisions), then add it to"
            f" the floors in pyproject.toml and heard/config/rooms.py. Known: {', '.join(FLOORS_OF_HOUSE)}."
        )
    folder = home / room
    if (folder / "__init__.py").exists():
        raise NotMade(f"{room} is there already.")
    for path, text in FILES.items():
        goal = folder / path.format(room=room)
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_text(text.format(room=room, Room=room.capitalize()), encoding="utf-8")
    return folder


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Make the folder of a new room."""
    try:
        folder = make_room(name)
    except NotMade as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"heard/domains/{folder.name}/ is there and passes; now give it a life.")


if __name__ == "__main__":
    main()
