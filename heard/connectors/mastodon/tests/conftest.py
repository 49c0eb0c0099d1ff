"""What these tests are given."""

from __future__ import annotations

import pytest

from .played import Server


@pytest.fixture
def server():
    return Server()
