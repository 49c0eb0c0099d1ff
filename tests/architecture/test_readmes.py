from __future__ import annotations

import pytest

from .readmes import rooms_without_a_page, unsaid
from .tree import complaints, files, rooms, select

PAGE = "# inbox\n\n**Purpose.** Cases.\n\n## Words\n\n**Invariants.** One owner.\n"


def test_a_page_with_the_three_parts_is_whole():
    assert unsaid("heard/domains/inbox/README.md", PAGE) == []


def test_a_paragraph_under_the_title_and_a_table_say_as_much():
    page = "# media\n\nFiles that came.\n\n| word | what it is |\n|---|---|\n\n## Invariants\n\n- None.\n"
    assert unsaid("heard/domains/media/README.md", page) == []


@pytest.mark.parametrize(
    ("part", "word"), [("Purpose", "purpose"), ("Words", "words"), ("Invariants", "invariants")]
)
def test_a_part_that_is_missing_is_named(part, word):
    (complaint,) = unsaid("heard/domains/inbox/README.md", PAGE.replace(part, "Other"))
    assert complaint.endswith(f"does not say the room's {word}")


def test_a_room_without_a_page_is_named():
    here = ["heard/domains/inbox/README.md"]
    assert rooms_without_a_page(["inbox"], here) == []
    assert rooms_without_a_page(["inbox", "outbox"], here) == [
        "heard/domains/outbox/README.md:1: outbox has no page of its own"
    ]


def test_every_room_of_this_house_has_its_page():
    assert rooms_without_a_page(rooms(), files()) == []


def test_every_page_says_what_it_must():
    assert complaints(unsaid, select("/README.md", under="heard/domains/")) == ""
