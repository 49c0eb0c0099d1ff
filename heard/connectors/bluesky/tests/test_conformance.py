"""The conformance suite, run on Bluesky's connector."""

from __future__ import annotations

import pytest

from heard.connectorkit.conformance import ConnectorConformance
from heard.connectorkit.plain import to_plain
from heard.connectorkit.testing import RecordedNet, link, read_json
from heard.connectorkit.vocabulary import Sent
from heard.connectors.bluesky import CONNECTOR

from .played import FOLDER, our_account


class TestBluesky(ConnectorConformance):
    connector = CONNECTOR
    folder = FOLDER

    @property
    def account(self):
        return our_account()

    @pytest.mark.parametrize(
        "case", sorted((FOLDER / "fixtures" / "looked").iterdir()), ids=lambda case: case.name
    )
    def test_looked(self, case):
        """Each kept look asks exactly what is recorded, and a second attempt finds what stands."""
        order, exchange = self._order(case), read_json(case / "exchange.json")
        net = RecordedNet(exchange)
        found = CONNECTOR.look_up(link(self._account_of(case), net), order)
        net.finished()
        assert to_plain(found) == read_json(case / "expected.json")
        if order.attempt > 1:
            assert isinstance(found, Sent)
            again = RecordedNet(exchange)
            assert CONNECTOR.send(link(self._account_of(case), again), order) == found
            again.finished()
