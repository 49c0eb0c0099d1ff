"""``python -m tests.chaos.hints COUNT``: how long a commit waits for a hint, as JSON: milliseconds."""

from __future__ import annotations

import json
import sys
import time

from heard.config import startup, wakeups


def main() -> None:
    startup.start()
    wakeups.install_hints()
    from heard.foundation.work import hints

    took = []
    for _ in range(int(sys.argv[1])):
        began = time.perf_counter()
        hints.wake("outbox.send")  # outside a transaction: as at once after a commit
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(0.005)
    sys.stdout.write(json.dumps(took) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
