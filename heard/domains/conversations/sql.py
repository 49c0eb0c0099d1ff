"""Set-based statements of conversations: taking in a batch in a handful of statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from heard.foundation import db

MESSAGE_COLUMNS = (
    "id",
    "organization_id",
    "channel_id",
    "conversation_id",
    "identity_id",
    "direction",
    "kind",
    "visibility",
    "id_scope",
    "native_id",
    "canonical_id",
    "parent_id",
    "parent_native_id",
    "root_native_id",
    "text",
    "html",
    "subject",
    "language",
    "url",
    "sent_at",
    "received_at",
    "edited_at",
    "version",
    "state",
    "mentions_us",
    "is_automatic",
    "refs",
    "recipients",
    "raw",
    "context_due",
)
ATTACHMENT_COLUMNS = (
    "organization_id",
    "message_id",
    "native_id",
    "kind",
    "url",
    "name",
    "content_type",
    "alt",
    "size_bytes",
    "may_cache",
    "is_inline",
    "file_id",
    "problem",
)
# NOT (x = ''): SQLite uses an index with a condition only where it is asked in the same words.
_PLACED = (
    "SELECT m.id_scope, m.native_id, m.id, m.conversation_id, c.contact_id, m.direction, m.version, m.state,"
    " m.text, c.key, m.canonical_id FROM conversations_message m"
    " LEFT JOIN conversations_conversation c ON c.id = m.conversation_id"
)


def moment(at: datetime | None) -> Any:
    """A time as this database stores it in set-based inserts."""
    return None if at is None else db.moment(at)


def placed(organization_id: int, channel_id: int, native_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """(scope, native id, id, conversation, contact, direction, version, state, text, key, canonical)."""
    mark, values = db.in_list(native_ids)
    return db.fetch_all(
        f"{_PLACED} WHERE m.organization_id = %s AND m.channel_id = %s AND m.native_id {mark}",
        [organization_id, channel_id, values],
    )


def placed_by_canonical(
    organization_id: int, channel_id: int, canonical_ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """The same, found by canonical id."""
    mark, values = db.in_list(canonical_ids)
    return db.fetch_all(
        f"{_PLACED} WHERE m.organization_id = %s AND m.channel_id = %s AND NOT (m.canonical_id = '')"
        f" AND m.canonical_id {mark}",
        [organization_id, channel_id, values],
    )


def aliased(organization_id: int, channel_id: int, native_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """The same, found by a second address: scope and native id are the alias's."""
    mark, values = db.in_list(native_ids)
    return db.fetch_all(
        _PLACED.replace("SELECT m.id_scope, m.native_id,", "SELECT a.id_scope, a.native_id,")
        + " JOIN conversations_messagealias a ON a.message_id = m.id"
        f" WHERE a.organization_id = %s AND a.channel_id = %s AND a.native_id {mark}",
        [organization_id, channel_id, values],
    )


def has_aliases(channel_id: int) -> bool:
    """Most channels have none; then nobody looks for them."""
    return bool(
        db.fetch_all("SELECT 1 FROM conversations_messagealias WHERE channel_id = %s LIMIT 1", [channel_id])
    )


def conversations(
    organization_id: int, channel_id: int, keys: Sequence[str]
) -> dict[str, tuple[int, int | None]]:
    """(id, contact id) by key."""
    mark, values = db.in_list(keys)
    rows = db.fetch_all(
        "SELECT key, id, contact_id FROM conversations_conversation"
        f" WHERE organization_id = %s AND channel_id = %s AND key {mark}",
        [organization_id, channel_id, values],
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def insert_conversations(rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, organization, channel, contact, key, is private, subject, started at, last inbound at)."""
    db.insert_rows(
        "conversations_conversation",
        (
            "id",
            "organization_id",
            "channel_id",
            "contact_id",
            "key",
            "is_private",
            "subject",
            "started_at",
            "last_inbound_at",
        ),
        [(*row[:7], moment(row[7]), moment(row[8])) for row in rows],
    )


def touch_conversations(rows: Sequence[tuple[datetime, int | None, int]]) -> None:
    """(last inbound at, contact id, conversation id): never backwards, contact only where missing."""
    later = "GREATEST" if db.is_postgres() else "MAX"
    db.update_rows(
        "conversations_conversation",
        f"last_inbound_at = {later}(COALESCE(k.last_inbound_at, k.started_at), n.at),"
        " contact_id = COALESCE(k.contact_id, n.contact_id)",
        (("at", "timestamptz"), ("contact_id", "bigint"), ("id", "bigint")),
        [(moment(row[0]), row[1], row[2]) for row in rows],
    )


def insert_messages(rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in the order of ``MESSAGE_COLUMNS``."""
    db.insert_rows("conversations_message", MESSAGE_COLUMNS, list(rows))


def insert_attachments(rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in the order of ``ATTACHMENT_COLUMNS``."""
    db.insert_rows("conversations_attachment", ATTACHMENT_COLUMNS, list(rows))


def promote(rows: Sequence[tuple[int, str, int]]) -> None:
    """(conversation id, kind, message id): what stood around turns out to be said to us."""
    db.execute_many(
        "UPDATE conversations_message SET direction = 'in', conversation_id = %s, kind = %s WHERE id = %s",
        list(rows),
    )


def adopt(organization_id: int, channel_id: int, parents: Sequence[str]) -> list[tuple[int, int]]:
    """Link answers that came before what they answer. Returns (message, conversation) of our own ones
    that found their conversation by it."""
    mark, values = db.in_list(parents)
    condition = (
        "o.organization_id = %s AND o.channel_id = %s AND o.parent_id IS NULL"
        f" AND NOT (o.parent_native_id = '') AND o.parent_native_id {mark}"
    )
    rows = db.fetch_all(
        "SELECT o.id, p.id, p.conversation_id, o.conversation_id, o.direction FROM conversations_message o"
        " JOIN conversations_message p ON p.organization_id = o.organization_id"
        " AND p.channel_id = o.channel_id"
        f" AND p.id_scope = o.id_scope AND p.native_id = o.parent_native_id WHERE {condition}",
        [organization_id, channel_id, values],
    )
    db.execute_many(
        "UPDATE conversations_message SET parent_id = %s WHERE id = %s", [(row[1], row[0]) for row in rows]
    )
    found = [(row[0], row[2]) for row in rows if row[3] is None and row[4] == "out" and row[2] is not None]
    db.execute_many(
        "UPDATE conversations_message SET conversation_id = %s WHERE id = %s",
        [(row[1], row[0]) for row in found],
    )
    return found
