"""Questions whose statement is made once answer what Django's own query sets answer, row for row."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from heard.domains.conversations.models import Conversation, Message
from heard.domains.inbox.models import Case
from heard.foundation.questions import Question, each
from tests.cast import message

pytestmark = pytest.mark.django_db(databases="__all__")


def _same(found, expected) -> None:
    fields = [field.attname for field in expected[0]._meta.concrete_fields]
    values = [{name: getattr(row, name) for name in fields} for row in found]
    assert values == [{name: getattr(row, name) for name in fields} for row in expected]


@pytest.fixture
def said(line):
    """Messages of four people, one of them ours to leave out."""
    line.says(*(message(number, f"person{number}") for number in range(1, 5)))
    return list(Message.objects.order_by("pk"))


def test_rows_are_the_rows_of_the_orm_whatever_their_columns_are(cast, said) -> None:
    by_id = Question(
        lambda organization_id, ids: Message.objects.filter(
            organization_id=organization_id, pk__in=each(ids)
        ).order_by("-pk")
    )
    organization_id = cast.alice.organization_id
    _same(by_id(organization_id, [row.pk for row in said]), said[::-1])
    assert by_id(organization_id, []) == []
    assert [row.pk for row in by_id(organization_id, [said[0].pk, 0])] == [said[0].pk]
    assert by_id(organization_id + 1, [row.pk for row in said]) == []


def test_tuples_exclusions_and_limits_are_kept(cast, said) -> None:
    newest = Question(
        lambda organization_id: (
            Message.objects.filter(organization_id=organization_id, mentions_us=True)
            .exclude(state="erased")
            .order_by("-pk")
            .values_list("pk", "sent_at", "conversation__is_private", "refs")[:3]
        )
    )
    expected = Message.objects.filter(mentions_us=True).order_by("-pk")
    expected = expected.values_list("pk", "sent_at", "conversation__is_private", "refs")[:3]
    Message.objects.update(mentions_us=True)
    assert newest(cast.alice.organization_id) == list(expected)
    assert len(newest(cast.alice.organization_id)) == 3
    Message.objects.filter(pk=said[-1].pk).update(state="erased")
    assert [row[0] for row in newest(cast.alice.organization_id)] == [row.pk for row in said[2::-1]]


def test_what_is_put_off_is_fetched_when_it_is_read(said) -> None:
    without = Question(lambda ids: Message.objects.filter(pk__in=each(ids)).defer("raw"))
    (row,) = without([said[0].pk])
    assert "raw" in row.get_deferred_fields()
    with CaptureQueriesContext(connection) as asked:
        assert row.text == said[0].text
    assert not asked.captured_queries
    assert bytes(row.raw or b"") == bytes(said[0].raw or b"")


def test_an_id_larger_than_any_finds_nothing(cast, said) -> None:
    assert said
    cases = Question(lambda organization_id, case_id: Case.objects.filter(pk=case_id))
    assert cases(cast.alice.organization_id, 10**18 + 1) == []
    assert cases(cast.alice.organization_id, 0) == []


def test_rows_of_two_tables_are_refused() -> None:
    joined = Question(lambda ids: Message.objects.filter(pk__in=each(ids)).select_related("conversation"))
    with pytest.raises(TypeError, match="one table"):
        joined([1])


def test_the_statement_is_made_once(said) -> None:
    made = []

    def rows(ids):
        made.append(1)
        return Conversation.objects.filter(pk__in=each(ids))

    question = Question(rows)
    for row in said:
        assert [found.pk for found in question([row.conversation_id])] == [row.conversation_id]
    assert made == [1]
