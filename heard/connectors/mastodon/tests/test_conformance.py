"""The conformance suite, run on Mastodon's connector."""

from __future__ import annotations

from heard.connectorkit.conformance import ConnectorConformance

from .played import ACCOUNT, FOLDER, PATIENT


class TestMastodon(ConnectorConformance):
    connector = PATIENT
    folder = FOLDER

    @property
    def account(self):
        return ACCOUNT
