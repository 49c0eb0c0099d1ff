"""``proxy``: nginx, then Caddy, as a function that puts it in front of a port for a ``with`` block."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator

import pytest

from .process import Missing
from .proxies import PROXIES, Front


@pytest.fixture(params=sorted(PROXIES))
def proxy(
    request: pytest.FixtureRequest,
) -> Callable[[int], contextlib.AbstractContextManager[Front]]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (Debian: apt-get install curl), which speaks HTTP/2")

    @contextlib.contextmanager
    def before(port: int) -> Iterator[Front]:
        try:
            with PROXIES[request.param](port) as front:
                yield front
        except Missing as missing:
            pytest.skip(str(missing))

    return before
