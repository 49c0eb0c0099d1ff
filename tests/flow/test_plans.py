"""What a batch asks is found by its ids, however much an organization has: nothing walks all of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from heard.domains.contacts import sql as contacts
from heard.domains.conversations import sql
from heard.domains.inbox import sql as inbox
from heard.foundation import db
from heard.foundation.plans import assume_statistics

pytestmark = pytest.mark.django_db
IDS = list(range(250))
NATIVE = [f"p{number}" for number in IDS]
QUESTIONS = {
    "messages by native id": lambda: sql.placed(1, 1, NATIVE),
    "messages by canonical id": lambda: sql.placed_by_canonical(1, 1, NATIVE),
    "messages by a second address": lambda: sql.aliased(1, 1, NATIVE),
    "answers that came first": lambda: sql.adopt(1, 1, NATIVE),
    "conversations by key": lambda: sql.conversations(1, 1, NATIVE),
    "people by native id": lambda: contacts.identities(1, "sandbox", NATIVE),
    "messages by id": lambda: inbox.said(1, IDS),
    "cases by conversation": lambda: inbox.cases_of_conversations(1, IDS),
    "cases by person": lambda: inbox.cases_of_contacts(1, IDS),
}
SELECTIVE = (
    "native_id=?",
    "canonical_id=?",
    "key=?",
    "rowid=?",
    "conversation_id=?",
    "contact_id=?",
    "case_id=?",
)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL gathers statistics by itself")
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_it_is_looked_up(question, monkeypatch) -> None:
    assume_statistics("default")
    plan: list[str] = []
    fetch_all = db.fetch_all

    def explained(statement: str, parameters: Any = (), **options: Any) -> list[tuple[Any, ...]]:
        plan.extend(row[3] for row in fetch_all(f"EXPLAIN QUERY PLAN {statement}", parameters))
        return fetch_all(statement, parameters, **options)

    monkeypatch.setattr(db, "fetch_all", explained)
    question()
    steps = [step for step in plan if step.startswith(("SEARCH", "SCAN")) and "json_each" not in step]
    assert steps
    for step in steps:
        assert any(column in step.replace("parent_native_id", "native_id") for column in SELECTIVE), step
