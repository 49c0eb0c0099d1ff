"""``mail_server``: one mail system per run; a ``new_address()`` per test keeps their mail apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .mail import Mail, mail
from .process import Missing


@pytest.fixture(scope="session")
def mail_server() -> Iterator[Mail]:
    try:
        with mail() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))
