"""The probes: alive is the process alone; ready is the process and its databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError, connections

from heard.config import asgi
from heard.domains.journal import queries as journal

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(autouse=True)
def hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads of a test give their connections back."""
    monkeypatch.setattr(asgi, "close_old_connections", connections.close_all)


def ask(path: str) -> tuple[int, str]:
    """(status, words) of a GET."""
    heard: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(told: Any) -> None:
        heard.append(told)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    asyncio.run(asgi.Application()(scope, receive, send))
    return heard[0]["status"], b"".join(part.get("body", b"") for part in heard).decode()


def test_a_process_that_works_is_alive_and_ready() -> None:
    assert ask("/healthz") == (200, "alive\n")
    assert ask("/readyz") == (200, "ready\n")


def test_without_its_database_it_is_alive_and_not_ready_and_says_no_more_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone() -> None:
        raise OperationalError('connection to server at "db.internal", user "heard" failed')

    monkeypatch.setattr(journal, "chains", gone)
    assert ask("/healthz") == (200, "alive\n")
    status, said = ask("/readyz")
    assert status == 503
    assert "The database does not answer" in said
    assert "db.internal" not in said
