"""Set-based statements of the inbox: cases of a batch, and the list by keyset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from heard.foundation import db


def moment(at: datetime | None) -> Any:
    """A time as this database stores it in set-based statements."""
    return None if at is None else db.moment(at)


def said(organization_id: int, message_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """(id, conversation, contact, direction, sent at, automatic) of messages, oldest first."""
    mark, values = db.in_list(message_ids)
    return db.fetch_all(
        "SELECT m.id, m.conversation_id, c.contact_id, m.direction, m.sent_at, m.is_automatic"
        " FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id"
        f" WHERE m.organization_id = %s AND m.id {mark} ORDER BY m.sent_at, m.id",
        [organization_id, values],
    )


_CASE = (
    "SELECT k.id, k.status, k.contact_id, k.waiting_since, k.last_at,"
    " (SELECT MAX(e.resolved_at) FROM inbox_episode e WHERE e.organization_id = k.organization_id"
    " AND e.case_id = k.id)"
)


def cases_of_conversations(
    organization_id: int, conversation_ids: Sequence[int]
) -> dict[int, tuple[Any, ...]]:
    """Conversation id -> (case id, status, contact, waiting since, last at, done at)."""
    mark, values = db.in_list(conversation_ids)
    rows = db.fetch_all(
        _CASE.replace("SELECT ", "SELECT l.conversation_id, ", 1)
        + " FROM inbox_caseconversation l JOIN inbox_case k ON k.id = l.case_id"
        f" WHERE l.organization_id = %s AND l.conversation_id {mark}",
        [organization_id, values],
    )
    return {row[0]: row[1:] for row in rows}


def cases_of_contacts(organization_id: int, contact_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """(case id, status, contact, waiting since, last at, done at) of these people's cases, not spam."""
    mark, values = db.in_list(contact_ids)
    return db.fetch_all(
        f"{_CASE} FROM inbox_case k WHERE k.organization_id = %s AND k.contact_id {mark}"
        " AND k.status IN ('open', 'pending', 'snoozed', 'done')",
        [organization_id, values],
    )


def insert_cases(rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, organization, contact, status, opened at, last at, last message, last inbound, waiting since)."""
    db.insert_rows(
        "inbox_case",
        (
            "id",
            "organization_id",
            "contact_id",
            "status",
            "priority",
            "opened_at",
            "last_at",
            "last_message_id",
            "last_inbound_id",
            "waiting_since",
            "changed",
        ),
        [(*row[:4], 0, moment(row[4]), moment(row[5]), row[6], row[7], moment(row[8]), 0) for row in rows],
    )


def insert_links(rows: Sequence[tuple[int, int, int]]) -> None:
    """(organization, case, conversation)."""
    db.insert_rows("inbox_caseconversation", ("organization_id", "case_id", "conversation_id"), list(rows))


def insert_episodes(rows: Sequence[tuple[int, int, datetime]]) -> None:
    """(organization, case, opened at)."""
    db.insert_rows(
        "inbox_episode",
        ("organization_id", "case_id", "opened_at"),
        [(row[0], row[1], moment(row[2])) for row in rows],
    )


_SAID = (("last_at", "timestamptz"), ("last_message_id", "bigint"), ("last_inbound_id", "bigint"))
_WAITING = (("status", "text"), ("waiting_since", "timestamptz"))


def _said_on() -> str:
    later = "GREATEST" if db.is_postgres() else "MAX"
    return (
        f"last_at = {later}(k.last_at, n.last_at), last_message_id = n.last_message_id,"
        " last_inbound_id = COALESCE(n.last_inbound_id, k.last_inbound_id), changed = k.changed + 1"
    )


def say_on(rows: Sequence[tuple[datetime, int, int | None, int]]) -> None:
    """(last at, last message, last inbound, case id) of cases that go on as they were.

    A column that is not named costs SQLite no look at the indexes it stands in: half the time.
    """
    values = [(moment(row[0]), *row[1:]) for row in rows]
    db.update_rows("inbox_case", _said_on(), (*_SAID, ("id", "bigint")), values)


def touch_cases(rows: Sequence[tuple[datetime, int, int | None, str, datetime | None, int]]) -> None:
    """(last at, last message, last inbound, status, waiting since, case id)."""
    db.update_rows(
        "inbox_case",
        f"{_said_on()}, status = n.status, waiting_since = n.waiting_since",
        (*_SAID, *_WAITING, ("id", "bigint")),
        [(moment(row[0]), *row[1:4], moment(row[4]), row[5]) for row in rows],
    )


def page(
    organization_id: int,
    member_id: int | None,
    conditions: Sequence[str],
    parameters: Sequence[Any],
    limit: int,
) -> list[tuple[Any, ...]]:
    """One keyset page of the list: newest activity first."""
    where = " AND ".join(["k.organization_id = %s", *conditions])
    return db.fetch_all(
        "SELECT k.id, k.status, k.last_at, k.waiting_since, k.owner_id, k.team_id, k.contact_id,"
        " ct.name, ct.erased_at IS NOT NULL, lm.text, lm.subject, lm.direction, lm.kind, lm.visibility,"
        " lm.channel_id, lm.state, s.seen_at, k.priority, k.snoozed_until"
        " FROM inbox_case k"
        " LEFT JOIN contacts_contact ct ON ct.id = k.contact_id"
        " LEFT JOIN conversations_message lm ON lm.id = k.last_message_id"
        " LEFT JOIN inbox_caseseen s ON s.case_id = k.id AND s.member_id = %s"
        f" WHERE {where} ORDER BY k.last_at DESC, k.id DESC LIMIT %s",
        [member_id or 0, organization_id, *parameters, limit],
    )


def counts(organization_id: int, conditions: Sequence[str], parameters: Sequence[Any]) -> int:
    """How many cases fit."""
    where = " AND ".join(["k.organization_id = %s", *conditions])
    return int(
        db.fetch_all(f"SELECT COUNT(*) FROM inbox_case k WHERE {where}", [organization_id, *parameters])[0][0]
    )


def seen_at(member_id: int, case_id: int) -> datetime | None:
    """Up to when a member has read a case."""
    rows = db.fetch_all(
        "SELECT seen_at FROM inbox_caseseen WHERE member_id = %s AND case_id = %s", [member_id, case_id]
    )
    return db.instant(rows[0][0]) if rows else None


def see(organization_id: int, member_id: int, case_id: int, upto: datetime) -> None:
    """Note up to when a member has read a case; never back, where a slow page comes after a newer one."""
    db.execute_many(
        "INSERT INTO inbox_caseseen (organization_id, member_id, case_id, seen_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (member_id, case_id) DO UPDATE SET seen_at = excluded.seen_at"
        " WHERE inbox_caseseen.seen_at < excluded.seen_at",
        [(organization_id, member_id, case_id, moment(upto))],
    )


def keep_draft(row: Sequence[Any], at: datetime) -> bool:
    """Keep (organization, member, case, mode, text, subject, target, key, sequence).

    False when that submission was sent already, or newer words of it are here.
    """
    with db.cursor_of() as cursor:
        cursor.execute(
            "INSERT INTO inbox_draft (organization_id, member_id, case_id, mode, text, subject, target_id,"
            " key, sequence, changed_at, closed_key) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '')"
            " ON CONFLICT (member_id, case_id) DO UPDATE SET mode = excluded.mode, text = excluded.text,"
            " subject = excluded.subject, target_id = excluded.target_id, key = excluded.key,"
            " sequence = excluded.sequence, changed_at = excluded.changed_at"
            " WHERE (inbox_draft.closed_key = '' OR inbox_draft.closed_key <> excluded.key)"
            " AND (inbox_draft.key <> excluded.key OR inbox_draft.sequence < excluded.sequence)",
            [*row, moment(at)],
        )
        return bool(cursor.rowcount)


def end_draft(  # noqa: PLR0917 - a row
    organization_id: int, member_id: int, case_id: int, key: str, continued: datetime | None, at: datetime
) -> None:
    """This submission was sent: it takes no words more, and its words are gone, with those that it continued
    (by when they were kept). Others stay.
    """
    taken = "inbox_draft.key = excluded.closed_key OR inbox_draft.changed_at = %s"
    before = moment(continued)
    db.execute_many(
        "INSERT INTO inbox_draft (organization_id, member_id, case_id, mode, text, subject, key, sequence,"
        " closed_key, changed_at) VALUES (%s, %s, %s, '', '', '', '', 0, %s, %s)"
        " ON CONFLICT (member_id, case_id) DO UPDATE SET closed_key = excluded.closed_key,"
        f" text = CASE WHEN {taken} THEN '' ELSE inbox_draft.text END,"
        f" subject = CASE WHEN {taken} THEN '' ELSE inbox_draft.subject END",
        [(organization_id, member_id, case_id, key, moment(at), before, before)],
    )


def with_draft(member_id: int, case_ids: Sequence[int]) -> set[int]:
    """Those of these cases in which a member has begun to write."""
    mark, values = db.in_list(case_ids)
    rows = db.fetch_all(
        f"SELECT case_id FROM inbox_draft WHERE member_id = %s AND case_id {mark} AND text <> ''",
        [member_id, values],
    )
    return {row[0] for row in rows}


def wake_due(now: datetime, limit: int) -> list[tuple[int, int]]:
    """Open the cases whose moment has come, first those that waited longest: (organization, case id)."""
    lock = " FOR UPDATE SKIP LOCKED" if db.is_postgres() else ""
    with db.cursor_of() as cursor:
        cursor.execute(
            "UPDATE inbox_case SET status = 'open', snoozed_until = NULL, last_at = %s, changed = changed + 1"
            " WHERE id IN (SELECT id FROM inbox_case WHERE status = 'snoozed' AND snoozed_until <= %s"
            f" ORDER BY snoozed_until LIMIT %s{lock}) RETURNING organization_id, id",
            [moment(now), moment(now), limit],
        )
        return sorted(cursor.fetchall())
