"""The conformance suite, run on the connector for e-mail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from heard.connectorkit.conformance import ConnectorConformance
from heard.connectorkit.testing import account_for
from heard.connectors.email import CONNECTOR

from .played import US


class TestEmail(ConnectorConformance):
    connector = CONNECTOR
    folder = Path(__file__).parents[1]

    @property
    def account(self):
        return replace(account_for(CONNECTOR.manifest), native_id=US, handle=US)
