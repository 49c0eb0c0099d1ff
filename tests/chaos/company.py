"""``python -m tests.chaos.company LINES NAME``: the company of a chaos run, made in a process of its own.

LINES is a file with {brand's handle: values of its channel}. Prints one JSON line: the paths of sign-in
links, the organization, and channel ids and secret parts of hook addresses by brand. A line marked
``"hidden"`` is shown to no agent.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from heard.config import startup

AGENTS = 4


def main() -> None:
    startup.start()
    from heard.config import prepare
    from heard.domains.channels import actions as channels
    from heard.domains.channels import queries as connected
    from heard.domains.organizations import actions, queries
    from heard.domains.organizations.rules import LinkPurpose
    from heard.foundation.tenancy import Role

    domain = f"{sys.argv[2].lower()}.example"
    prepare.databases()
    prepare.static_files()
    founded = actions.found_organization(
        name=sys.argv[2],
        timezone="Europe/London",
        owner_name="Alice Archer",
        owner_email=f"alice@{domain}",
        owner_password=None,
        teams=["Customer service"],
    )
    actor = queries.actor_of(founded.organization_id, founded.member_id)
    members = [
        actions.add_member(actor, f"Agent {number}", f"agent{number}@{domain}", Role.AGENT)
        for number in range(AGENTS)
    ]
    users = [queries.user_id_of(founded.organization_id, member_id) for member_id in members]
    lines = json.loads(Path(sys.argv[1]).read_text())
    found, hooks = {}, {}
    for brand, values in lines.items():
        hidden = values.pop("hidden", False)
        found[brand] = channels.connect(actor, "sandbox", values)
        hooks[brand] = connected.hook_token(actor, found[brand])
        for member_id in members if hidden else []:
            channels.change_access(actor, found[brand], member_id=member_id, access="none")
    links = [actions.make_sign_in_link(user, minutes=600, purpose=LinkPurpose.DEMO) for user in users]
    told = {"organization": founded.organization_id, "links": links, "channels": found, "hooks": hooks}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
