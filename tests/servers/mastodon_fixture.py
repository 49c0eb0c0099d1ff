"""``mastodon_server``: one mastodon_mock per run, without faults at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .mastodon import Mastodon, mastodon
from .process import Missing


@pytest.fixture(scope="session")
def mastodon_of_this_run() -> Iterator[Mastodon]:
    try:
        with mastodon() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def mastodon_server(mastodon_of_this_run: Mastodon) -> Iterator[Mastodon]:
    yield mastodon_of_this_run
    mastodon_of_this_run.heal()
