"""How long the races are: short in every run, ten thousand rounds with ``make chaos``."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def race_rounds() -> int:
    """Rounds of a race."""
    return 10_000 if "chaos" in os.environ.get("HEARD_TESTS", "") else 150
