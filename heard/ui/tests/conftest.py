"""A desk, and visitors who sit at it with the browser that all tests share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.test import override_settings

from heard.ui.tests import desk


class QuietHandler(WSGIRequestHandler):
    """Serves without writing a line for each request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="package")
def desk_url() -> Iterator[str]:
    """The address of the desk, whose addresses are the process's own for as long as it is open."""
    changes = override_settings(
        ROOT_URLCONF="heard.ui.tests.desk",
        HEARD_GALLERY=True,
        LANGUAGES=[("en", "English"), ("ar", "Arabic")],
        MIDDLEWARE=[
            "heard.ui.tests.desk.policy",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
    )
    with changes:
        server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
        server.set_app(StaticFilesHandler(WSGIHandler()))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


@pytest.fixture
def happenings() -> Iterator[desk.Happenings]:
    """What is told to pages and posted by them, in this test."""
    desk.now = desk.Happenings()
    yield desk.now
    desk.now.open.clear()


@dataclass
class Visitor:
    """A browser context at the desk. What its console complained about fails the test."""

    url: str
    context: Any
    complaints: list[str] = field(default_factory=list)

    def page(self, path: str, **_: object) -> Any:
        """A new tab on ``path``, its scripts at work."""
        tab = self.context.new_page()
        tab.on("console", lambda said: self._hear(said.type, said.text, said.location.get("url", "")))
        tab.on("pageerror", lambda error: self._hear("error", str(error), path))
        tab.goto(self.url + path)
        tab.wait_for_selector(":root[data-ready]")
        return tab

    def _hear(self, kind: str, text: str, where: str) -> None:
        # The browser itself reports refused requests; whether they are handled is what tests look at.
        if kind in {"error", "warning"} and "Failed to load resource" not in text and "htmx:" not in text:
            self.complaints.append(f"{kind}: {text} ({where})")


@pytest.fixture
def visit(chromium: Any, desk_url: str, happenings: desk.Happenings) -> Iterator[Any]:
    """A function that opens a browser context: ``visit(width=390, color_scheme="dark")``."""
    visitors: list[Visitor] = []

    def open_context(*, width: int = 1440, height: int = 900, **options: Any) -> Visitor:
        options.setdefault("locale", "en-GB")
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(8_000)
        visitors.append(Visitor(desk_url, context))
        return visitors[-1]

    yield open_context
    happenings.open.clear()
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert complaints == []
