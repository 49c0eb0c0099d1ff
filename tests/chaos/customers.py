"""People who talk to the company through the Sandbox's control API, and remember what they said."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from .installation import Installation

BATCH = 10
PAUSE_SECONDS = 0.25
GIVE_UP_SECONDS = 60.0
MATTERS = (
    "my order is late",
    "I was charged twice",
    "the zip broke",
    "thank you, that was quick",
    "where is it?",
)


class LinkStayedDown(Exception):
    """The Sandbox did not come back within its patience."""


@dataclass(slots=True)
class Customers:
    """Say ``messages`` things in about ``seconds``: mentions, comments, direct messages, edits, deletions."""

    installation: Installation
    rng: random.Random
    brands: list[str]
    messages: int
    seconds: float
    said: list[tuple[str, str, str, str]] = field(default_factory=list)  # (post, speaker, brand, kind)
    edits: int = 0
    deletions: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        began = time.monotonic()
        while len(self.said) < self.messages and not self.stop.is_set():
            share = min(1.0, (time.monotonic() - began) / self.seconds)
            due = int(share * self.messages) - len(self.said)
            if due <= 0:
                self.stop.wait(PAUSE_SECONDS)
                continue
            self._say(min(due, BATCH))
            self._change_minds()

    def _say(self, count: int) -> None:
        batch = [self._message(len(self.said) + number) for number in range(count)]
        answer = self._ask("POST", "say", {"messages": batch})
        for asked, stands in zip(batch, answer["said"], strict=True):
            self.said.append((stands["id"], asked["as"], asked["to"], asked["kind"]))

    def _message(self, number: int) -> dict[str, Any]:
        brand = self.rng.choice(self.brands)
        person = f"p{self.rng.randrange(max(10, self.messages // 4))}"
        kind = self.rng.choices(("mention", "direct", "comment"), (5, 3, 2))[0]
        text = f"{self.rng.choice(MATTERS)} ({number})"
        message = {"as": person, "to": brand, "kind": kind, "text": text, "key": f"said-{number}"}
        if kind == "comment":
            above = [entry for entry in self.said[-200:] if entry[2] == brand and entry[3] != "direct"]
            if not above:
                return {**message, "kind": "mention"}
            parent = self.rng.choice(above)
            message["in_reply_to"] = parent[0]
            # Half of them name the company again: those have a matter of their own.
            message["text"] = f"@{brand} {text}" if self.rng.random() < 0.5 else text
        return message

    def _change_minds(self) -> None:
        if not self.said:
            return
        post, _, brand, kind = self.said[self.rng.randrange(len(self.said))]
        chance = self.rng.random()
        if chance < 0.25:
            text = f"I meant: {self.rng.choice(MATTERS)} (edit {self.edits})"
            # Who edits the name away is not heard of any more, as on real networks.
            self._ask("PUT", f"posts/{post}", {"text": text if kind == "direct" else f"@{brand} {text}"})
            self.edits += 1
        elif chance < 0.4:
            self._ask("DELETE", f"posts/{post}")
            self.deletions += 1

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Until it is answered: every message has a key of its own, so asking again says nothing twice."""
        until = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return self.installation.control(method, path, body)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == 404 and method != "POST":
                    return None  # deleted meanwhile
                if error.response.status_code == 404 and path == "say":
                    body = {"messages": [self._without_parent(item) for item in body["messages"]]}
                    continue
                raise
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    raise LinkStayedDown(str(error)) from error
                time.sleep(0.2)

    @staticmethod
    def _without_parent(message: dict[str, Any]) -> dict[str, Any]:
        """The post it comments on was deleted: say it by itself."""
        if message["kind"] != "comment":
            return message
        plain = {name: value for name, value in message.items() if name != "in_reply_to"}
        return {**plain, "kind": "mention"}
