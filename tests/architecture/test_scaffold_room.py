"""A room made by ``make room`` passes the checks that every room passes."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heard.config.scaffold_room import NotMade, make_room

from .doors import closed_doors
from .names import left_to_do, names_that_say_nothing
from .readmes import unsaid
from .tree import ROOT


def test_a_new_room_passes_every_check(tmp_path):
    folder = make_room("promotions", tmp_path)
    for file in folder.rglob("*.py"):
        path, source = f"heard/domains/{file.relative_to(tmp_path).as_posix()}", file.read_text()
        ast.parse(source)
        for checker in (closed_doors, names_that_say_nothing, left_to_do):
            assert checker(path, source) == []
    assert unsaid("README.md", (folder / "README.md").read_text()) == []


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]])
def test_a_new_room_is_written_as_ruff_wants_it(tmp_path, arguments):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    make_room("promotions", tmp_path)
    ruff = str(Path(sys.executable).parent / "ruff")
    outcome = subprocess.run(
        [ruff, *arguments, "--no-cache", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout


def test_a_room_on_no_floor_is_not_made(tmp_path):
    with pytest.raises(NotMade, match="stands on no floor"):
        make_room("stables", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "two words", "../escape", "Ünder"])
def test_what_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(NotMade, match="no name for a room"):
        make_room(name, tmp_path)


def test_a_room_that_is_there_is_left_alone(tmp_path):
    folder = make_room("promotions", tmp_path)
    (folder / "README.md").write_text("ours")
    with pytest.raises(NotMade, match="there already"):
        make_room("promotions", tmp_path)
    assert (folder / "README.md").read_text() == "ours"
