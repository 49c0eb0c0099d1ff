"""A list with nothing in it says what belongs there, in words of its own."""

from __future__ import annotations

import pytest

from heard.domains.inbox import queries
from heard.domains.inbox.views import lists


def test_every_list_has_a_sentence_of_its_own():
    assert set(queries.VIEWS) | {"mine"} == set(lists.EMPTY)
    assert len(set(lists.EMPTY.values())) == len(lists.EMPTY)


@pytest.mark.django_db(databases="__all__")
def test_spam_and_done_do_not_share_one(cast):
    spam, done = (lists.view(cast.alice, queries.Wanted(key)).empty_text for key in ("spam", "done"))
    assert "spam" in spam
    assert "done" in done
