"""How long the races are: short in every run, ten thousand rounds with ``make chaos``.

CHAOS_ROUNDS is for a piece of the long form, where there is not time for all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from heard.domains.outbox.rules import TRANSITIONS

SHORT = 100
LONG = int(os.environ.get("CHAOS_ROUNDS", "0")) or 10_000


@pytest.fixture(
    params=[
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.chaos, pytest.mark.timeout(3600)]),
    ]
)
def race_rounds(request: pytest.FixtureRequest) -> int:
    """Rounds of a race."""
    return int(request.param)


@pytest.fixture(scope="package", autouse=True)
def only_known_transitions(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """No test here, however it races, moves an outbound where ``TRANSITIONS`` does not say."""
    if connection.vendor != "sqlite":
        yield
        return
    known = ", ".join(f"'{old} {new}'" for old, news in TRANSITIONS.items() for new in [old, *sorted(news)])
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER only_known_transitions BEFORE UPDATE OF state ON outbox_outbound"
            f" WHEN OLD.state || ' ' || NEW.state NOT IN ({known})"
            " BEGIN SELECT RAISE(ABORT, 'an outbound moved where it may not'); END"
        )
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER only_known_transitions")
