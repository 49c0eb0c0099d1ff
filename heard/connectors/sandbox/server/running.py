"""What a running Sandbox consists of, handed to whoever answers a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from .bell import Bell
from .faults import Faults
from .options import Options
from .store import Store
from .world import World


class Allowance:
    """How many requests an account may make in a minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._windows: dict[int, tuple[float, int]] = {}

    def take(self, account: int, now_seconds: float) -> tuple[int, float]:
        """Count one request: how many are left (negative: too many), and seconds to the next minute."""
        begun, used = self._windows.get(account, (now_seconds, 0))
        if now_seconds - begun >= 60:
            begun, used = now_seconds, 0
        self._windows[account] = (begun, used + 1)
        return self.per_minute - used - 1, 60 - (now_seconds - begun)


@dataclass(slots=True)
class Running:
    """The parts. ``stopping`` ends the open streams."""

    options: Options
    store: Store
    world: World
    bell: Bell
    client: httpx.AsyncClient
    base_url: str
    control_token: str
    allowance: Allowance
    now: Callable[[], float]
    faults: Faults | None = None
    stopping: bool = field(default=False)
