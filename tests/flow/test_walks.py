"""What is asked again and again is found by an index: nothing walks a table that grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from heard.config import gauges
from heard.domains.channels import queries as channels
from heard.domains.channels.models import Channel
from heard.domains.contacts.models import Contact
from heard.domains.conversations.models import Message
from heard.domains.inbox.models import Case
from heard.domains.media import queries as media
from heard.domains.outbox import queries as outbox
from heard.foundation import clock
from heard.foundation.plans import assume_statistics
from heard.foundation.work import Slice, jobs
from tests.cast import Cast, Line

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="plans of SQLite"),
]
GROWING = {
    "channels_delivery", "contacts_contact", "contacts_identity", "conversations_attachment",
    "conversations_conversation", "conversations_message", "conversations_messageversion", "inbox_case",
    "inbox_caseconversation", "inbox_caseevent", "inbox_caseseen", "inbox_episode", "inbox_note",
    "journal_fact", "journal_seal", "media_file", "notifications_notification", "outbox_outbound",
}  # fmt: skip
NAMED = re.compile(r'(?:FROM|JOIN|UPDATE|INTO)\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?(\w+)"?)?', re.IGNORECASE)
PARTIAL = (
    "SELECT i.name FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND i.partial"
)
STEP = re.compile(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?(?:INDEX|INTEGER PRIMARY KEY) ?(\w*))?(.*)")


@contextmanager
def watched() -> Iterator[list[str]]:
    """The steps of all plans that walk: a table from its start, or all of an organization's rows."""
    found: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            names = {alias or table: table for table, alias in NAMED.findall(sql)}
            cursor = context["connection"].connection.cursor()
            partial = {row[0] for row in cursor.execute(PARTIAL)}
            explain = f"EXPLAIN QUERY PLAN {sql}".replace("%s", "?").replace("%%", "%")
            steps = [row[3] for row in cursor.execute(explain, params or ())]
            found.extend(f"{step} <- {sql.strip()}" for step in steps if _walks(step, names, partial))
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for alias in settings.DATABASES:
            stack.enter_context(connections[alias].execute_wrapper(watch))
        yield found


def _walks(step: str, names: dict[str, str], partial: set[str]) -> bool:
    """An index with a condition holds only what waits: to walk that is to read what is wanted."""
    match = STEP.match(step)
    if match is None or names.get(match[2], match[2]) not in GROWING or match[3] in partial:
        return False
    return match[1] == "SCAN" or re.fullmatch(r" *\(organization_id=\?\)", match[4]) is not None


@pytest.fixture
def full(cast: Cast, line: Line) -> Cast:
    line.case(1)
    line.case(2, "ben")
    for alias in settings.DATABASES:
        assume_statistics(alias)
    return cast


def test_a_walk_is_seen(full: Cast) -> None:
    with watched() as walks:
        list(Message.objects.filter(text__contains="parcel"))
        list(Message.objects.filter(organization_id=full.alice.organization_id, language="en"))
        list(Message.objects.filter(pk__in=[1, 2]))
    assert len(walks) == 2


@pytest.mark.parametrize("name", sorted(jobs()))
def test_a_job_that_finds_nothing_to_do_walks_nothing(name: str, full: Cast) -> None:
    job = jobs()[name]
    with watched() as walks:
        job.run(Slice(clock.now(), job.limit, clock.now()))
    assert walks == []


@pytest.mark.parametrize("ask", [gauges._ask, channels.unreadable, media.unforgotten, outbox.stuck])
def test_numbers_of_the_whole_installation_walk_nothing(ask: Callable[[], object], full: Cast) -> None:
    with watched() as walks:
        ask()
    assert walks == []


def test_pages_walk_nothing(full: Cast) -> None:
    browser = full.browser(full.alice)
    case, channel = Case.objects.values_list("pk", flat=True)[0], Channel.objects.get().pk
    paths = ["/inbox/", f"/c/{case}", "/outbox/", f"/settings/channels/{channel}/", "/settings/channels/"]
    paths += [f"/people/{Contact.objects.values_list('pk', flat=True)[0]}", "/journal/"]
    for path in paths:
        with watched() as walks:
            assert browser.get(path).status_code == 200, path
        assert walks == [], path
