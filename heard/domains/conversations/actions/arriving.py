"""A message on its way into its table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from heard.connectorkit import plain
from heard.connectorkit.vocabulary import MessageSeen
from heard.domains.contacts.queries import Known
from heard.domains.conversations import rules, sql
from heard.domains.conversations.rules import Placed


def _raw_text(raw: Any) -> str:
    try:
        return to_json(raw, fallback=plain.to_plain).decode()
    except ValueError:  # half a surrogate pair: written with a mark in its place
        return json.dumps(raw, ensure_ascii=False, default=plain.to_plain)


@dataclass(slots=True)
class New:
    """A message about to be inserted."""

    id: int
    event: MessageSeen
    received_at: datetime
    direction: str
    known: Known | None
    parent: Placed | None
    key: str | None
    conversation_id: int | None = None


def message_row(organization_id: int, channel_id: int, item: New) -> tuple[object, ...]:
    """Its values in the order of ``sql.MESSAGE_COLUMNS``, within what the columns hold."""
    event = item.event
    sent_at = rules.clamp(event.sent_at, item.received_at)
    parent = (
        event.parent.native_id
        if event.parent and len(event.parent.native_id) <= rules.LONGEST_NATIVE_ID
        else ""
    )
    root = event.root.native_id if event.root and len(event.root.native_id) <= rules.LONGEST_NATIVE_ID else ""
    raw = "" if event.raw is None else _raw_text(event.raw)
    return (
        item.id,
        organization_id,
        channel_id,
        item.conversation_id,
        item.known.identity_id if item.known else None,
        item.direction,
        event.kind.value,
        event.visibility.value,
        event.id_scope,
        event.native_id,
        event.canonical_id if len(event.canonical_id) <= 1000 else "",
        item.parent.message_id if item.parent else None,
        parent,
        root,
        rules.clean(event.text),
        rules.clean(event.html, 1_000_000),
        rules.clean(event.subject, 490),
        rules.clean(event.language, 30),
        event.url if len(event.url) <= 1000 else "",
        sql.moment(sent_at),
        sql.moment(item.received_at),
        sql.moment(event.edited_at and rules.clamp(event.edited_at, item.received_at)),
        rules.clean(event.version, 79),
        "visible",
        event.mentions_us,
        event.automatic,
        json.dumps(dict(event.refs), ensure_ascii=False) if event.refs else "{}",
        json.dumps(list(event.recipients), ensure_ascii=False) if event.recipients else "[]",
        rules.clean(raw, rules.LONGEST_RAW) if raw else "",
        item.direction == "in" and bool(parent) and item.parent is None and not rules.is_private(event),
    )
