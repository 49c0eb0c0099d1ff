"""``s3_server``: one S3 stand-in per run, its bucket empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .process import Missing
from .s3 import S3, s3


@pytest.fixture(scope="session")
def s3_of_this_run() -> Iterator[S3]:
    try:
        with s3() as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def s3_server(s3_of_this_run: S3) -> S3:
    s3_of_this_run.empty()
    return s3_of_this_run
