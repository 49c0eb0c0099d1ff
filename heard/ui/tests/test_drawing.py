"""What is drawn from memory is what would be drawn anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import engines
from django.template.loader import render_to_string
from django.utils import timezone, translation

from heard.ui import drawing
from heard.ui.gallery import samples
from heard.ui.shapes import Action


def drawn(source: str, **values: object) -> str:
    """A template's text with our words in it."""
    return engines["django"].from_string("{% load ui %}" + source).render(values)


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    drawing._drawn.cache_clear()


@pytest.mark.parametrize("again", range(2))
def test_rows_from_memory_are_rows_drawn_anew(again) -> None:
    rows = samples.rows(20)
    expected = "".join(render_to_string("ui/parts/row.html", {"row": row}) for row in rows)
    assert [drawn("{% rows rows %}", rows=rows) for _ in range(again + 1)][-1] == expected


def test_whatever_changes_in_a_row_is_drawn() -> None:
    row = samples.rows(1)[0]
    before = drawn("{% rows rows %}", rows=[row])
    for changed in (
        replace(row, preview="Something else"),
        replace(row, unread=not row.unread),
        replace(row, tags=("New",)),
        replace(row, is_selected=True),
        replace(row, owner_initials="ZZ", owner_name="Zoe Zed"),
    ):
        assert drawn("{% rows rows %}", rows=[changed]) != before
    assert drawn("{% rows rows %}", rows=[row]) == before


def test_a_span_goes_on_while_the_row_stays(monkeypatch) -> None:
    row = replace(
        samples.rows(1)[0], at=datetime.now(UTC) - timedelta(minutes=5, seconds=5), waiting_since=None
    )
    assert ">5m</time>" in drawn("{% rows rows %}", rows=[row])
    since = drawing.since
    monkeypatch.setattr(drawing, "since", lambda moment: since(moment) + 60)
    monkeypatch.setattr("heard.ui.templatetags.ui.since", drawing.since)
    assert ">6m</time>" in drawn("{% rows rows %}", rows=[row])


def test_each_reader_reads_their_own_zone_and_language() -> None:
    row = replace(samples.rows(1)[0], at=datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    with timezone.override(ZoneInfo("UTC")):
        here = drawn("{% rows rows %}", rows=[row])
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        there = drawn("{% rows rows %}", rows=[row])
    assert here != there
    with timezone.override(ZoneInfo("UTC")), translation.override("de"):
        assert drawn("{% rows rows %}", rows=[row]) != here
    with timezone.override(ZoneInfo("UTC")):
        assert drawn("{% rows rows %}", rows=[row]) == here


def test_what_is_done_with_a_message_is_posted_by_the_form_of_its_page() -> None:
    said = replace(samples.thread().conversations[0].items[0], actions=(Action("like", "Like", "/like"),))
    page = drawn("{% bubble bubble %}", bubble=said)
    assert 'form="acts" formaction="/like"' in page
    assert "csrf" not in page
    frame = render_to_string("ui/base.html", {"csrf_token": "this page's"})
    assert '<form id="acts" method="post" hidden><input type="hidden" name="csrfmiddlewaretoken"' in frame


def test_a_long_mail_is_not_kept_in_memory() -> None:
    said = replace(samples.thread().conversations[0].items[0], html="<p>" + "long " * 4000 + "</p>")
    assert "long long" in drawn("{% bubble bubble %}", bubble=said)
    assert drawing._drawn.cache_info().currsize == 0
