from __future__ import annotations

import pytest

from .links import dead_links
from .tree import files, select, text

FILES = {
    "README.md": "# Heard\n",
    "docs/how-to/backup.md": "# Back up\n\n## Restore it\n",
    "docs/how-to": "",
    "docs/look.png": "",
}


def dead(page):
    return dead_links("docs/index.md", page, FILES.get)


@pytest.mark.parametrize(
    "page",
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
def test_links_that_lead_somewhere(page):
    assert dead(page) == []


@pytest.mark.parametrize(
    "page",
    [
        "[home](README.md)",
        "[restore](how-to/backup.md#restore-that)",
        "[below](#nowhere)",
        "[home][1]\n\n[1]: nowhere.md",
        '<img src="nowhere.png" alt="">',
    ],
)
def test_links_that_lead_nowhere_are_named(page):
    (complaint,) = dead(page)
    assert complaint.startswith("docs/index.md:")


def read(path):
    if not path.startswith("..") and (
        path in files() or any(known.startswith(f"{path}/") for known in files())
    ):
        return text(path) if path.endswith(".md") else ""
    return None


def test_no_link_of_this_house_is_dead():
    pages = select(".md", but=r"/fixtures/")
    assert [line for page in pages for line in dead_links(page, text(page), read)] == []
