"""A customer and a company on Bluesky's own servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from atproto import Client

from .company import Company


@pytest.fixture(scope="module")
def anna(bluesky_server) -> Client:
    """The customer. Whoever is blocked needs an account of their own."""
    return bluesky_server.create_account("anna")


@pytest.fixture
def company(bluesky_server) -> Iterator[Company]:
    company = Company(bluesky_server, bluesky_server.create_account("nordwind"))
    yield company
    company.net.close()
