"""``python -m benchmarks [--short|--full] [--only NAME] [--database KIND]``: measure, print, keep."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from . import report

HERE = Path(__file__).parent
NAMES = {"journal": True, "ingest": True, "front": True, "idle": False, "pages": True}
"""Measurements, and whether they are made on both databases."""


@click.command()
@click.option(
    "--short", "size", flag_value="short", help="A quick look: 20,000 messages, 5,000 in the inbox."
)
@click.option("--full", "size", flag_value="full", help="The long form: a million messages.")
@click.option("--only", type=click.Choice(list(NAMES)), multiple=True, help="Only these measurements.")
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), multiple=True, help="Only these.")
@click.option("--keep/--no-keep", default=True, help="Write RESULTS.md and RESULTS.json.")
def main(size: str | None, only: tuple[str, ...], database: tuple[str, ...], *, keep: bool) -> None:
    """Speed as ratios against limits measured in the same run."""
    size = size or "default"
    failed = False
    kept = HERE / "RESULTS.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for name in only or NAMES:
        for kind in database or (("sqlite", "postgres") if NAMES[name] else ("sqlite",)):
            found = _measure(name, kind, size)
            if found is None:
                failed = True
                continue
            results[f"{name} {kind}"] = found
            click.echo(f"{name} {kind}: {json.dumps(found['figures'])}")
            if keep:
                kept.write_text(json.dumps(results, indent=1) + "\n")
                (HERE / "RESULTS.md").write_text(report.page(results))
    sys.exit(1 if failed else 0)


def _measure(name: str, kind: str, size: str) -> dict[str, Any] | None:
    """One measurement in a process of its own, with what else was going on."""
    before = os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks.one", name, kind, size]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=HERE.parent)
    if done.returncode:
        click.echo(f"{name} {kind}: failed ({done.returncode}); the reason stands above", err=True)
        return None
    return {
        "figures": json.loads(done.stdout.decode().strip().splitlines()[-1]),
        "size": size,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_before": round(before, 1),
        "load_average_after": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
