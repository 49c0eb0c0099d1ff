"""Set-based statements of channels: storing deliveries in one commit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from heard.foundation import db

COLUMNS = (
    "organization_id",
    "channel_id",
    "source",
    "headers",
    "body",
    "received_at",
    "state",
    "reason",
    "due_at",
    "fence",
    "attempts",
)


def alias() -> str:
    """Where deliveries live: a file of their own on SQLite."""
    return "deliveries" if "deliveries" in settings.DATABASES else "default"


def insert_deliveries(rows: Sequence[tuple[int, int, str, Mapping[str, str], bytes, datetime]]) -> None:
    """(organization, channel, source, headers, body, received at), due at once."""
    name = alias()
    values: list[tuple[Any, ...]] = []
    for organization_id, channel_id, source, headers, body, received_at in rows:
        at = db.moment(received_at, name)
        kept = json.dumps(dict(headers)) if headers else "{}"
        values.append((organization_id, channel_id, source, kept, body, at, "received", "", at, 0, 0))
    db.insert_rows("channels_delivery", COLUMNS, values, alias=name)


def accesses(organization_id: int) -> list[tuple[int, str, int | None, int | None]]:
    """(channel, access, member, team) of all exceptions to the roles: one of member and team is set."""
    return db.fetch_all(
        "SELECT channel_id, access, member_id, team_id FROM channels_channelaccess"
        " WHERE organization_id = %s",
        [organization_id],
    )
