"""What journeys have: a company with a simulated public, and visitors under watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.journeys.installation import CLAIRE, MARA, RAVI, Installation, installation
from tests.journeys.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.hookimpl(tryfirst=True)  # before the run decides by marker what it leaves out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are journeys."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="package")
def nordwind() -> Iterator[Installation]:
    """The demo's company, with a Sandbox that says nothing by itself."""
    with installation() as place:
        yield place


@pytest.fixture(scope="package")
def ways_in(nordwind: Installation) -> dict[str, str]:
    return nordwind.links(MARA, RAVI, CLAIRE)


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Visit]:
    """Open browsers at an address; at the end none of them may have seen an error."""
    visitors: list[Visitor] = []

    def begin(url: str, **options: Any) -> Visitor:
        settings = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
        visitors.append(Visitor(chromium.new_context(**settings), url))
        return visitors[-1]

    yield begin
    for visitor in visitors:
        visitor.context.close()
    assert not [problem for visitor in visitors for problem in visitor.problems]


@pytest.fixture
def visit(browse: Visit, nordwind: Installation, ways_in: dict[str, str]) -> Visit:
    """A member of the demo's company at the inbox, signed in by link."""

    def begin(email: str = MARA, **options: Any) -> Visitor:
        visitor = browse(nordwind.url, **options)
        visitor.open(ways_in[email])
        assert visitor.page.url == f"{nordwind.url}/inbox/"
        return visitor

    return begin
