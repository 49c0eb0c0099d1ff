"""A customer and a company on a Mastodon server."""

from __future__ import annotations

import pytest
from mastodon import Mastodon

from .company import Company


@pytest.fixture
def company(mastodon_server):
    company = Company(mastodon_server)
    yield company
    company.net.close()


@pytest.fixture
def customer(mastodon_server):
    return Mastodon(
        access_token=mastodon_server.customer_token,
        api_base_url=mastodon_server.url,
        ratelimit_method="throw",
    )
