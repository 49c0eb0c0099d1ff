"""``python -m benchmarks.one NAME DATABASE SIZE``: one measurement in a fresh process, as JSON."""

from __future__ import annotations

import json
import sys
from importlib import import_module

SIZES: dict[str, dict[str, int]] = {
    "short": {
        "messages": 20_000, "flat_rows": 60_000, "facts": 50_000, "requests": 3000, "idle_seconds": 15,
        "few": 1000, "many": 5000,
    },
    "default": {
        "messages": 100_000, "flat_rows": 200_000, "facts": 200_000, "requests": 10_000, "idle_seconds": 60,
        "few": 10_000, "many": 200_000,
    },
    "full": {
        "messages": 1_000_000, "flat_rows": 400_000, "facts": 1_000_000, "requests": 30_000,
        "idle_seconds": 60, "few": 10_000, "many": 200_000,
    },
}  # fmt: skip


def main() -> None:
    """Measure and say."""
    name, database, size = sys.argv[1:4]
    module = import_module(f"benchmarks.{name}")
    if hasattr(module, "measure_whole"):
        result = module.measure_whole(database, SIZES[size])
    else:
        from .installation import installation

        with installation(database) as place:
            result = module.measure(place, database, SIZES[size])
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
