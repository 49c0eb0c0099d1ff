"""How long the races are: short in every run, ten thousand rounds with ``make chaos``."""

from __future__ import annotations

import pytest

SHORT = 100
LONG = 10_000


@pytest.fixture(
    params=[
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.chaos, pytest.mark.timeout(3600)]),
    ]
)
def race_rounds(request: pytest.FixtureRequest) -> int:
    """Rounds of a race."""
    return int(request.param)
