"""What is peculiar to Bluesky, and the suite that every connector passes."""

from pathlib import Path

from heard.connectorkit.conformance import ConnectorConformance
from heard.connectorkit.testing import account_for

from . import CONNECTOR

US = "did:plc:nordwindnordwindnordwind"
ANNA = "did:plc:annabergannabergannaberga"


class TestBluesky(ConnectorConformance):
    connector = CONNECTOR
    folder = Path(__file__).parent

    @property
    def account(self):
        settings = {"handle": "nordwind.test", "service": "https://bsky.social"}
        return account_for(CONNECTOR.manifest, native_id=US, handle="nordwind.test", settings=settings)
