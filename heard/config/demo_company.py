"""``python -m heard.config.demo_company``: the demo's company, its people and its Sandbox channel.

Run by ``heard demo`` in a process of its own, so that the parent stays small. Prints one JSON line with
the path of the sign-in link. The second run finds everything in place.
"""

from __future__ import annotations

import json
import sys

from heard.config import options, plainly, startup

COMPANY = "Nordwind"
OWNER = ("Mara Lindt", "mara@nordwind.example")
TEAMS = ["Customer service", "Marketing", "Sales", "Press", "Product", "Board"]
COLLEAGUES = [
    ("Ravi Shah", "ravi@nordwind.example", "agent", ["Customer service"]),
    ("Lucía Prado", "lucia@nordwind.example", "agent", ["Customer service", "Marketing"]),
    ("Jonas Weber", "jonas@nordwind.example", "manager", ["Press"]),
    ("Amira Haddad", "amira@nordwind.example", "reviewer", ["Product"]),
    ("Claire Dubois", "claire@nordwind.example", "observer", ["Board"]),
]


def main() -> None:
    """Everything the demo needs, once."""
    startup.start()
    from heard.config import prepare
    from heard.domains.organizations import actions, queries
    from heard.domains.organizations.rules import LinkPurpose
    from heard.foundation.tenancy import Role

    with plainly.spoken():
        prepare.databases()
        prepare.static_files()
    known = queries.every_organization()
    if known:
        organization_id = known[0].id
        owner = next(
            line for line in queries.members_for_operator(organization_id) if line.role is Role.OWNER
        )
        actor = queries.actor_of(organization_id, owner.id)
        user_id = queries.user_id_of(organization_id, owner.id)
    else:
        founded = actions.found_organization(
            name=COMPANY,
            timezone="Europe/Berlin",
            owner_name=OWNER[0],
            owner_email=OWNER[1],
            owner_password=None,
            teams=TEAMS,
        )
        actor = queries.actor_of(founded.organization_id, founded.member_id)
        user_id = founded.user_id
        teams = {team.name: team.id for team in queries.teams(actor)}
        for name, email, role, places in COLLEAGUES:
            actions.add_member(actor, name, email, Role(role), [teams[place] for place in places])
    _connect(actor)
    link = actions.make_sign_in_link(user_id, minutes=60 * 24 * 30, purpose=LinkPurpose.DEMO)
    sys.stdout.write(json.dumps({"path": link}) + "\n")


def _connect(actor: object) -> None:
    """The Sandbox channel; its address follows the Sandbox when that had to move to another port."""
    from heard.domains.channels import actions as channels
    from heard.domains.channels import queries
    from heard.foundation.tenancy import Actor

    if not isinstance(actor, Actor):
        raise TypeError("the demo needs its owner")
    state = json.loads((options.data_folder() / "sandbox.json").read_text())
    values = {"address": state["url"], "token": state["brand_token"], "idempotency": True, "look_up": True}
    known = [channel for channel in queries.channels(actor) if channel.network == "sandbox"]
    if known:
        channels.reconnect(actor, known[0].channel_id, values)
    else:
        channels.connect(actor, "sandbox", values)


if __name__ == "__main__":
    main()
