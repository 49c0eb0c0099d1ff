"""The lists: which cases an actor may see, page by page, and how many."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from heard.domains.channels import queries as channels
from heard.domains.inbox import sql
from heard.domains.inbox.models import CaseConversation
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock, db
from heard.foundation.asked import once
from heard.foundation.errors import Invalid, NotFound
from heard.foundation.numbers import LARGEST, whole
from heard.foundation.questions import Question, each
from heard.foundation.sanitize import one_line
from heard.foundation.tenancy import Actor

PAGE = 50


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in the list."""

    case_id: int
    status: str
    last_at: datetime
    waiting_since: datetime | None
    owner_id: int | None
    team_id: int | None
    contact_id: int | None
    person_name: str
    last_text: str
    last_subject: str
    last_direction: str
    last_kind: str
    last_visibility: str
    channel_id: int | None
    last_state: str
    is_unread: bool
    priority: int
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; ``next_key`` goes on, empty at the end."""

    rows: tuple[CaseRow, ...]
    next_key: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: a view and filters on it."""

    view: str = "open"
    channel_id: int | None = None
    visibility: str = ""
    unassigned: bool = False
    waiting: bool = False


VIEWS = {
    "open": "k.status = 'open'",
    "pending": "k.status = 'pending'",
    "snoozed": "k.status = 'snoozed'",
    "done": "k.status = 'done'",
    "spam": "k.status = 'spam'",
    "all": "k.status <> 'spam'",
}


def _of_view(actor: Actor, view: str) -> tuple[str, list[Any]]:
    if view == "mine":
        return "k.status IN ('open', 'pending') AND k.owner_id = %s", [actor.member_id or 0]
    team_id = whole(view.removeprefix("team-"))
    if view.startswith("team-") and team_id is not None:
        return "k.status IN ('open', 'pending') AND k.team_id = %s", [team_id]
    if view in VIEWS:
        return VIEWS[view], []
    raise NotFound("There is no such list.")


def _conditions(actor: Actor, wanted: Wanted) -> tuple[list[str], list[Any]]:
    first, parameters = _of_view(actor, wanted.view)
    conditions = [first]
    if wanted.unassigned:
        conditions.append("k.owner_id IS NULL AND k.team_id IS NULL")
    if wanted.waiting:
        conditions.append("k.waiting_since IS NOT NULL")
    if wanted.channel_id is not None:
        conditions.append(_on_channels("= %s"))
        parameters.append(wanted.channel_id)
    if wanted.visibility in {"public", "private"}:
        conditions.append(
            "EXISTS (SELECT 1 FROM inbox_caseconversation l JOIN conversations_conversation v"
            " ON v.id = l.conversation_id WHERE l.case_id = k.id AND v.is_private = %s)"
        )
        parameters.append(wanted.visibility == "private")
    hidden = sorted(channels.hidden_channel_ids(actor))
    if hidden:
        # A case is seen by who may see at least one of its conversations.
        marks = ", ".join(["%s"] * len(hidden))
        conditions.append(_on_channels(f"NOT IN ({marks})"))
        parameters.extend(hidden)
    return conditions, parameters


def _on_channels(condition: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM inbox_caseconversation l JOIN conversations_conversation v"
        f" ON v.id = l.conversation_id WHERE l.case_id = k.id AND v.channel_id {condition})"
    )


def cases(actor: Actor, wanted: Wanted, *, after: str = "", limit: int = PAGE) -> Page:
    """A page of the list, newest activity first, by keyset. Raises ``Invalid`` for a broken key."""
    require(actor, Permission.VIEW_INBOX)
    conditions, parameters = _conditions(actor, wanted)
    if after:
        last_at, case_id = _read_key(after)
        conditions.append("(k.last_at, k.id) < (%s, %s)")
        parameters += [sql.moment(last_at), case_id]
    found = sql.page(actor.organization_id, actor.member_id, conditions, parameters, limit + 1)
    hidden = channels.hidden_channel_ids(actor)
    rows = tuple(_row(row, hidden) for row in found[:limit])
    return Page(rows, _key(rows[-1]) if len(found) > limit else "")


def case_rows(actor: Actor, case_ids: Iterable[int]) -> list[CaseRow]:
    """These cases as rows, where this actor may see them."""
    ids = list(case_ids)[:200]
    if not ids:
        return []
    conditions, parameters = _conditions(actor, Wanted("all"))
    marks = ", ".join(["%s"] * len(ids))
    conditions[0] = f"k.id IN ({marks})"
    found = sql.page(actor.organization_id, actor.member_id, conditions, [*ids, *parameters], len(ids))
    hidden = channels.hidden_channel_ids(actor)
    return [_row(row, hidden) for row in found]


@once
def count(actor: Actor, wanted: Wanted) -> int:
    """How many cases a view holds."""
    conditions, parameters = _conditions(actor, wanted)
    return sql.counts(actor.organization_id, conditions, parameters)


HIDDEN = "hidden"
"""The state of a last message that was said where the actor may not look."""


def _row(row: Sequence[Any], hidden: Collection[int]) -> CaseRow:
    if row[14] in hidden:
        row = [*row[:9], "", "", row[11], "", "", None, HIDDEN, *row[16:]]
    last_at = db.instant(row[2]) or clock.now()
    seen_at = db.instant(row[16])
    return CaseRow(
        row[0],
        row[1],
        last_at,
        db.instant(row[3]),
        row[4],
        row[5],
        row[6],
        one_line(row[7] or "") or ("Erased person" if row[8] else "Somebody"),
        row[9] or "",
        row[10] or "",
        row[11] or "",
        row[12] or "",
        row[13] or "public",
        row[14],
        row[15] or "",
        row[11] == "in" and (seen_at is None or seen_at < last_at),
        row[17],
        db.instant(row[18]) if row[1] == "snoozed" else None,
    )


def _key(row: CaseRow) -> str:
    raw = json.dumps([row.last_at.isoformat(), row.case_id]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read_key(key: str) -> tuple[datetime, int]:
    try:
        last_at, case_id = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
        return datetime.fromisoformat(last_at).astimezone(UTC), min(int(case_id), LARGEST)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Invalid("This page of the list does not exist; start at its top.") from error


@once
def require_visible(actor: Actor, case_id: int) -> None:
    """Raise ``NotFound`` unless this actor may see at least one conversation of the case."""
    require(actor, Permission.VIEW_INBOX)
    conditions, parameters = _conditions(actor, Wanted("all"))
    conditions[0] = "k.id = %s"
    if case_id > LARGEST or not sql.counts(actor.organization_id, conditions, [case_id, *parameters]):
        raise NotFound("There is no such case here, or it is not yours to see.")


_channels_of = Question(
    lambda organization_id, ids: CaseConversation.objects.filter(
        organization_id=organization_id, case_id__in=each(ids)
    ).values_list("case_id", "conversation__channel_id")
)


def visible_among(actor: Actor, case_ids: Collection[int]) -> set[int]:
    """Those of these cases that this actor may see."""
    hidden = channels.hidden_channel_ids(actor) if case_ids else set()
    if not hidden:
        return set(case_ids)
    rows = _channels_of(actor.organization_id, case_ids)
    return {case_id for case_id, channel_id in rows if channel_id not in hidden}
