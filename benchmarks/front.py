"""The webhook front: requests a second beside a handler that only checks the signature."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import socket
import time
from typing import Any

from .cpu import descendants, seconds_of
from .idle import free_port, started
from .installation import WEBHOOK_SECRET, Installation
from .public import Public

GOAL = 0.6
LINES = 64
ROUNDS = 3


def _request(path: str, body: bytes) -> bytes:
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, "sha256").hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"x-sandbox-signature: sha256={signature}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _line(port: int, requests: list[bytes], waits: list[float]) -> None:
    """One kept-alive connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while requests:
        request = requests.pop()
        at = time.perf_counter()
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        waits.append(time.perf_counter() - at)
        assert head.startswith(b"HTTP/1.1 200"), head
    writer.close()


async def _load(port: int, requests: list[bytes]) -> tuple[float, list[float]]:
    waits: list[float] = []
    at = time.perf_counter()
    await asyncio.gather(*(_line(port, requests, waits) for _ in range(LINES)))
    return time.perf_counter() - at, sorted(waits)


def _hit(port: int, pid: int, requests: list[bytes]) -> dict[str, float]:
    count = len(requests)
    before = seconds_of(descendants(pid))
    seconds, waits = asyncio.run(_load(port, requests))
    used = seconds_of(descendants(pid)) - before
    return {
        "per_second": count / seconds,
        "per_cpu_second": count / max(used, 0.01),
        "p50_ms": 1000 * waits[count // 2],
        "p99_ms": 1000 * waits[int(count * 0.99)],
    }


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


def measure(place: Installation, database: str, size: dict[str, int]) -> dict[str, Any]:
    """Rounds in turn, so that both meet the same machine; the load comes from this process."""
    del database
    public = Public(2000)
    path, each = f"/hooks/{place.hook_token}", size["requests"] // ROUNDS
    ports = free_port(), free_port()
    os.environ["HEARD_URL"] = f"http://127.0.0.1:{ports[1]}"
    rounds: dict[str, list[dict[str, float]]] = {"null": [], "front": [], "front_beside_ingest": []}
    with (
        started("benchmarks.null_server", str(ports[0])) as null,
        started("heard", "web", "--port", str(ports[1])) as web,
    ):
        servers = {"null": (ports[0], null.pid), "front": (ports[1], web.pid)}
        for port, pid in servers.values():
            _wait_for(port)
            _hit(port, pid, [_request(path, public.delivery(1)) for _ in range(200)])
        for _ in range(ROUNDS):
            for name, (port, pid) in servers.items():
                requests = [_request(path, public.delivery(1)) for _ in range(each)]
                rounds[name].append(_hit(port, pid, requests))
        with started("heard", "worker"):
            for _ in range(ROUNDS):
                requests = [_request(path, public.delivery(1)) for _ in range(each)]
                rounds["front_beside_ingest"].append(_hit(*servers["front"], requests))
    _check(each)
    best = {name: {key: round(_middle(found, key), 1) for key in found[0]} for name, found in rounds.items()}
    ratio = best["front"]["per_second"] / best["null"]["per_second"]
    by_cpu = best["front"]["per_cpu_second"] / best["null"]["per_cpu_second"]
    return {**best, "ratio": round(ratio, 2), "ratio_by_cpu": round(by_cpu, 2), "goal_ratio": GOAL,
            "holds": ratio >= GOAL}  # fmt: skip


def _middle(found: list[dict[str, float]], key: str) -> float:
    return sorted(one[key] for one in found)[len(found) // 2]


def _check(each: int) -> None:
    """What was answered with 200 is in the database."""
    from heard.domains.channels.models import Delivery

    assert Delivery.objects.count() == 200 + 2 * ROUNDS * each
