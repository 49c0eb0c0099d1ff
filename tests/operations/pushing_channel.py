"""``python -m tests.operations.pushing_channel``: a Sandbox channel that is only pushed to; prints where.

For an installation with a company (``small_company``); the network signs as in ``tests.pushed``.
"""

from __future__ import annotations

import sys

from tests.pushed import hear_by_push


def main() -> None:
    from heard.config import startup

    startup.start()
    from heard.domains.channels.models import Channel

    first = Channel.objects.earliest("pk")
    sys.stdout.write(f"/hooks/{hear_by_push(first.organization_id, first.brand_id)}\n")


if __name__ == "__main__":
    main()
