"""Reading lists back after an outage: no gap, nothing twice."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.errors import Rejected
from heard.connectorkit.testing import NOW
from heard.connectors.bluesky.answers import Refused
from heard.connectors.bluesky.backlog import OVERLAP, PAGES_PER_CALL, REMEMBERED_AT_MOST, Track, read_back
from heard.connectors.bluesky.syntax import format_datetime, parse_datetime

from .played import look


class List:
    """A list of the network: sorted by what entries claim, paged by a cursor that is a time."""

    def __init__(self, page_size):
        self.entries = []
        self.page_size = page_size
        self.asked = 0
        self.refuse_cursors = False

    def add(self, name, claimed):
        self.entries.append({"uri": name, "indexedAt": format_datetime(claimed)})
        self.entries.sort(key=lambda entry: entry["indexedAt"], reverse=True)

    def page(self, cursor):
        self.asked += 1
        if cursor and self.refuse_cursors:
            raise Refused("No.", "InvalidRequest")
        left = [entry for entry in self.entries if not cursor or entry["indexedAt"] < cursor]
        found = left[: self.page_size]
        return found, found[-1]["indexedAt"] if found else ""


def test_the_first_look_brings_the_recent_past_and_the_second_nothing():
    source = List(10)
    for days in range(20):
        source.add(f"day {days}", NOW - timedelta(days=days))
    found, cursor = look(source, None, NOW)
    assert found == [f"day {days}" for days in range(8)]
    source.asked = 0
    assert look(source, cursor, NOW)[0] == []
    assert source.asked == 1


def test_an_empty_list_is_a_place_to_stand_too():
    source = List(10)
    found, cursor = look(source, None, NOW)
    assert found == []
    source.add("old, and late", NOW - timedelta(days=30))
    assert look(source, cursor, NOW)[0] == ["old, and late"]


def test_what_arrives_late_is_found_beneath_the_newer():
    source = List(10)
    for number in range(100):
        source.add(f"{number}", NOW - timedelta(seconds=number))
    _, cursor = look(source, None, NOW)
    source.add("late by a little", NOW - timedelta(seconds=5, milliseconds=1))
    found, cursor = look(source, cursor, NOW)
    assert found == ["late by a little"]
    # Below a page that holds nothing new: found by the next deep look.
    source.add("late by more", NOW - timedelta(seconds=70, milliseconds=1))
    found, cursor = look(source, cursor, NOW + timedelta(minutes=1))
    assert found == []
    assert look(source, cursor, NOW + timedelta(minutes=6))[0] == ["late by more"]


def test_a_long_outage_is_read_back_over_several_calls_without_a_gap():
    source = List(10)
    source.add("before", NOW)
    _, cursor = look(source, None, NOW)
    wanted = [f"{number}" for number in range(10 * PAGES_PER_CALL * 3)]
    for number, name in enumerate(wanted):
        source.add(name, NOW + timedelta(minutes=number + 1))
    later = NOW + timedelta(days=2)
    first = read_back(
        source.page, Track.from_json(cursor), later,
        name=lambda entry: entry["uri"], time=lambda entry: parse_datetime(entry["indexedAt"]),
    )  # fmt: skip
    assert first.more
    source.add("meanwhile", NOW + timedelta(days=1))
    found = [entry["uri"] for page in first.pages for entry in page]
    rest, cursor = look(source, first.track.to_json(), later)
    again, _ = look(source, cursor, later)
    assert sorted(found + rest + again) == sorted([*wanted, "meanwhile"])


def test_a_cursor_that_is_no_longer_taken_leaves_no_gap():
    source = List(10)
    source.add("before", NOW)
    _, cursor = look(source, None, NOW)
    wanted = {f"{number}" for number in range(10 * PAGES_PER_CALL * 2)}
    for number, name in enumerate(sorted(wanted)):
        source.add(name, NOW + timedelta(minutes=number + 1))
    later = NOW + timedelta(days=2)
    begun = read_back(
        source.page, Track.from_json(cursor), later,
        name=lambda entry: entry["uri"], time=lambda entry: parse_datetime(entry["indexedAt"]),
    )  # fmt: skip
    source.refuse_cursors = True
    _, cursor = look(source, begun.track.to_json(), later)
    source.refuse_cursors = False
    assert set(look(source, cursor, later)[0]) == wanted


def test_the_top_of_a_list_that_is_refused_is_an_error():
    def page(cursor):
        raise Refused("No.", "InvalidRequest")

    with pytest.raises(Rejected):
        read_back(page, Track(), NOW, name=str, time=lambda entry: None)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 40 * 60), st.booleans()), max_size=60))
@settings(max_examples=150, deadline=None)
def test_everything_is_heard_exactly_once(arrivals):
    """Entries arrive between looks, some of them late by up to forty minutes; deep looks find those."""
    source = List(7)
    now = NOW
    heard, cursor = look(source, None, now)
    for number, (pause, lateness, look_now) in enumerate(arrivals):
        now += timedelta(seconds=pause, milliseconds=number + 1)
        claimed = now - timedelta(seconds=lateness) - timedelta(milliseconds=number)
        if any(entry["indexedAt"] == format_datetime(claimed) for entry in source.entries):
            claimed -= timedelta(milliseconds=number + 1000)  # two of one millisecond can hide each other
        source.add(f"{number}", claimed)
        if look_now:
            found, cursor = look(source, cursor, now)
            heard += found
    found, cursor = look(source, cursor, now + timedelta(minutes=10))
    heard += found
    assert sorted(heard) == sorted(entry["uri"] for entry in source.entries)


def test_a_storm_does_not_make_the_cursor_grow_without_end():
    source = List(100)
    for number in range(REMEMBERED_AT_MOST + 1000):
        source.add(f"{number}", NOW - timedelta(milliseconds=number))
    _, cursor = look(source, None, NOW)
    assert len(json.dumps(cursor)) < 100_000
    quiet = NOW + OVERLAP * 2
    source.add("much later", quiet)
    _, cursor = look(source, cursor, quiet)
    _, cursor = look(source, cursor, quiet + OVERLAP)
    assert len(json.dumps(cursor)) < 10_000
