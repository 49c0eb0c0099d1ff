from __future__ import annotations

import pytest

from .addresses import tied_to_a_machine
from .tree import files, text


@pytest.mark.parametrize(
    "line",
    [
        "pip install heard",
        "../shared/specs",
        "/var/lib/heard",
        "/home/heard/.config",
        "https://example.org/work/main",
    ],
)
def test_what_works_everywhere_is_fine(line):
    assert tied_to_a_machine("docs/a.md", line) == []


@pytest.mark.parametrize(
    "line",
    [
        "https://registry.npm" + "js.org/left-pad",
        "--index-url https://py" + "pi.org/simple",
        "cd /work/" + "main",
        "/" + "root/.cache",
        "see /home/" + "alice/heard",
    ],
)
def test_what_works_here_only_is_found(line):
    assert tied_to_a_machine("docs/a.md", f"\n{line}")[0].startswith("docs/a.md:2: ")


def test_nothing_in_this_house_is_tied_to_a_machine():
    found = []
    for path in files():
        try:
            source = text(path)
        except UnicodeDecodeError:
            continue  # pictures and fonts name nobody's folders
        found += tied_to_a_machine(path, source)
    assert found == []
