"""The floors are written in pyproject.toml for the linter and in heard.config.rooms for the program."""

from __future__ import annotations

from heard.config.rooms import FLOORS

from .tree import floors, rooms


def test_every_room_stands_on_a_floor():
    assert set(rooms()) <= set(floors())


def test_both_lists_of_floors_agree():
    assert {room: floor for floor, names in enumerate(FLOORS) for room in names} == floors()
