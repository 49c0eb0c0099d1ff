"""Deliveries: the kept ones, garbage, and kept ones with one thing wrong."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.connectorkit import protocol
from heard.connectorkit.errors import Forged, Unreadable
from heard.connectorkit.mutations import mutated_json, mutated_mail
from heard.connectorkit.testing import read_json
from heard.connectorkit.vocabulary import Account, RawDelivery, Source

from .cases import FixtureCases
from .events import check_events, comparable


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class ReceivingTests(FixtureCases):
    """``receive`` is pure, and its refusal has one name."""

    def test_received(self, received_case: Path) -> None:
        """Each kept delivery becomes what is written beside it, and the same again."""
        account = self._account_of(received_case)
        delivery = self._delivery(received_case)
        events = self.connector.receive(account, delivery)
        again = self.connector.receive(account, delivery)
        assert list(again) == list(events), "receive is not pure"
        check_events(events)
        expected = read_json(received_case / "expected.json")
        assert comparable(events, expected) == expected

    def test_garbage_is_unreadable_and_nothing_else(self) -> None:
        account = self.account

        @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.one_of(st.binary(max_size=300), _JSON.map(_dump)))
        def feed(body: bytes) -> None:
            self._reads_or_refuses(account, self._wrap(body, {}))

        feed()
        for source in Source:
            for body in (b"", b"\x00", b"[" * 50_000, b"9" * 5_000, b"\xff\xfe", b'"' + b"a" * 100_000):
                self._reads_or_refuses(account, self._wrap(body, {"source": source.value}))

    def test_spoilt_deliveries(self, received_case: Path) -> None:
        """A delivery with one thing wrong gives events that can be stored, or ``Unreadable``."""
        account = self._account_of(received_case)
        delivery = self._delivery(received_case)
        for body in _spoilt(received_case, delivery.body):
            self._reads_or_refuses(account, dataclasses.replace(delivery, body=body))

    def _reads_or_refuses(self, account: Account, delivery: RawDelivery) -> None:
        try:
            events = self.connector.receive(account, delivery)
        except Unreadable as refusal:
            self._keeps_secrets(account, refusal)
            return
        check_events(events)

    def test_a_forged_push_is_refused(self) -> None:
        """No delivery without the right signature gets in."""
        if not isinstance(self.connector, protocol.Pushes):
            return
        for headers in ({}, {"x-hub-signature-256": "sha256=00"}, {"x-sandbox-signature": "sha256=é"}):
            with pytest.raises(Forged):
                self.connector.verify(self.account, headers, b'{"events": []}')
        for query in ({}, {"unrelated": "1"}, {"hub.mode": "subscribe", "hub.verify_token": "wrong"}):
            assert self.connector.handshake(self.account, query) is None


def _spoilt(case: Path, body: bytes) -> Iterator[bytes]:
    if (case / "payload.eml").exists():
        yield from mutated_mail(body)
        return
    for cut in range(0, len(body), max(1, len(body) // 40)):
        yield body[:cut]
    for payload in mutated_json(json.loads(body)):
        yield _dump(payload)
