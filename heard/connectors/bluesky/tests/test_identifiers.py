"""Identifiers, keys and times, against the protocol's own cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectors.bluesky.syntax import (
    at_uri,
    format_datetime,
    is_did,
    is_handle,
    is_nsid,
    is_record_key,
    is_tid,
    parse_datetime,
    record_key_for,
    record_uri,
)

from .played import ANNA, FOLDER

INTEROP = FOLDER.parents[3] / "shared" / "specs" / "atproto-interop"


def cases(name):
    if not INTEROP.is_dir():
        return [pytest.param(None, id="missing")]
    # Spaces at the ends are part of a case.
    lines = (INTEROP / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return [pytest.param(line, id=line[:40]) for line in lines if line and not line.startswith("#")]


SYNTAX = {
    "handle": is_handle,
    "did": is_did,
    "nsid": is_nsid,
    "recordkey": is_record_key,
    "tid": is_tid,
    "aturi": lambda text: at_uri(text) is not None,
    "atidentifier": lambda text: is_did(text) or is_handle(text),
    "datetime": lambda text: parse_datetime(text) is not None,
}


INTEROP_CASES = [
    pytest.param(name, expected, *case.values, id=f"{name}-{expected}-{case.id}")
    for name in SYNTAX
    for expected in ("valid", "invalid")
    for case in cases(f"{name}_syntax_{expected}")
] + [
    pytest.param("datetime", "invalid", *case.values, id=f"parse-{case.id}")
    for case in cases("datetime_parse_invalid")
]


@pytest.mark.contract
@pytest.mark.parametrize(("name", "expected", "text"), INTEROP_CASES)
def test_the_protocols_own_cases(name, expected, text):
    if text is None:
        pytest.skip("the protocol's interoperability files are not beside this checkout (../shared/specs)")
    assert SYNTAX[name](text) is (expected == "valid")


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_key_names_one_record_for_ever(one, other):
    assert record_key_for(one) == record_key_for(one)
    assert (record_key_for(one) == record_key_for(other)) is (one == other)
    assert is_tid(record_key_for(one))


@given(st.text(max_size=40))
def test_a_key_never_meets_one_that_a_clock_gave(key):
    alphabet = "234567abcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in record_key_for(key):
        number = number * 32 + alphabet.index(letter)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number >> 10)
    assert at < datetime(2006, 1, 1, tzinfo=UTC)


def test_the_key_of_a_message_may_never_change():
    # Messages under way when Heard is upgraded are looked up under this very key.
    assert record_key_for("key-1") == "2rsorcp5dj5lr"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_the_way_out_and_back(at):
    back = parse_datetime(format_datetime(at))
    assert back is not None
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:30:00.5+01:00", datetime(2026, 3, 2, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("1601-01-01T00:00:00Z", datetime(1601, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-03-02T10:30:00", None),
        ("٢٠٢٦-03-02T10:30:00Z", None),
        (1772443800, None),
        (None, None),
    ],
)
def test_times_are_read_or_not_never_guessed(text, expected):
    assert parse_datetime(text) == expected


def test_only_a_record_under_a_lasting_identifier_can_be_named():
    assert record_uri(f"at://{ANNA}/app.bsky.feed.post/3n2vzj53qmc26")
    assert record_uri("at://anna.test/app.bsky.feed.post/3n2vzj53qmc26") is None
    assert record_uri(f"at://{ANNA}/app.bsky.feed.post") is None
    assert record_uri(f"at://{ANNA}/app.bsky.feed.post/" + "o" * 100_000) is None
    assert record_uri({"uri": "x"}) is None
