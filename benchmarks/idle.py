"""An idle embedded installation: what it uses while nobody speaks, and how long its start takes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from .cpu import descendants, proportional_bytes, seconds_of
from .installation import scratch

CPU_PERCENT_GOAL = 1.0
PSS_MB_GOAL = 250.0
START_SECONDS_GOAL = 5.0
SETTLE_SECONDS = 12.0
GIVE_UP_SECONDS = 90.0


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Heard, stopped politely in the end."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def first_page(url: str, process: subprocess.Popen[bytes], since: float) -> float:
    """Seconds from ``since`` until a page for people answers, redirects followed."""
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=5.0) as browser:
        while time.monotonic() < since + GIVE_UP_SECONDS and process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if "html" in browser.get(url).headers.get("content-type", ""):
                    return time.monotonic() - since
            time.sleep(0.02)
    raise RuntimeError("heard up did not serve a page")


def _up(seconds: int) -> dict[str, float]:
    """One start of ``heard up``; with ``seconds``, what it uses over that time once it has settled."""
    port = free_port()
    os.environ["HEARD_URL"] = f"http://127.0.0.1:{port}"
    since = time.monotonic()
    with started("heard", "up", "--port", str(port)) as process:
        found = {"seconds_to_first_page": round(first_page(os.environ["HEARD_URL"], process, since), 2)}
        cost = seconds_of(descendants(process.pid))
        found["cpu_seconds_to_first_page"] = round(cost, 2)
        if seconds:
            time.sleep(SETTLE_SECONDS)
            family = descendants(process.pid)
            before, at = seconds_of(family), time.monotonic()
            time.sleep(seconds)
            used, span = seconds_of(family) - before, time.monotonic() - at
            found["cpu_percent"] = round(100 * used / span, 2)
            found["pss_mb"] = round(proportional_bytes(family) / 1e6, 1)
            found["processes"] = len(family)
    return found


def measure_whole(_database: str, size: dict[str, int]) -> dict[str, Any]:
    """First and second start without channels, then with one Sandbox channel (not counted itself)."""
    with scratch() as folder:
        first = _up(0)
        second = _up(size["idle_seconds"])
        port = free_port()
        os.environ["HEARD_ALLOW_ADDRESSES"] = f"127.0.0.1:{port}"
        sandbox = ["heard.connectors.sandbox.server", "--port", str(port), "--data", str(folder), "--quiet"]
        with started(*sandbox):
            _wait_for(folder / "sandbox.json")
            subprocess.run(
                [sys.executable, "-m", "heard.config.demo_company"], check=True, stdout=subprocess.DEVNULL
            )
            channel = _up(size["idle_seconds"])
    worst_cpu = max(second["cpu_percent"], channel["cpu_percent"])
    worst_memory = max(second["pss_mb"], channel["pss_mb"])
    start = second["seconds_to_first_page"]
    return {
        "first_start": first,
        "without_channels": second,
        "with_one_sandbox_channel": channel,
        "cpu_percent_goal": CPU_PERCENT_GOAL,
        "pss_mb_goal": PSS_MB_GOAL,
        "start_seconds_goal": START_SECONDS_GOAL,
        "cpu_of_goal": round(worst_cpu / CPU_PERCENT_GOAL, 2),
        "memory_of_goal": round(worst_memory / PSS_MB_GOAL, 2),
        "start_of_goal": round(start / START_SECONDS_GOAL, 2),
        "holds": worst_cpu < CPU_PERCENT_GOAL and worst_memory < PSS_MB_GOAL and start <= START_SECONDS_GOAL,
    }


def _wait_for(state: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            address = json.loads(state.read_text())["url"].removeprefix("http://").strip("/")
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        time.sleep(0.1)
    raise RuntimeError("the Sandbox did not start")
