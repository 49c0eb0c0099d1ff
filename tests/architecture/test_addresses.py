from __future__ import annotations

import pytest

from .addresses import tied_to_a_machine
from .tree import ROOT, files


@pytest.mark.parametrize(
    "text",
    [
        "pip install heard",
        "../shared/specs",
        "/var/lib/heard",
        "/home/heard/.config",
        "https://example.org/work/main",
    ],
)
def test_what_works_everywhere_is_fine(text):
    assert tied_to_a_machine("docs/a.md", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "https://registry.npm" + "js.org/left-pad",
        "--index-url https://py" + "pi.org/simple",
        "cd /work/" + "main",
        "/" + "root/.cache",
        "see /home/" + "alice/heard",
    ],
)
def test_what_works_here_only_is_found(text):
    assert tied_to_a_machine("docs/a.md", f"\n{text}")[0].startswith("docs/a.md:2: ")


def test_nothing_in_this_house_is_tied_to_a_machine():
    found = []
    for path in files():
        try:
            text = (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue  # pictures and fonts name nobody's folders
        found += tied_to_a_machine(path, text)
    assert found == []
