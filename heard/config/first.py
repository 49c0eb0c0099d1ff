"""``python -m heard.config.first``: prepare an installation; print the set-up link's path if there is one."""

from __future__ import annotations

import sys

from heard.config import plainly, startup


def main() -> None:
    """Databases, static files, and a way in for the first person."""
    startup.start()
    from heard.config import prepare
    from heard.domains.organizations import actions, queries

    with plainly.spoken():
        prepare.databases()
        prepare.static_files()
        if not queries.is_set_up():
            sys.stdout.write(actions.make_setup_link())


if __name__ == "__main__":
    main()
