"""What is kept of a reaction that fails says where, and repeats no words of anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from heard.domains.journal import actions, facts, schedule
from heard.domains.journal.models import Consumer, GivenUp
from heard.domains.organizations.facts import BrandAdded
from heard.foundation import clock
from heard.foundation.errors import Invalid
from heard.foundation.work import Slice

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Key (handle)=(zelda@example.org) exists"), "ValueError"),
        (Invalid("This brand cannot be followed."), "Invalid: This brand cannot be followed."),
    ],
)
def test_its_words_are_kept_only_where_they_are_ours(monkeypatch, error: Exception, said: str) -> None:
    def fails(_facts: object) -> None:
        raise error

    monkeypatch.setattr(facts, "_reactions", {"test.fails": (frozenset({BrandAdded.kind}), fails)})
    with transaction.atomic():
        actions.append(7, "member:1", [BrandAdded(1)])
    actions.seal_all(7)
    for _ in range(actions.MOST_ATTEMPTS + 2):
        Consumer.objects.update(due_at=None)
        now = clock.now()
        schedule.react(Slice(now, 10, now + timedelta(seconds=20)))
    assert GivenUp.objects.get().error == said
