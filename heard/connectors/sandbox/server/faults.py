"""Faults on demand: the network as it is on a bad day, for tests and trials.

A fault matches requests by method and path and does one of:

* ``status``: answers with ``status`` and ``headers``, nothing is carried out
* ``latency``: waits ``seconds``, then answers as usual
* ``malformed``: carries it out and answers half a JSON
* ``html``: answers a web page with status 200, nothing is carried out
* ``timeout_after_accept``: carries it out, and the answer never comes
* ``timeout_before``: nothing is carried out, and no answer comes
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .posts import Refused
from .store import Store

EFFECTS = ("status", "latency", "malformed", "html", "timeout_after_accept", "timeout_before")
_KEPT = "faults"
_PAGE = b"<!doctype html><title>Welcome</title><p>Please accept the terms of this network.</p>"


@dataclass(slots=True)
class Fault:
    """One fault; ``left`` counts down at each use (``None``: until it is taken away)."""

    method: str
    path: re.Pattern[str]
    effect: str
    left: int | None
    status: int = 503
    seconds: float = 30.0
    headers: Mapping[str, str] = field(default_factory=dict)
    used: int = 0

    def plain(self) -> dict[str, Any]:
        """As the control API shows it."""
        match = {"method": self.method, "path": self.path.pattern}
        return {"match": match, "effect": self.effect, "left": self.left, "used": self.used}

    def kept(self) -> dict[str, Any]:
        """All of it, as ``read_fault`` takes it back after a restart."""
        more = {"status": self.status, "seconds": self.seconds, "headers": dict(self.headers)}
        return {**self.plain(), **more, "count": self.left}


def read_fault(asked: Mapping[str, Any]) -> Fault:
    """A fault from the control API's JSON; raises ``Refused``."""
    match = asked.get("match") or {}
    effect = str(asked.get("effect", ""))
    if effect not in EFFECTS:
        raise Refused(422, f"The effect is one of {', '.join(EFFECTS)}.")
    try:
        return Fault(
            method=str(match.get("method", "*")).upper(),
            path=re.compile(str(match.get("path", "."))),
            effect=effect,
            left=None if asked.get("count", 1) is None else int(asked.get("count", 1)),
            status=int(asked.get("status", 503)),
            seconds=float(asked.get("seconds", 30.0)),
            headers={str(name): str(value) for name, value in (asked.get("headers") or {}).items()},
        )
    except (re.error, TypeError, ValueError) as error:
        raise Refused(422, f"This fault cannot be read: {error}.") from error


def _again(kept: Mapping[str, Any]) -> Fault:
    fault = read_fault(kept)
    fault.used = int(kept.get("used", 0))
    return fault


class Faults:
    """ASGI middleware in front of the network API; the control API is never disturbed."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store
        self.standing = [_again(kept) for kept in json.loads(store.setting(_KEPT, "[]"))]

    def add(self, fault: Fault) -> None:
        """It stands from now on, over restarts, until it is used up."""
        self.standing.append(fault)
        self._keep()

    def clear(self) -> None:
        """Take all of them back."""
        self.standing.clear()
        self._keep()

    def _keep(self) -> None:
        with self._store.writing():
            self._store.keep(_KEPT, json.dumps([fault.kept() for fault in self.standing]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or spoil it."""
        fault = self._take(scope) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        await self._spoil(fault, scope, receive, send)

    def _take(self, scope: Scope) -> Fault | None:
        for fault in self.standing:
            fits = fault.method in ("*", scope["method"]) and fault.path.search(scope["path"])
            if fits and fault.left != 0:
                fault.used += 1
                if fault.left is not None:
                    fault.left -= 1
                    self._keep()
                return fault
        return None

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.effect == "status":
            await _answer(send, fault.status, b'{"error": "A fault was asked for."}', fault.headers)
        elif fault.effect == "html":
            await _answer(send, 200, _PAGE, {"content-type": "text/html"})
        elif fault.effect == "latency":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.effect == "malformed":
            await self._app(scope, receive, _into_nothing)
            await _answer(send, 200, b'{"id": "4', {})
        else:
            if fault.effect == "timeout_after_accept":
                await self._app(scope, receive, _into_nothing)
            await asyncio.sleep(fault.seconds)
            await _answer(send, 504, b"", {})


async def _into_nothing(message: Message) -> None:
    """Where an answer goes that nobody shall read."""
    del message


async def _answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    given: Sequence[tuple[bytes, bytes]] = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in {"content-type": "application/json", **headers}.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})
