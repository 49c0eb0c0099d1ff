"""The comparison of a chaos run can fail: each thing that must not happen is noticed and named."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.chaos.pusher import Pushed
from tests.chaos.verdict import ARRIVED, Verdict, compare

LINES: dict[str, dict[str, Any]] = {
    "north": {"idempotency": True, "look_up": True},
    "west": {"idempotency": False, "look_up": False},
}


def post(number: int, text: str, *, deleted: bool = False) -> dict[str, Any]:
    return {"id": str(number), "text": text, "deleted": deleted}


class World:
    """A network and a record on which everything is right, until a test spoils it."""

    def __init__(self) -> None:
        self.company = {"channels": {"north": 1, "west": 2}}
        self.said = [post(1, "Hello"), post(2, "", deleted=True)]
        self.posts = {"north": [post(3, "Hi")], "west": []}
        self.messages: list[list[Any]] = [
            [1, 1, "1", "in", "visible", "Hello", 1, 1],
            [2, 1, "2", "in", "deleted", "", 1, 1],
            [3, 1, "3", "out", "visible", "Hi", 1, 1],
            [4, 3, "pushed-1", "in", "visible", "By webhook", 2, 1],
        ]
        self.pushed = Pushed({"pushed-1": "By webhook"}, {"pushed-1"})
        self.announced = [1, 2, 3, 4]
        self.outbounds: list[list[Any]] = [["Hi", "sent", 1], ["Lost", "asked", 2], ["Oh", "cancelled", 1]]
        self.submitted = {"Hi": "", "Lost": "", "Oh": "taken back"}
        self.given, self.unreadable, self.broken = 0, 0, 0

    def control(self, _method: str, path: str, author: str = "", **_query: Any) -> dict[str, Any]:
        return {"posts": self.said if path == "said" else self.posts[author], "more": False}

    def run(self, *_command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            [], self.broken, "BROKEN at entry 7" if self.broken else "holds", ""
        )

    def rows(self, statement: str) -> list[Any]:
        if statement == ARRIVED:
            return [(json.dumps({"data": {"message_ids": self.announced}}).encode(),)]
        return self.outbounds if "outbox" in statement else self.messages

    def one(self, _statement: str) -> int:
        return 9

    def given_up(self) -> int:
        return self.given

    def unreadable_deliveries(self) -> int:
        return self.unreadable

    def outbound_states(self) -> dict[str, int]:
        return {}

    def verdict(self) -> Verdict:
        return compare(self, self, self.submitted, LINES, self.pushed)  # type: ignore[arg-type]


def test_where_everything_stands_as_it_must_it_holds() -> None:
    assert World().verdict().wrong == []


SPOILT = {
    "messages lost": lambda world: world.messages.pop(0),
    "messages twice": lambda world: world.messages.append([9, 1, "1", "in", "visible", "Hello", 1, 1]),
    "edits not followed": lambda world: world.messages[0].__setitem__(5, "Helo"),
    "without exactly one case": lambda world: world.messages[0].__setitem__(7, 0),
    "deleted messages still shown": lambda world: world.messages[1].__setitem__(4, "visible"),
    "acknowledged with 200 and lost": lambda world: world.messages.pop(3),
    "never acknowledged": lambda world: world.pushed.acknowledged.clear(),
    "pushed and there twice": lambda world: world.messages.append(
        [9, 3, "pushed-1", "in", "visible", "By webhook", 2, 1]
    ),
    "not announced once": lambda world: world.announced.append(4),
    "not as it was said": lambda world: world.messages[3].__setitem__(5, "By"),
    "pushed and without exactly one case": lambda world: world.messages[3].__setitem__(6, None),
    "forgotten after": lambda world: world.submitted.update(More=""),
    "without an end": lambda world: world.outbounds[1].__setitem__(1, "unknown"),
    "standing twice": lambda world: world.posts["north"].append(post(4, "Hi")),
    "that do not stand": lambda world: world.posts["north"].clear(),
    "though taken back": lambda world: world.posts["north"].append(post(4, "Oh")),
    "though the network could tell": lambda world: world.outbounds[1].__setitem__(2, 1),
    "taken back that left": lambda world: world.outbounds[2].__setitem__(1, "sent"),
    "nobody asked for": lambda world: world.posts["west"].append(post(4, "Who wrote this?")),
    "not exactly one message": lambda world: world.messages.pop(2),
    "given up": lambda world: setattr(world, "given", 1),
    "could not be read": lambda world: setattr(world, "unreadable", 1),
    "journal does not hold": lambda world: setattr(world, "broken", 1),
}


@pytest.mark.parametrize("what", SPOILT)
def test_each_wrong_is_named(what: str) -> None:
    world = World()
    SPOILT[what](world)
    assert any(what in sentence for sentence in world.verdict().wrong)
