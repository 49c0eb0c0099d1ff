"""Set-based statements of channels: storing deliveries in one commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    "digest",
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


def insert_deliveries(rows: Sequence[tuple[int, int, str, dict[str, str], bytes, bytes, datetime]]) -> None:
    """(organization, channel, source, headers, body, digest, received at), due at once."""
    name = alias()
    values: list[tuple[Any, ...]] = [
        (
            row[0],
            row[1],
            row[2],
            json.dumps(row[3]),
            row[4],
            row[5],
            db.moment(row[6], name),
            "received",
            "",
            db.moment(row[6], name),
            0,
            0,
        )
        for row in rows
    ]
    db.insert_rows("channels_delivery", COLUMNS, values, alias=name)
