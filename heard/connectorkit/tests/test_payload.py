"""Whatever arrives is read into values that can be stored, or refused by one name."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit import payload
from heard.connectorkit.errors import Unreadable
from heard.connectorkit.mutations import STRANGE_VALUES, mutated_json, mutated_mail

BROKEN = [b"", b"{", b"\xff", b"NaN", b'{"a": Infinity}', b"1e999", b"9" * 5000, b"[" * 100_000]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_what_is_not_json_is_unreadable(body):
    with pytest.raises(Unreadable):
        payload.parse_json(body)


def test_strings_come_out_storable():
    assert payload.parse_json(rb'{"a\u0000b": ["\ud800x", "fine \ud83d\ude00"]}') == {
        "a\ufffdb": ["\ufffdx", "fine 😀"]
    }


@pytest.mark.parametrize("filling", [b"", rb'"\u0000"'])
def test_nesting_has_one_limit_with_and_without_odd_characters(filling):
    fits, deeper = (b"[" * depth + filling + b"]" * depth for depth in (200, 230))
    payload.parse_json(fits)
    with pytest.raises(Unreadable):
        payload.parse_json(deeper)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]))
def test_every_way_to_write_json_reads_the_same(value, escaped, encoding):
    body = json.dumps(value, ensure_ascii=escaped).encode(encoding, "surrogatepass")
    assert payload.parse_json(body) == storable(value)


def storable(value):
    if isinstance(value, str):
        return re.sub("[\x00\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


@given(st.binary(max_size=80))
def test_bytes_never_raise_anything_else(body):
    try:
        payload.parse_json(body)
    except Unreadable:
        pass
    else:
        body.decode("utf-8-sig")


@pytest.mark.parametrize("value", STRANGE_VALUES, ids=range(len(STRANGE_VALUES)))
def test_strange_values_are_refused_or_fit(value):
    item = {"x": value}
    assert isinstance(payload.want_text(item, "x"), str)
    assert isinstance(payload.want_mapping(item, "x"), dict)
    assert isinstance(payload.want_list(item, "x"), list)
    assert isinstance(payload.want_bool(item, "x"), bool)
    number = payload.want_int(item, "x")
    assert number is None or 0 <= number < 2**63
    instant = payload.want_instant(value)
    assert instant is None or instant.tzinfo is UTC
    if payload.want_text(item, "x").strip():
        assert payload.need_text(item, "x", "It") == value
    elif not isinstance(value, int) or isinstance(value, bool):
        with pytest.raises(Unreadable, match="It"):
            payload.need_text(item, "x", "It")


@pytest.mark.parametrize(
    "value", ["2026-03-02T09:30:00Z", "2026-03-02T10:30:00+01:00", "2026-03-02T09:30:00", 1772443800]
)
def test_instants_are_utc(value):
    assert payload.need_instant(value, "It") == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_a_missing_instant_is_named():
    with pytest.raises(Unreadable, match="The date"):
        payload.need_instant(None, "The date")


def test_mutations_change_one_thing_and_leave_the_original():
    original = {"a": [1, {"b": "c"}]}
    changed = list(mutated_json(original))
    assert original == {"a": [1, {"b": "c"}]}
    assert {"a": [{"b": "c"}]} in changed
    assert {} in changed
    assert {"a": [1, {"b": "\x00nul\x00"}]} in changed
    assert len(changed) == 4 + 5 * len(STRANGE_VALUES)
    assert len(list(mutated_json({str(number): number for number in range(1000)}))) == 2_500


def test_a_mail_goes_wrong_in_many_ways():
    mail = b'From: a@b.example\nContent-Type: text/plain; charset="utf-8"\n\nHello'
    changed = list(mutated_mail(mail))
    assert b'Content-Type: text/plain; charset="utf-8"\n\nHello' in changed
    assert any(b"charset=utf-7" in body for body in changed)
    assert mail not in [body for body in changed if b"charset=" not in body]
