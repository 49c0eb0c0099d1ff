"""How a Sandbox is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What ``serve`` takes; every default makes a pleasant small demo.

    ``pace`` is spontaneous messages per real minute, ``speed`` how many minutes pass for the people
    in one of ours (their patience, their delays). ``quiet`` leaves the people out: nobody speaks
    unless told to. ``rate_limit`` is requests per minute and account.
    """

    host: str = "127.0.0.1"
    port: int = 0
    file: Path = Path("var/sandbox.sqlite3")
    state_file: Path | None = None
    seed: int = 1
    pace: float = 3.0
    speed: float = 12.0
    quiet: bool = False
    brand_handle: str = "nordwind"
    brand_name: str = "Nordwind"
    control_token: str = ""
    rate_limit: int = 30_000
