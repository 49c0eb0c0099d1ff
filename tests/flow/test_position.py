"""From where an open page is told of changes: from before it was made, so that nothing falls in between."""

from __future__ import annotations

import pytest

from heard.domains.inbox import queries
from heard.domains.journal import queries as journal
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def arrives_meanwhile(line, monkeypatch):
    """While a page is made, right after its list was read, somebody says something."""
    ask = queries.cases

    def cases(*given, **more):
        found = ask(*given, **more)
        monkeypatch.setattr(queries, "cases", ask)
        line.says(message(1, "ann", text="I came in between."))
        return found

    monkeypatch.setattr(queries, "cases", cases)


def position_of(page) -> int:
    """What the page's live line starts from."""
    return int(
        page.content.decode().partition("<heard-live ")[2].partition('position="')[2].partition('"')[0]
    )


def test_what_arrives_while_a_page_is_made_is_told_to_it(cast, line, arrives_meanwhile):
    before = journal.end_of(cast.alice.organization_id)
    page = cast.browser(cast.alice).get("/inbox/")
    assert "I came in between." not in page.content.decode(), "it was to come after the list was read"
    assert position_of(page) == before < journal.end_of(cast.alice.organization_id)


def test_what_is_on_a_page_is_not_told_to_it_again(cast, line):
    line.says(message(1, "ann", text="I was here before."))
    page = cast.browser(cast.alice).get("/inbox/")
    assert "I was here before." in page.content.decode()
    assert position_of(page) == journal.end_of(cast.alice.organization_id)
