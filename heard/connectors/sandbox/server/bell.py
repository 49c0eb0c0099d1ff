"""Tells waiting streams and pushers of this process that there is something new."""

from __future__ import annotations

import asyncio


class Bell:
    """Rung after a commit. Rows are the truth: who misses a ring looks again after its time-out."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake everybody who waits."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def wait(self, timeout_seconds: float) -> bool:
        """Until the next ring; false when none came in time."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait_for(waiting, timeout_seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
        return True
