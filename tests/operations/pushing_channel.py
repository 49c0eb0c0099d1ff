"""``python -m tests.operations.pushing_channel``: a Sandbox channel that is only pushed to; prints where.

For an installation with a company (``small_company``); the network signs with ``SECRET``.
"""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta

SECRET = "the network's and ours"


def main() -> None:
    from heard.config import startup

    startup.start()
    from heard.domains.channels.actions.link import seal_secrets
    from heard.domains.channels.models import Channel
    from heard.foundation import clock

    first = Channel.objects.earliest("pk")
    row = Channel.objects.create(
        organization_id=first.organization_id,
        brand_id=first.brand_id,
        network="sandbox",
        native_id="northbridge",
        handle="northbridge",
        name="Northbridge",
        settings={"address": "http://127.0.0.1:9"},
        hook_token=secrets.token_urlsafe(32),
        connected_at=clock.now(),
        due_at=clock.now() + timedelta(days=365),
    )
    row.secrets = seal_secrets(row.organization_id, row.pk, {"token": "none", "webhook_secret": SECRET})
    row.save()
    sys.stdout.write(f"/hooks/{row.hook_token}\n")


if __name__ == "__main__":
    main()
