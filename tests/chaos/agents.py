"""Agents who answer in the real pages, signed in by link, and remember what the pages acknowledged."""

from __future__ import annotations

import html
import random
import re
import threading
import time
from dataclasses import dataclass, field
from itertools import count

import httpx

from .installation import Installation

GIVE_UP_SECONDS = 90.0
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
CASE = re.compile(r'href="/c/(\d+)')
COMPOSER = re.compile(r"<form[^>]*/answer\".*?</form>", re.DOTALL)


class PageRefused(Exception):
    """A page answered what no agent should see."""


@dataclass(slots=True)
class Agent:
    """Answers about one case per ``pause_seconds``, and takes back one answer in twenty."""

    installation: Installation
    number: int
    rng: random.Random
    most: int
    pause_seconds: float
    submitted: dict[str, str] = field(default_factory=dict)  # text -> "" or "taken back"
    milliseconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    name: str = ""
    _texts: count[int] = field(default_factory=count)
    _cases: list[str] = field(default_factory=list)
    _client: httpx.Client | None = None

    def run(self) -> None:
        with httpx.Client(base_url=self.installation.url, timeout=30.0) as client:
            self._client = client
            self._ask("GET", self.installation.company["links"][self.number])
            while len(self.submitted) < self.most and not self.stop.is_set():
                began = time.monotonic()
                self._answer_somebody()
                self.stop.wait(max(0.05, self.pause_seconds - (time.monotonic() - began)))

    def _answer_somebody(self) -> None:
        if not self._cases:
            self._cases = list(dict.fromkeys(CASE.findall(self._ask("GET", "/inbox/").text)))[:8]
            self.rng.shuffle(self._cases)
        if not self._cases:
            return
        case = self._cases.pop()
        page = self._ask("GET", f"/c/{case}")
        composer = COMPOSER.search(page.text)
        if composer is None:
            return
        form = {name: html.unescape(value) for name, value in HIDDEN.findall(composer.group())}
        modes = [name.removeprefix("target_") for name in form if name.startswith("target_")]
        if not modes:
            return
        mode = self.rng.choice(modes)
        text = f"Agent {self.number}{self.name} answers, number {next(self._texts)}: we look into it."
        answer = self._ask("POST", f"/c/{case}/answer", {**form, "mode": mode, "text": text})
        if answer.status_code == 422:
            return  # what was answered is gone meanwhile: the page says so, nothing was taken
        self.submitted[text] = ""
        if self.rng.random() < 0.05:
            self._take_back(case, text)

    def _take_back(self, case: str, text: str) -> None:
        page = self._ask("GET", f"/c/{case}").text
        place = page.rfind(html.escape(text))
        found = re.search(r'action="(/c/\d+/outbound/\d+/undo)"', page[place:]) if place >= 0 else None
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', page)
        if found is None or token is None:
            return
        answer = self._ask("POST", found[1], {"csrfmiddlewaretoken": token[1]}, expect={302, 409})
        # After a lost answer "too late" may mean that the first try took it back: only the network knows.
        self.submitted[text] = "taken back" if answer.status_code == 302 else "perhaps"

    def _ask(
        self, method: str, path: str, form: dict[str, str] | None = None, expect: set[int] | None = None
    ) -> httpx.Response:
        """Until it is answered. A form sent twice is one outbound, so asking again is what a person does."""
        assert self._client is not None
        until = time.monotonic() + GIVE_UP_SECONDS
        while True:
            began = time.perf_counter()
            try:
                answer = self._client.request(
                    method, path, data=form, headers={"Origin": self.installation.url}
                )
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
                continue
            if method == "POST":
                self.milliseconds.append((time.perf_counter() - began) * 1000)
            if answer.status_code in (expect or {200, 302, 422}):
                return answer
            self.problems.append(f"{method} {path}: {answer.status_code}")
            if time.monotonic() > until or len(self.problems) > 50:
                raise PageRefused(self.problems[-1])
            time.sleep(0.2)
