from __future__ import annotations

import pytest

from .links import dead_links
from .tree import ROOT, files, select

FILES = {
    "README.md": "# Heard\n",
    "docs/how-to/backup.md": "# Back up\n\n## Restore it\n",
    "docs/how-to": "",
    "docs/look.png": "",
}


def dead(text):
    return dead_links("docs/index.md", text, FILES.get)


@pytest.mark.parametrize(
    "text",
    [
        "[home](../README.md)",
        "[restore](how-to/backup.md#restore-it)",
        "[folder](how-to/)",
        "![how it looks](look.png 'a picture')",
        '![how it looks](look.png "a picture")',
        "[out](https://example.org/nowhere.md)",
        "# Here\n[above](#here)",
        "`[not a link](nowhere.md)`",
        "```\n[not a link](nowhere.md)\n```",
        '<img src="look.png" alt="">',
    ],
)
def test_links_that_lead_somewhere(text):
    assert dead(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[home](README.md)",
        "[restore](how-to/backup.md#restore-that)",
        "[below](#nowhere)",
        "[home][1]\n\n[1]: nowhere.md",
        '<img src="nowhere.png" alt="">',
    ],
)
def test_links_that_lead_nowhere_are_named(text):
    (complaint,) = dead(text)
    assert complaint.startswith("docs/index.md:")


def read(path):
    if not path.startswith("..") and (
        path in files() or any(known.startswith(f"{path}/") for known in files())
    ):
        return (ROOT / path).read_text("utf-8") if path.endswith(".md") else ""
    return None


def test_no_link_of_this_house_is_dead():
    pages = select(".md", but=r"/fixtures/")
    assert [line for page in pages for line in dead_links(page, (ROOT / page).read_text("utf-8"), read)] == []
