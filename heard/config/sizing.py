"""``heard sizing``: what this installation can take, from a measurement on this very machine.

Nothing here is a promise of a data sheet: for a few seconds rows are written and committed as intake does
it, into a scratch file beside the data, and the advice follows from what that took.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

# Messages taken in for each row that could be written flat: the benchmark's ratio, kept with the code.
SHARE_OF_FLAT = 0.03
BUSY_SHARE = 0.2
# About 1.2 kB of rows and indexes (3,000 short messages, measured), the rest the network's raw payload.
BYTES_PER_MESSAGE = 5_000
BATCH = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen here: commits per second, rows per second in batches, cores, and for how long."""

    commits_per_second: float
    rows_per_second: float
    cores: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What follows. ``messages_per_hour`` leaves four fifths of the machine for peaks and people."""

    messages_per_second_peak: float
    messages_per_hour: int
    gigabytes_per_million: float
    sentences: tuple[str, ...]


def measure(folder: Path, seconds: float = 3.0) -> Measured:
    """Write into a scratch file in ``folder`` for about ``seconds``; it is removed afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix=".sizing-", dir=folder) as scratch,
        closing(sqlite3.connect(Path(scratch) / "try.sqlite3", isolation_level=None)) as database,
    ):
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE flat (id INTEGER PRIMARY KEY, body BLOB, at TEXT)")
        commits = _rate(database, 1, seconds / 2)
        rows = _rate(database, BATCH, seconds / 2)
    return Measured(commits, rows * BATCH, os.cpu_count() or 1, seconds)


def _rate(database: sqlite3.Connection, batch: int, seconds: float) -> float:
    """Commits per second, of ``batch`` rows each."""
    row = (b"x" * 500, "2026-11-22T12:00:00")
    started = time.perf_counter()
    done = 0
    while time.perf_counter() - started < seconds:
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO flat (body, at) VALUES (?, ?)", [row] * batch)
        database.execute("COMMIT")
        done += 1
    return done / (time.perf_counter() - started)


def advise(measured: Measured, kept: Mapping[str, object] | None = None) -> Advice:
    """What this machine can take. ``kept`` are figures of the benchmarks, if at hand."""
    share = _share(kept or {})
    peak = measured.rows_per_second * share
    hourly = int(peak * BUSY_SHARE * 3600)
    gigabytes = BYTES_PER_MESSAGE * 1e6 / 1e9
    sentences = [
        f"At a peak about {peak:,.0f} messages a second; with four fifths kept free, {hourly:,} an hour.",
        f"A million messages take about {gigabytes:.0f} GB; less once the raw ones go (HEARD_RAW_DAYS).",
    ]
    if measured.commits_per_second < 100:
        sentences.append(
            f"The disk commits only {measured.commits_per_second:,.0f} times a second: a faster one helps."
        )
    if measured.cores < 2:
        sentences.append("With one core, people wait while messages come in: take two.")
    sentences.append(
        "Move to PostgreSQL (heard move) when more come in, when one machine must not be enough, or when "
        "many people work at once."
    )
    return Advice(peak, hourly, gigabytes, tuple(sentences))


def _share(kept: Mapping[str, object]) -> float:
    """Which part of the flat limit intake reached when it was last measured, else what is kept here."""
    found = kept.get("ingest sqlite")
    figures = found.get("figures") if isinstance(found, Mapping) else None
    ratio = figures.get("ratio") if isinstance(figures, Mapping) else None
    return float(ratio) if isinstance(ratio, int | float) and ratio > 0 else SHARE_OF_FLAT
