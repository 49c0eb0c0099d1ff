"""Many machines are the same code: two workers, a web process, a stream process, PostgreSQL and RabbitMQ.

The broker carries hints only. It is stopped and emptied in mid-flow, and nobody may notice but by the clock.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.chaos.agents import Agent
from tests.chaos.company import AGENTS
from tests.chaos.installation import Installation, installation
from tests.chaos.record import Record
from tests.chaos.test_kill import fresh_database
from tests.chaos.verdict import FINAL, listed
from tests.servers.postgres import Postgres
from tests.servers.process import answers
from tests.servers.rabbitmq import RabbitMQ

pytestmark = pytest.mark.timeout(300)
PATIENCE_SECONDS = 120.0
STOPS_WITHIN_SECONDS = 10.0


@dataclass
class Machines:
    """Two companies on the same machines: Northbridge (north; south without keys), Southbank (ocean)."""

    found: Installation
    record: Record
    broker: RabbitMQ
    companies: dict[str, dict[str, Any]]
    submitted: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    agents: int = 0

    def say(self, count: int, brand: str) -> None:
        start = len(self.said)
        messages = [
            {
                "as": f"p{start + number}",
                "to": brand,
                "text": "Where is it?",
                "key": f"{brand}{start + number}",
            }
            for number in range(count)
        ]
        self.said |= {
            post["id"] for post in self.found.control("POST", "say", {"messages": messages})["said"]
        }

    def answer(self, count: int, company: str = "Northbridge") -> None:
        """An agent of this company answers as many cases, in the real pages."""
        self.found.company = self.companies[company]
        self.agents += 1
        agent = Agent(self.found, self.agents % AGENTS, random.Random(self.agents), count, 0.05)
        agent.name = f" of {company} ({self.agents})"
        ends = threading.Timer(PATIENCE_SECONDS, agent.stop.set)
        ends.start()
        agent.run()
        ends.cancel()
        assert len(agent.submitted) == count, agent.problems
        self.submitted |= {text for text, fate in agent.submitted.items() if not fate}

    def wait_until_all_is_done(self) -> None:
        wait(lambda: not self._left_to_do(), self._left_to_do)

    def _left_to_do(self) -> str:
        """What is under way still; empty when everything has arrived and left."""
        held = {row[0] for row in self.record.rows("SELECT native_id FROM conversations_message")}
        unfinished = {state: n for state, n in self.record.outbound_states().items() if state not in FINAL}
        left = {
            "messages not arrived": len(self.said - held),
            "answers not ended": unfinished,
            "facts not followed": self.record.behind(),
        }
        return ", ".join(f"{what}: {number}" for what, number in left.items() if number)

    def standing(self) -> Counter[str]:
        brands = [brand for company in self.companies.values() for brand in company["channels"]]
        return Counter(post["text"] for brand in brands for post in listed(self.found, "posts", author=brand))


def wait(condition: Callable[[], bool], what: Callable[[], str], seconds: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {what()}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def machines_of_this_module(postgres_server: Postgres, rabbitmq_of_this_run: RabbitMQ) -> Iterator[Machines]:
    url = fresh_database(postgres_server)
    settings = {"HEARD_DATABASE_URL": url, "HEARD_BROKER_URL": rabbitmq_of_this_run.url}
    with installation(settings, workers=2, separate_stream=True) as found:
        both = {"idempotency": True, "look_up": True}
        companies = {
            "Northbridge": found.found_company(
                {"north": both, "south": {"idempotency": False, "look_up": True}}
            ),
            "Southbank": found.found_company({"ocean": both}, "Southbank"),
        }
        for name in found.parts:
            found.start(name)
        found.wait_for("web")
        yield Machines(found, Record(found.folder / "data", url), rabbitmq_of_this_run, companies)


@pytest.fixture
def machines(machines_of_this_module: Machines) -> Iterator[Machines]:
    """Everything up, the broker too, whatever the test before did to it."""
    if not answers(machines_of_this_module.broker.port):
        machines_of_this_module.broker.start()
    for name in machines_of_this_module.found.parts:
        machines_of_this_module.found.start(name)
    yield machines_of_this_module
    if not answers(machines_of_this_module.broker.port):
        machines_of_this_module.broker.start()


def consumers(broker: RabbitMQ) -> int:
    rows = [line.split() for line in broker.control("list_queues", "name", "consumers").splitlines()]
    return next((int(row[1]) for row in rows if row[:1] == ["heard.hints"]), 0)


def wait_for_consumers(broker: RabbitMQ) -> None:
    wait(lambda: consumers(broker) == 2, lambda: f"both workers take hints, {consumers(broker)} do")


def test_two_workers_do_nothing_twice(machines: Machines) -> None:
    """South takes no key: whatever is sent twice stands there twice."""
    for brand in ("north", "south", "ocean"):
        machines.say(20, brand)
    machines.wait_until_all_is_done()
    machines.answer(8)
    machines.answer(4, "Southbank")
    machines.wait_until_all_is_done()
    assert machines.standing() == Counter(machines.submitted)
    arrived: Counter[int] = Counter()
    facts = machines.record.rows("SELECT body FROM journal_fact WHERE kind = 'conversations.MessagesArrived'")
    for (body,) in facts:
        told = json.loads(bytes(body))["data"]
        pairs = zip(told["message_ids"], told["directions"], strict=True)
        arrived.update(number for number, direction in pairs if direction == "in")
    assert len(arrived) >= len(machines.said)
    assert max(arrived.values()) == 1


def test_with_the_broker_stopped_messages_arrive_and_answers_leave(machines: Machines) -> None:
    machines.say(10, "north")
    machines.broker.stop()
    machines.say(10, "south")
    machines.say(10, "ocean")
    machines.answer(3)
    machines.wait_until_all_is_done()
    assert machines.standing() == Counter(machines.submitted)
    machines.broker.start()
    wait_for_consumers(machines.broker)
    machines.say(5, "north")
    machines.wait_until_all_is_done()


def test_with_its_queue_emptied_and_everything_forgotten_nothing_is_lost(machines: Machines) -> None:
    wait_for_consumers(machines.broker)
    for _ in range(3):
        machines.say(10, "south")
        machines.broker.control("purge_queue", "heard.hints")
    machines.answer(2)
    machines.broker.forget_everything()
    machines.say(10, "north")
    machines.answer(2)
    machines.wait_until_all_is_done()
    assert machines.standing() == Counter(machines.submitted)


@pytest.mark.parametrize("broker", ["up", "stopped"])
def test_nobody_waits_for_a_hint(machines: Machines, broker: str) -> None:
    if broker == "stopped":
        machines.broker.stop()
    done = machines.found.run("tests.chaos.hints", "300")
    took = sorted(json.loads(done.stdout.splitlines()[-1]))
    assert took[int(len(took) * 0.99)] < 100.0, took[-5:]


@pytest.mark.parametrize("broker", ["up", "stopped"])
def test_a_worker_leaves_when_asked(machines: Machines, broker: str) -> None:
    if broker == "up":
        wait_for_consumers(machines.broker)
    else:
        machines.broker.stop()
        time.sleep(3)  # until the consumer is in the middle of coming back
    took = machines.found.ask_to_stop("worker1", STOPS_WITHIN_SECONDS)
    assert took < STOPS_WITHIN_SECONDS
    machines.say(5, "north")  # the other one goes on
    machines.wait_until_all_is_done()
