"""What these tests are given."""

from __future__ import annotations

import pytest

from heard.connectors.email import EmailConnector
from tests.servers.small_imap import small_imap
from tests.servers.smtp import smtp


@pytest.fixture
def post():
    with smtp() as server:
        yield server


@pytest.fixture
def store():
    with small_imap() as server:
        yield server


@pytest.fixture
def quick():
    return EmailConnector(timeout_seconds=3, answer_seconds=0.5, tick_seconds=0.1, renew_seconds=0.3)
