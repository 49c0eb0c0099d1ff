"""``bluesky_server``: one Bluesky network per run; tests make accounts of their own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .bluesky import BlueskyServer, bluesky
from .process import Missing


@pytest.fixture(scope="session")
def bluesky_server() -> Iterator[BlueskyServer]:
    try:
        with bluesky() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))
