"""``python -m tests.operations.small_company [N]``: N messages of customers, answered, in an installation.

It works on HEARD_DATA and HEARD_DATABASE_URL as any process of Heard does, over a network in memory.
"""

from __future__ import annotations

import sys


def main(count: int) -> None:
    from heard.config import prepare, startup

    startup.start()
    prepare.databases()
    from heard.connectorkit import registry
    from heard.domains.channels.models import Channel
    from heard.domains.media.actions import store
    from heard.domains.organizations.actions import found_organization
    from heard.domains.organizations.queries import actor_of
    from tests.cast import connect
    from tests.memory_network import NETWORK, MemoryNetwork, message

    network = MemoryNetwork()
    real = dict(registry.connectors())
    registry.connectors = lambda: {**real, NETWORK: network}
    registry.connector = lambda name: {**real, NETWORK: network}[name]
    founded = found_organization(
        name="Northbridge",
        timezone="Europe/London",
        owner_name="Alice Archer",
        owner_email="alice@northbridge.example",
        owner_password="a long enough password",
        teams=["Press"],
    )
    actor = actor_of(founded.organization_id, founded.member_id)
    line = connect(actor, network)
    line.says(*(message(number, f"person{number % 7}", text=f"Matter {number} ☂") for number in range(count)))
    # Other processes do not know the network in memory: for them it is a paused account of another one.
    Channel.objects.filter(pk=line.channel_id).update(network="sandbox", state="paused")
    store(actor.organization_id, name="receipt.txt", content_type="text/plain", data=b"Paid on Tuesday.\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
