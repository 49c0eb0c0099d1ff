"""Property-based tests in their long form (``make fuzz``): hours of nonsense in minutes.

The short forms run in every suite, beside what they test; these are the same properties with many
more examples, and whole intakes of random histories.
"""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.connectorkit import errors, registry
from heard.connectorkit.counting import count
from heard.connectorkit.text import html_to_text
from heard.connectorkit.vocabulary import (
    Account,
    Author,
    MessageGone,
    RawDelivery,
    Ref,
    Source,
    TextLimit,
    Visibility,
)
from heard.foundation.sanitize import clean_html, clean_text
from tests.memory_network import message

pytestmark = pytest.mark.fuzz
LONG = settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("network", sorted(registry.connectors()))
@LONG
@given(
    body=st.binary(max_size=2_000) | st.text(max_size=2_000).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_events_or_unreadable(network, body) -> None:
    connector = registry.connectors()[network]
    with suppress(errors.Unreadable):  # the one exception that may come; any other fails
        list(connector.receive(Account("1", "@us"), RawDelivery(Source.POLL, body, AT)))


@LONG
@given(st.text(max_size=3_000))
def test_any_text_is_shown_safely_and_counted_in_time(text) -> None:
    shown = clean_text(text)
    assert "\0" not in shown
    shown.encode("utf-8")
    assert count(text, TextLimit(500, url_cost=23, maximum_bytes=3_000)).used >= 0
    html_to_text(text)


@LONG
@given(
    st.lists(
        st.sampled_from(
            [
                "<script>",
                "<a href='javascript:x'>",
                "<img src=x onerror=y>",
                "</div>",
                "<b",
                "&#0;",
                "<style>",
                "x",
                "<svg/onload=z>",
                "<!--",
                "]]>",
            ]
        ),
        max_size=200,
    )
)
def test_any_html_acts_on_nothing(parts) -> None:
    cleaned = clean_html("".join(parts), remote_images=True).lower()
    for evil in ("<script", "javascript:", "onerror", "onload", "<style", "<svg"):
        assert evil not in cleaned.replace("&lt;", "")


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("seed", range(40))
def test_any_history_in_any_order_is_each_message_once(line, seed) -> None:
    """Posts, answers, edits, deletions, shuffled, repeated, by all ways: each once, the newest wins."""
    from heard.domains.conversations.models import Message

    generator = random.Random(seed)
    said, last, gone = [], {}, set()
    for number in range(80):
        parent = Ref(f"m{generator.randrange(number)}") if number and generator.random() < 0.6 else None
        person = f"person{generator.randrange(9)}"
        visibility = generator.choice([Visibility.PUBLIC, Visibility.PUBLIC, Visibility.PRIVATE])
        for version in range(1, generator.choice([2, 2, 3, 4])):
            text = f"{number} version {version}"
            author = Author("us", "@us", is_us=True) if generator.random() < 0.1 and version == 1 else None
            changes = {"author": author} if author else {}
            event = message(
                number, person, text=text, version=str(version), parent=parent, visibility=visibility,
                thread_key=person, sent_at=AT + timedelta(seconds=number), **changes,
            )  # fmt: skip
            said.append(event)
            last[f"m{number}"] = text
        if generator.random() < 0.1:
            said.append(MessageGone(f"m{number}", AT + timedelta(hours=1)))
            gone.add(f"m{number}")
    events = said * 2
    generator.shuffle(events)
    for start in range(0, len(events), 17):
        line.says(*events[start : start + 17], source=generator.choice(list(Source)[:3]))
    rows = {row.native_id: row for row in Message.objects.all()}
    assert len(rows) == Message.objects.count() == 80
    for native_id, row in rows.items():
        assert row.text == ("" if native_id in gone else last[native_id])
        if row.parent_native_id and row.state == "visible":
            assert row.parent is not None
