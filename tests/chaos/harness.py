"""Kill anything anywhere: people talk, agents answer, processes die; at the end everything is compared.

Four accounts of the company are four kinds of network: one that takes our key and can be looked at, one that
only takes keys, one that can only be looked at, one that can do neither. To the first the Sandbox pushes,
beside polls and streams; a fifth account hears by webhook alone. What the random decisions are is fixed by
the seed; when a process is hit is decided by the machine.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from .agents import Agent
from .company import AGENTS
from .customers import Customers
from .installation import Installation, installation
from .pusher import BRAND, SECRET, Pusher
from .pusher import LINES as PUSHING
from .record import Record
from .verdict import FINAL, Verdict, compare

console = Console(stderr=True)

LINES: dict[str, dict[str, Any]] = {
    "north": {"idempotency": True, "look_up": True, "webhook_secret": SECRET},
    "east": {"idempotency": True, "look_up": False},
    "south": {"idempotency": False, "look_up": True},
    "west": {"idempotency": False, "look_up": False},
}
PUSHED_TO = {BRAND: {"webhook_secret": SECRET, "hidden": True}}
FAULTS: list[dict[str, Any]] = [
    {"match": {"method": "POST", "path": "/api/v1/posts"}, "effect": "timeout_after_accept", "seconds": 25},
    {"match": {"method": "POST", "path": "/api/v1/posts"}, "effect": "timeout_before", "seconds": 25},
    {"match": {"method": "POST", "path": "/api/v1/posts"}, "effect": "status", "status": 500},
    {"match": {"method": "POST", "path": "/api/v1/posts"}, "effect": "status", "status": 503},
    {"match": {"method": "POST", "path": "/api/v1/posts"}, "effect": "malformed"},
    {"match": {"method": "POST", "path": "/api/v1/posts"}, "effect": "latency", "seconds": 2.0},
    {"match": {"method": "GET", "path": "/api/v1/events"}, "effect": "malformed"},
    {"match": {"method": "GET", "path": "/api/v1/events"}, "effect": "status", "status": 500},
    {"match": {"method": "GET", "path": "/api/v1/events"}, "effect": "latency", "seconds": 1.5},
    {"match": {"method": "GET", "path": "/api/v1/posts"}, "effect": "status", "status": 502},
    {"match": {"method": "GET", "path": "/api/v1/stream"}, "effect": "status", "status": 500},
]


@dataclass(frozen=True, slots=True)
class Options:
    """How long, how much, on what. ``settings`` are the installation's environment variables."""

    messages: int = 3000
    seconds: float = 240.0
    answers: int = 800
    pushes: int = 3000
    agents: int = AGENTS
    kill_every_seconds: float = 6.0
    settle_seconds: float = 240.0
    seed: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    separate_stream: bool = False

    @property
    def postgres_url(self) -> str:
        return self.settings.get("HEARD_DATABASE_URL", "")


@dataclass(slots=True)
class Result:
    """What happened and what was found."""

    options: Options
    counts: dict[str, int]
    wrong: list[str]
    kills: dict[str, int]
    faults: int
    flow_seconds: float
    settle_seconds: float
    submit_milliseconds: dict[str, float]
    logs: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        kept = asdict(self)
        kept.pop("logs")
        kept["options"]["settings"] = sorted(self.options.settings)
        return kept

    def table(self) -> Table:
        table = Table(
            title=f"Seed {self.options.seed}: " + ("it holds" if not self.wrong else "IT DOES NOT HOLD")
        )
        table.add_column("what")
        table.add_column("number", justify="right")
        rows: list[tuple[str, Any]] = list(self.counts.items())
        rows += [(f"kills of {name}", number) for name, number in self.kills.items()]
        rows += [("faults asked for", self.faults), ("flow, seconds", round(self.flow_seconds))]
        rows += [("until everything was settled, seconds", round(self.settle_seconds))]
        rows += [(f"submit {name}, ms", round(value)) for name, value in self.submit_milliseconds.items()]
        for what, number in rows:
            bad = any(what in sentence for sentence in self.wrong)
            table.add_row(f"[red]{what}[/]" if bad else what, str(number))
        return table


def run(options: Options, prepare: Callable[[Installation], None] | None = None) -> Result:
    """One run from an empty folder to the verdict."""
    console.print(f"chaos: seed {options.seed}, {options.messages} messages in {options.seconds:.0f} s")
    with installation(
        options.settings, workers=options.workers, separate_stream=options.separate_stream
    ) as found:
        found.found_company(LINES | PUSHED_TO)
        if prepare is not None:
            prepare(found)
        for name in found.parts:
            found.start(name)
        found.wait_for("web")
        found.ask_for_pushes("north", SECRET)
        return _Run(options, found).whole()


class _Run:
    def __init__(self, options: Options, found: Installation) -> None:
        self.options, self.found = options, found
        self.record = Record(found.folder / "data", options.postgres_url)
        rng = random.Random(options.seed)
        self.fate = random.Random(rng.random())
        self.customers = Customers(
            found, random.Random(rng.random()), list(LINES), options.messages, options.seconds
        )
        self.pusher = Pusher(found, random.Random(rng.random()), options.pushes, options.seconds)
        share = options.answers // options.agents
        self.agents = [
            Agent(found, number, random.Random(rng.random()), share, options.seconds / max(1, share))
            for number in range(options.agents)
        ]
        self.faults = 0
        self.failed: list[str] = []
        self.ended = threading.Event()

    def whole(self) -> Result:
        began = time.monotonic()
        self._flow()
        flow = time.monotonic() - began
        began = time.monotonic()
        self._settle()
        settle = time.monotonic() - began
        submitted: dict[str, str] = {}
        for agent in self.agents:
            submitted |= agent.submitted
        verdict = compare(self.found, self.record, submitted, LINES, self.pusher.pushed)
        self._add_what_failed(verdict)
        times = sorted(value for agent in self.agents for value in agent.milliseconds) or [0.0]
        logs = {name: self.found.log_of(name).read_text(errors="replace") for name in self.found.parts}
        return Result(
            options=self.options,
            counts=verdict.counts,
            wrong=verdict.wrong,
            kills={name: part.kills for name, part in self.found.parts.items()},
            faults=self.faults,
            flow_seconds=flow,
            settle_seconds=settle,
            submit_milliseconds={"median": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]},
            logs=logs,
        )

    def _add_what_failed(self, verdict: Verdict) -> None:
        verdict.wrong += self.failed
        for agent in self.agents:
            verdict.wrong += agent.problems[:5]
        verdict.counts["pages refused"] = sum(len(agent.problems) for agent in self.agents)

    def _flow(self) -> None:
        """People and agents in threads; this thread kills, starts again, and asks for faults."""
        threads = [threading.Thread(target=self._guarded, args=(self.customers.run,), daemon=True)]
        threads += [
            threading.Thread(target=self._guarded, args=(run,), daemon=True)
            for run in [agent.run for agent in self.agents] + [self.pusher.run] * PUSHING
        ]
        for thread in threads:
            thread.start()
        self._disturb(threads)
        deadline = time.monotonic() + self.options.seconds + 120
        for agent in self.agents:
            agent.stop.set()
        for thread in threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            self.failed.append("the flow did not end in time")
        self.customers.stop.set()

    def _disturb(self, threads: list[threading.Thread]) -> None:
        """Kill, start again, and ask for faults while they talk; everything runs again at the end."""
        ends_at = time.monotonic() + self.options.seconds
        next_kill = time.monotonic() + self.options.kill_every_seconds
        back_at: dict[str, float] = {}
        while time.monotonic() < ends_at and any(thread.is_alive() for thread in threads):
            now = time.monotonic()
            for name in [name for name, at in back_at.items() if at <= now]:
                self.found.start(name)
                del back_at[name]
            if now >= next_kill:
                next_kill = now + self.fate.uniform(0.5, 1.5) * self.options.kill_every_seconds
                self._kill_somebody(back_at)
            if self.fate.random() < 0.05:
                self._ask_for_a_fault()
            time.sleep(0.1)
        for name in self.found.parts:
            self.found.start(name)

    def _kill_somebody(self, back_at: dict[str, float]) -> None:
        alive = [name for name in self.found.parts if name not in back_at]
        if alive:
            # The first is the web process, so that even a short run loses what it was just being told.
            first = not any(part.kills for part in self.found.parts.values())
            name = "web" if first else self.fate.choice(alive)
            if name == "web":  # while it keeps what is pushed: between a commit and its 200, or before both
                self.pusher.burst()
                time.sleep(self.fate.uniform(0.01, 0.1))
            self.found.kill(name)
            back_at[name] = time.monotonic() + self.fate.uniform(0.0, 2.0)

    def _guarded(self, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception as error:  # noqa: BLE001 - a thread of the harness must not end unheard
            self.failed.append(f"{type(error).__name__}: {error}"[:300])
            console.print_exception()

    def _ask_for_a_fault(self) -> None:
        try:
            self.found.control("POST", "faults", self.fate.choice(FAULTS))
            self.faults += 1
        except httpx.HTTPError:
            return  # the Sandbox is being killed: that is fault enough

    def _settle(self) -> None:
        """Until nothing is under way any more, or the patience ends: then the comparison tells."""
        self.found.wait_for("link")
        self.found.control("DELETE", "faults")
        until = time.monotonic() + self.options.settle_seconds
        quiet, before = 0, ""
        while time.monotonic() < until and quiet < 2:
            left = self._left()
            quiet = 0 if left else quiet + 1
            if left != before:
                console.print(f"chaos: {left or 'settled'}")
                before = left
            time.sleep(1.0)

    def _left(self) -> str:
        """What is under way still; empty when everything has arrived and left."""
        held = {row[0] for row in self.record.rows("SELECT native_id FROM conversations_message")}
        missing = sum(entry[0] not in held for entry in self.customers.said) - self.customers.deletions
        states = self.record.outbound_states()
        left = {
            "not heard": max(0, missing),
            "not understood": self.record.unfinished_deliveries(),
            "facts not followed": self.record.behind(),
            **{state: number for state, number in states.items() if state not in FINAL},
        }
        return ", ".join(f"{number} {what}" for what, number in left.items() if number)


def show(result: Result) -> None:
    console.print(result.table())
    for sentence in result.wrong:
        console.print(f"[red]{sentence}[/]")
    sys.stderr.flush()
