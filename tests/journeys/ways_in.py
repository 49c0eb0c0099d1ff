"""``python -m tests.journeys.ways_in EMAIL…``: sign-in links as one JSON line."""

from __future__ import annotations

import json
import sys

from heard.config import startup


def main(emails: list[str]) -> None:
    """A link for each, good for the whole run."""
    startup.start()
    from heard.domains.organizations import actions, queries
    from heard.domains.organizations.rules import LinkPurpose

    known = {
        line.email: queries.user_id_of(organization.id, line.id)
        for organization in queries.every_organization()
        for line in queries.members_for_operator(organization.id)
    }
    links = {
        email: actions.make_sign_in_link(known[email], minutes=120, purpose=LinkPurpose.DEMO)
        for email in emails
    }
    sys.stdout.write(json.dumps(links) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
