"""What was written in plain form is read back as it was, and nothing else is read."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit import vocabulary as v
from heard.connectorkit.plain import NotPlain, event_from_plain, from_plain, to_plain
from heard.connectorkit.testing import ANNA, NOW, account_for, order, target

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INSTANTS = st.integers(-11_644_473_600, 253_402_214_400).map(
    lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
LEAVES = {str: WORDS, datetime: INSTANTS, bytes: st.binary(max_size=20)}


def _values(kind):
    """Any value of a vocabulary class: every field from its annotation."""
    import dataclasses
    import types
    from collections.abc import Mapping, Sequence
    from typing import Any, Union, get_args, get_origin, get_type_hints

    def of(hint):
        if hint in LEAVES:
            return LEAVES[hint]
        if hint is Any:
            return st.none() | WORDS | st.integers() | st.lists(WORDS, max_size=2)
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            return st.one_of([of(part) for part in get_args(hint)])
        if origin is Sequence:
            return st.lists(of(get_args(hint)[0]), max_size=2).map(tuple)
        if origin is Mapping:
            return st.dictionaries(WORDS, of(get_args(hint)[1]), max_size=2)
        return _values(hint) if dataclasses.is_dataclass(hint) else st.from_type(hint)

    return st.builds(kind, **{name: of(hint) for name, hint in get_type_hints(kind).items()})


EVENTS = st.one_of([_values(kind) for kind in (v.MessageSeen, v.MessageGone, v.Receipt, v.UnknownEvent)])


@given(EVENTS)
def test_events_come_back_from_json_as_they_were(event):
    assert event_from_plain(json.loads(json.dumps(to_plain(event)))) == event


@given(st.sampled_from([v.SendOrder, v.Account, v.RawDelivery, v.Page, v.WhoAmI, v.Sent]).flatmap(_values))
def test_other_values_come_back_as_they_were(value):
    assert from_plain(type(value), json.loads(json.dumps(to_plain(value)))) == value


@given(st.one_of(_values(v.Yes), _values(v.No)))
def test_answers_say_which_they_are(answer):
    assert from_plain(v.Answer, to_plain(answer)) == answer


@pytest.mark.parametrize(
    "found", [v.Sent("1", url="https://a.example/1"), v.NotFound(), v.CannotTell("Why.")]
)
def test_what_was_looked_up_says_which_it_is(found):
    assert from_plain(v.LookUpResult, to_plain(found)) == found


def test_the_form_is_short_and_plain():
    seen = v.MessageSeen(
        native_id="1",
        kind=v.MessageKind.MENTION,
        visibility=v.Visibility.PUBLIC,
        author=ANNA,
        text="Hello",
        sent_at=datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1))),
        attachments=[v.Attachment("a", v.AttachmentKind.IMAGE, data=b"\x00\xff")],
    )
    assert to_plain(seen) == {
        "event": "MessageSeen",
        "native_id": "1",
        "kind": "mention",
        "visibility": "public",
        "author": {"native_id": "2001", "handle": "anna", "name": "Anna Berg"},
        "text": "Hello",
        "sent_at": "2026-03-02T09:00:00Z",
        "attachments": [{"native_id": "a", "kind": "image", "data": "AP8="}],
    }


@pytest.mark.parametrize(
    ("plain", "says"),
    [
        ([], "object"),
        ({"event": "MessageLost"}, "says none of"),
        ({"event": "MessageGone", "native_id": "1"}, "at"),
        ({"event": "MessageGone", "native_id": "1", "at": "yesterday"}, "event.at"),
        ({"event": "MessageGone", "native_id": 1, "at": "2026-01-01T00:00:00Z"}, "event.native_id"),
        ({"event": "MessageGone", "native_id": "1", "at": "2026-01-01T00:00:00Z", "who": 1}, "has no who"),
        (
            {"event": "Receipt", "native_id": "1", "state": "lost", "at": "2026-01-01T00:00:00Z"},
            "event.state",
        ),
    ],
)
def test_what_does_not_fit_is_named(plain, says):
    with pytest.raises(NotPlain, match=says):
        event_from_plain(plain)


def test_a_naive_instant_is_refused():
    with pytest.raises(TypeError, match="time zone"):
        to_plain(v.MessageGone("1", at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_the_builders_are_what_they_say():
    assert order().target == target()
    assert target().sent_at == NOW
    from heard.connectorkit.manifest import Field, FieldKind, Manifest

    fields = [Field("address", "A", FieldKind.URL), Field("token", "T", FieldKind.SECRET)]
    account = account_for(Manifest("n", "N", "A net.", fields))
    assert account.settings == {"address": "https://social.example"}
    assert "hush" in account.secrets["token"]
    assert "hush" not in repr(account)
