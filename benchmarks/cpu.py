"""What a piece of work cost: seconds of processor time, so that neighbours on the machine do not count."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name; empty when the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """A process and everything it started, as far as it still runs."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, level = [pid], [pid]
    while level:
        level = [child for parent in level for child in parents.get(parent, ())]
        found += level
    return found


def seconds_of(pids: Iterable[int]) -> float:
    """Processor time of these processes and of their children that have ended (10 ms steps)."""
    total = 0
    for pid in pids:
        fields = _stat(pid)
        total += sum(int(fields[place]) for place in (11, 12, 13, 14)) if fields else 0
    return total / TICKS


def resident_bytes() -> int:
    """What this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def proportional_bytes(pids: Iterable[int]) -> int:
    """Memory of these processes, shared pages divided among their users (PSS)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


@dataclass(slots=True)
class Meter:
    """Counts processor seconds of this process, and of a database server's, over its ``with`` blocks."""

    server: int | None = None
    own_seconds: float = 0.0
    server_seconds: float = 0.0
    wall_seconds: float = 0.0
    _at: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def _now(self) -> tuple[float, float, float]:
        server = seconds_of(descendants(self.server)) if self.server else 0.0
        return time.process_time(), server, time.perf_counter()

    def __enter__(self) -> Self:
        self._at = self._now()
        return self

    def __exit__(self, *_error: object) -> None:
        own, server, wall = self._now()
        self.own_seconds += own - self._at[0]
        self.server_seconds += server - self._at[1]
        self.wall_seconds += wall - self._at[2]

    @property
    def seconds(self) -> float:
        """Ours and the server's together."""
        return self.own_seconds + self.server_seconds
