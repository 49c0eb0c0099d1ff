"""One Chromium for all tests that want a browser, and those tests last in their process.

Playwright drives it from an event loop of the thread that asked: a second one cannot be opened there, and
Django refuses its database to whoever comes after it in that thread. So nobody comes after.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

# Chromium on a machine without a screen, a graphics card or a way out.
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip


@pytest.hookimpl(trylast=True)  # after folders have said which of their tests are journeys
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever wants a browser comes last."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium, a ``playwright.sync_api.Browser``."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()
