"""Somebody at a browser, under watch: an error in the console or a broken policy fails the journey."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

PATIENCE_MS = 15_000
LEAVES_MS = 40_000
"""Ten seconds of undo, the worker's turn, the network's answer, the way back; on a busy machine."""

STILL = """() => document.getAnimations().every(
  (one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""

expect.set_options(timeout=PATIENCE_MS)


class Visitor:
    """A browser of its own with one page open."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.problems: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._said)
        context.on("weberror", self._broke)
        self.page = context.new_page()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._note(f"{message.text} ({message.location.get('url', '')})")

    def _broke(self, error: WebError) -> None:
        self._note(str(error.error))

    def _note(self, problem: str) -> None:
        if not any(pattern.search(problem) for pattern in self._expected):
            self.problems.append(problem)

    def expects(self, pattern: str) -> None:
        """A refusal that this journey provokes, as the browser's console words it."""
        self._expected.append(re.compile(pattern))

    def open(self, path: str) -> Page:
        """Go there, and wait until the page answers to clicks and keys."""
        self.page.goto(path if path.startswith("http") else self.url + path)
        return self.ready()

    def ready(self) -> Page:
        """Wait until the page answers to clicks and keys."""
        self.page.wait_for_load_state("load")
        # Pages for people who are not in yet are plain forms without a frame around them.
        self.page.locator("html[data-ready], html:not(:has(#app))").wait_for(state="attached")
        return self.page

    def settled(self) -> None:
        """Wait until nothing is being loaded into the page."""
        expect(self.page.locator(".htmx-request")).to_have_count(0)

    def row(self, words: str) -> Locator:
        """The row of the list whose preview has these words."""
        return self.page.locator("#rows .row").filter(has_text=words)

    def bubble(self, words: str) -> Locator:
        """What was said with these words, in the open thread."""
        return self.page.locator("#messages .message").filter(has_text=words)

    def is_open(self, words: str) -> None:
        """Wait until the case in which somebody said these words is open and the page is at rest."""
        expect(self.bubble(words).first).to_be_visible()
        self.settled()

    def barriers(self) -> list[str]:
        """What axe-core finds wrong on the page as it is now."""
        # Colours that are on their way from one to another are no colours to judge.
        self.page.wait_for_function(STILL)
        found: Any = Axe().run(self.page)
        width = (self.page.viewport_size or {"width": 0})["width"]
        return [
            f"{self.page.url} at {width}: {broken['id']}, {broken['help']}: {node['html']}"
            for broken in found.response["violations"]
            for node in broken["nodes"]
        ]

    def accessible(self) -> None:
        """No violation that axe-core knows of, on the page as it is now."""
        found = self.barriers()
        assert not found, "\n".join(found)
