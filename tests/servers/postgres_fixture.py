"""``postgres_server``: one throw-away PostgreSQL per run, for tests that need it whatever Heard runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .postgres import Postgres, postgres
from .process import Missing


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    try:
        with postgres() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))
