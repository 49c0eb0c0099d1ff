"""How long the races are: short in every run, ten thousand rounds with ``make chaos``.

CHAOS_ROUNDS is for a piece of the long form, where there is not time for all of it.
"""

from __future__ import annotations

import os

import pytest

SHORT = 100
LONG = int(os.environ.get("CHAOS_ROUNDS", "0")) or 10_000


@pytest.fixture(
    params=[
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.chaos, pytest.mark.timeout(3600)]),
    ]
)
def race_rounds(request: pytest.FixtureRequest) -> int:
    """Rounds of a race."""
    return int(request.param)
