"""What Mastodon is, for the page that connects an account."""

from __future__ import annotations

from heard.connectorkit.manifest import Budget, Cost, Field, FieldKind, Manifest, Terms

#: What the connector cannot do without; ``write:favourites`` and ``write:blocks`` are asked for too.
NEEDED_SCOPES = ("read:accounts", "read:notifications", "read:statuses", "write:media", "write:statuses")

MANIFEST = Manifest(
    network="mastodon",
    name="Mastodon",
    summary="Mentions, replies and direct messages of one account on any Mastodon server, live.",
    fields=(
        Field(
            name="server_url",
            label="Server",
            kind=FieldKind.URL,
            help="The address of the server your account is on, such as https://mastodon.social.",
        ),
        Field(
            name="access_token",
            label="Access token",
            kind=FieldKind.SECRET,
            help="Shown on the page of the application that you created on your server.",
        ),
    ),
    steps=(
        "Sign in to your Mastodon server with the account that is to be connected.",
        "Open Preferences, then Development, then New application. Give it a name, such as Heard.",
        "Tick the scopes “read” and “write”, and save.",
        "Open the application, and copy “Your access token” to the field below.",
        "If automated answers are to be sent, tick “This is an automated account” in the profile.",
    ),
    poll_seconds=60,
    takes_key=True,
    key_lifetime_seconds=3600,
    budgets=(
        Budget(name="requests", amount=300, per_seconds=300),
        Budget("media", 30, 1800, "uploads", costs=[Cost("POST", "/api/v[12]/media")]),
        Budget("deletions", 30, 1800, "deletions", costs=[Cost("DELETE", "/api/v1/statuses/*")]),
    ),
    terms=Terms(
        may_train=False,
        may_profile=False,
        delete_within_hours=24,
        note=(
            "Every server has rules of its own. Most people there do not expect their posts to train "
            "models or to build profiles, and a post that its author deletes is to be forgotten."
        ),
    ),
    met_real_service=(
        "Not yet against a running Mastodon server. Tried against mastodon_mock 0.6 with Mastodon.py as "
        "the customer, and every request checked against the OpenAPI description of Mastodon 4.7."
    ),
    colour="#6364ff",
)
