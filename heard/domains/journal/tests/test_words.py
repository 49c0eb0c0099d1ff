"""Facts in plain words: of whatever room, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.domains.journal.facts import kinds
from heard.domains.journal.rules import in_words


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("channels.ChannelPaused", {"channel_id": 3}, "Channel paused: channel 3"),
        (
            "channels.ChannelConnected",
            {"channel_id": 3, "network": "mastodon"},
            "Channel connected: channel 3, network mastodon",
        ),
        ("outbox.HoldPlaced", {"hold_id": 1, "channel_id": 0, "in_flight": []}, "Hold placed: hold 1"),
        ("contacts.ContactsMet", {"contact_ids": [1, 2]}, "Contacts met: contact 1, 2"),
        ("contacts.ContactsMet", {"contact_ids": list(range(40))}, "Contacts met: 40 × contact"),
        (
            "contacts.ContactErased",
            {"contact_id": 9, "suppressed": True},
            "Contact erased: contact 9, suppressed",
        ),
        ("contacts.ContactErased", {"suppressed": False}, "Contact erased: not suppressed"),
        ("inbox.CasesTouched", {"opened": [True, False, True]}, "Cases touched: 2 opened"),
        ("inbox.CasesTouched", {"opened": [False]}, "Cases touched"),
        ("old.URLShortened", {}, "Url shortened"),
        ("nonsense", {}, "nonsense"),
    ],
)
def test_a_fact_reads_as_a_sentence(kind, data, sentence):
    assert in_words(kind, data) == sentence


def test_every_fact_of_this_house_has_words():
    for kind in kinds():
        said = in_words(kind, {})
        assert said[0].isupper(), kind
        assert said != kind
        assert "." not in said, kind


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=12), VALUES, max_size=6))
def test_anything_that_may_stand_in_the_record_can_be_read(kind, data):
    assert isinstance(in_words(kind, data), str)
