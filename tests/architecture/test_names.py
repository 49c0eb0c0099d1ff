from __future__ import annotations

import pytest

from .names import MOST_LINES, left_to_do, names_that_say_nothing, too_long
from .tree import complaints, select

CODE = (".py", ".js", ".css", ".html")
# Vendored files are as their makers wrote them, pinned by hash.
NOT_OURS = r"/vendor/|/migrations/"


def test_a_file_may_be_as_long_as_the_limit_and_not_a_line_longer():
    assert too_long("heard/a.py", "x\n" * MOST_LINES) == []
    assert too_long("heard/a.py", "x\n" * (MOST_LINES + 1)) == [
        "heard/a.py:401: 401 lines; past 400 a file becomes a folder of the same name"
    ]


@pytest.mark.parametrize("path", ["heard/domains/inbox/rules.py", "heard/foundation/clock.py", "Makefile"])
def test_names_that_say_something(path):
    assert names_that_say_nothing(path, "class ContextOfCase: ...") == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("heard/foundation/utils.py", ""),
        ("heard/ui/common/button.html", "<button>"),
        ("heard/domains/inbox/actions.py", "class CaseManager: ..."),
        ("heard/domains/inbox/actions.py", "class DateHelper: ..."),
    ],
)
def test_names_that_say_nothing_are_refused(path, source):
    assert len(names_that_say_nothing(path, source)) == 1


def test_what_django_calls_a_manager_may_be_called_so():
    assert names_that_say_nothing("heard/a.py", "class UserManager(BaseUserManager[User]): ...") == []
    assert names_that_say_nothing("heard/a.py", "class UserManager(Thing): ...")


@pytest.mark.parametrize("note", ["# TO" + "DO: later", "/* FIX" + "ME */"])
def test_notes_to_oneself_are_found(note):
    assert left_to_do("heard/a.py", f"\n{note}\n")[0].startswith("heard/a.py:2: ")


def test_a_word_that_only_looks_like_a_note_is_none():
    assert left_to_do("heard/a.py", "TO" + "DO = 'todo'  # XXXL") == []


def test_this_house_has_short_files():
    paths = select(*CODE, under="heard/", but=NOT_OURS + r"|/tests/|/tests\.py$")
    assert complaints(too_long, paths) == ""


def test_this_house_has_telling_names():
    assert complaints(names_that_say_nothing, select(*CODE, but=NOT_OURS)) == ""


def test_nothing_is_left_to_do():
    assert complaints(left_to_do, select(*CODE, ".md", ".toml", ".sh", "Makefile", but=NOT_OURS)) == ""
