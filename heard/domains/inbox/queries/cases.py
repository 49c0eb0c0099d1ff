"""One case: its conversations, its notes, what was done with it, what one is writing in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from heard.domains.channels import queries as channels
from heard.domains.conversations import queries as conversations
from heard.domains.inbox import sql
from heard.domains.inbox.models import Case, CaseConversation, CaseEvent, CaseStatus, Draft, Note
from heard.domains.inbox.queries.lists import require_visible, visible_among
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import Permission, require
from heard.foundation.errors import NotFound
from heard.foundation.questions import Question
from heard.foundation.tenancy import Actor


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case, whole."""

    case_id: int
    contact_id: int | None
    status: str
    owner_id: int | None
    team_id: int | None
    opened_at: datetime
    last_at: datetime
    waiting_since: datetime | None
    snoozed_until: datetime | None
    last_inbound_id: int | None
    conversation_ids: tuple[int, ...]


_cases = Question(
    lambda organization_id, case_id: Case.objects.filter(organization_id=organization_id, pk=case_id)
)
_conversations_of = Question(
    lambda organization_id, case_id: (
        CaseConversation.objects.filter(organization_id=organization_id, case_id=case_id)
        .order_by("pk")
        .values_list("conversation_id", "conversation__channel_id")
    )
)


def case(actor: Actor, case_id: int) -> CaseView:
    """One case with the conversations this actor may see."""
    require_visible(actor, case_id)
    (row,) = _cases(actor.organization_id, case_id)
    hidden = channels.hidden_channel_ids(actor)
    links = _conversations_of(actor.organization_id, case_id)
    ids = [conversation_id for conversation_id, channel_id in links if channel_id not in hidden]
    return CaseView(
        row.pk,
        row.contact_id,
        row.status,
        row.owner_id,
        row.team_id,
        row.opened_at,
        row.last_at,
        row.waiting_since,
        row.snoozed_until if row.status == CaseStatus.SNOOZED else None,
        row.last_inbound_id,
        tuple(ids),
    )


def case_ids_of(organization_id: int, conversation_ids: Iterable[int]) -> set[int]:
    """The cases that own these conversations."""
    rows = CaseConversation.objects.filter(
        organization_id=organization_id, conversation_id__in=list(conversation_ids)
    )
    return set(rows.values_list("case_id", flat=True))


@dataclass(frozen=True, slots=True)
class NoteView:
    """What colleagues told each other."""

    note_id: int
    author_id: int
    text: str
    written_at: datetime


_notes = Question(
    lambda organization_id, case_id: Note.objects.filter(
        organization_id=organization_id, case_id=case_id
    ).order_by("pk")
)


def notes(actor: Actor, case_id: int) -> list[NoteView]:
    """A case's notes, oldest first; without those that may tell of what this actor may not see.

    A note may repeat whatever its author could read in the case by then.
    """
    rows = _notes(actor.organization_id, case_id)
    hidden = channels.hidden_channel_ids(actor) if rows else set()
    if hidden:
        rows = _without_the_hidden(actor, rows, hidden)
    return [NoteView(row.pk, row.author_id, row.text, row.written_at) for row in rows]


def _without_the_hidden(actor: Actor, rows: Sequence[Note], hidden: Collection[int]) -> list[Note]:
    links = CaseConversation.objects.filter(
        organization_id=actor.organization_id,
        case_id__in={row.case_id for row in rows},
        conversation__channel_id__in=hidden,
    )
    places = list(links.values_list("conversation__started_at", "conversation__channel_id"))
    unread = {author_id: _hidden_from(actor, author_id) for author_id in {row.author_id for row in rows}}
    return [
        row
        for row in rows
        if row.author_id == actor.member_id
        or {channel_id for since, channel_id in places if since <= row.written_at} <= unread[row.author_id]
    ]


def _hidden_from(actor: Actor, author_id: int) -> set[int]:
    """What a note's author may not see either; of somebody who left, nobody knows."""
    try:
        author = organizations.actor_of(actor.organization_id, author_id)
    except NotFound:
        return set()
    return channels.hidden_channel_ids(author)


@dataclass(frozen=True, slots=True)
class DraftView:
    """What a member has begun to write."""

    mode: str
    text: str
    subject: str
    target_id: int | None
    changed_at: datetime


_drafts = Question(
    lambda organization_id, member_id, case_id: (
        Draft.objects.filter(organization_id=organization_id, member_id=member_id, case_id=case_id)
        .exclude(text="")
        .values_list("mode", "text", "subject", "target_id", "changed_at")
    )
)
_drafts_of_all = Question(
    lambda organization_id, case_id: (
        Draft.objects.filter(organization_id=organization_id, case_id=case_id)
        .exclude(text="")
        .values_list("text")
    )
)


def draft(actor: Actor, case_id: int) -> DraftView | None:
    """This member's own draft in a case; nobody else reads it."""
    found = _drafts(actor.organization_id, actor.member_id or 0, case_id)
    return DraftView(*found[0]) if found else None


def drafts_of_all(actor: Actor, case_id: int) -> list[str]:
    """What anybody has begun to write in a case: for the export that its person has a right to."""
    require(actor, Permission.EXPORT_PERSON)
    return [row[0] for row in _drafts_of_all(actor.organization_id, case_id)]


def is_said_in(actor: Actor, case_id: int, message_id: int) -> bool:
    """Whether a message stands in a conversation of the case that this actor may see."""
    found = conversations.message_views(actor.organization_id, [message_id]).get(message_id)
    return found is not None and found.conversation_id in case(actor, case_id).conversation_ids


def with_draft(actor: Actor, case_ids: Sequence[int]) -> set[int]:
    """Those of these cases in which this member has begun to write."""
    return sql.with_draft(actor.member_id or 0, case_ids) if case_ids else set()


@dataclass(frozen=True, slots=True)
class EventView:
    """A quiet line in the thread."""

    kind: str
    by_id: int | None
    member_id: int | None
    team_id: int | None
    value: str
    at: datetime


_events = Question(
    lambda organization_id, case_id: CaseEvent.objects.filter(
        organization_id=organization_id, case_id=case_id
    ).order_by("pk")
)


def events(actor: Actor, case_id: int) -> list[EventView]:
    """What was done with a case, oldest first."""
    rows = _events(actor.organization_id, case_id)
    return [EventView(row.kind, row.by_id, row.member_id, row.team_id, row.value, row.at) for row in rows]


@dataclass(frozen=True, slots=True)
class PastCaseView:
    """A case a person had before."""

    case_id: int
    status: str
    opened_at: datetime


_past = Question(
    lambda organization_id, contact_id: (
        Case.objects.filter(organization_id=organization_id, contact_id=contact_id)
        .order_by("-last_at")
        .values_list("pk", "status", "opened_at")[:200]
    )
)


def cases_of_contact(
    actor: Actor, contact_id: int, *, besides: int = 0, limit: int = 10
) -> list[PastCaseView]:
    """A person's other cases that this actor may see, newest first."""
    found = [PastCaseView(*row) for row in _past(actor.organization_id, contact_id) if row[0] != besides]
    seen = visible_among(actor, [case.case_id for case in found])
    return [case for case in found if case.case_id in seen][:limit]


STATUS_LABELS = {
    CaseStatus.OPEN.value: "Open",
    CaseStatus.PENDING.value: "Waiting for them",
    CaseStatus.SNOOZED.value: "Snoozed",
    CaseStatus.DONE.value: "Done",
    CaseStatus.SPAM.value: "Spam",
}
