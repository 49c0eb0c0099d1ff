"""Messages reach their cases: a batch at a time, within the reaction's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from heard.domains.contacts import queries as contacts
from heard.domains.conversations import queries as conversations
from heard.domains.inbox import rules, sql
from heard.domains.inbox.facts import CaseAnswered, CasesTouched
from heard.domains.inbox.models import Case, CaseConversation, Episode
from heard.domains.inbox.rules import CaseFacts, Said
from heard.domains.journal import actions as journal
from heard.foundation import clock, db
from heard.foundation.tenancy import system


@dataclass(slots=True)
class _Touched:
    """A case that this batch reaches."""

    case_id: int
    status: str
    contact_id: int | None
    waiting_since: datetime | None
    is_new: bool
    said: list[Said] = field(default_factory=list)
    woken: bool = False
    reopened: bool = False
    conversations: dict[int, None] = field(default_factory=dict)


def bring_to_cases(organization_id: int, message_ids: Sequence[int]) -> None:
    """Open, join or wake the cases of these messages. What blocked people say opens nothing."""
    rows = _said(organization_id, message_ids)
    blocked = contacts.blocked_among(organization_id, {row.contact_id for row in rows if row.contact_id})
    rows = [row for row in rows if row.contact_id not in blocked]
    if not rows:
        return
    touched, links = _choose(organization_id, rows)
    _write(organization_id, touched, links)


def _said(organization_id: int, message_ids: Sequence[int]) -> list[Said]:
    """These messages, oldest first."""
    return [
        Said(row[0], row[1], row[2], row[3], db.instant(row[4]) or clock.now(), bool(row[5]))
        for row in sql.said(organization_id, message_ids)
    ]


def _facts_of(row: tuple[Any, ...]) -> CaseFacts:
    case_id, status, contact_id, waiting, last_at, done_at = row
    return CaseFacts(
        case_id,
        status,
        contact_id,
        db.instant(done_at),
        db.instant(waiting),
        db.instant(last_at) or clock.now(),
    )


def _choose(
    organization_id: int, rows: Sequence[Said]
) -> tuple[dict[int, _Touched], list[tuple[int, int, int]]]:
    """The cases of a batch by id, and the conversations to link to them."""
    numbers = sorted({row.conversation_id for row in rows})
    own = {
        number: _facts_of(found)
        for number, found in sql.cases_of_conversations(organization_id, numbers).items()
    }
    by_contact = _cases_of_lonely(organization_id, rows, own)
    spare = iter(db.allocate_ids("inbox_case", len(set(numbers) - set(own))))
    touched: dict[int, _Touched] = {}
    links: list[tuple[int, int, int]] = []
    for row in rows:
        mine = own.get(row.conversation_id)
        case = rules.choose(mine, by_contact.get(row.contact_id or 0, []), row.at)
        if case is None:
            case = CaseFacts(next(spare), "open", row.contact_id, None, None, row.at)
            touched[case.case_id] = _Touched(case.case_id, "open", row.contact_id, None, is_new=True)
            by_contact.setdefault(row.contact_id or -case.case_id, []).append(case)
        if mine is None:
            own[row.conversation_id] = case
            links.append((organization_id, case.case_id, row.conversation_id))
        _touch(touched, case, row)
    return touched, links


def _cases_of_lonely(
    organization_id: int, rows: Sequence[Said], own: dict[int, CaseFacts]
) -> dict[int, list[CaseFacts]]:
    """The cases of people who brought a conversation that has none yet."""
    lonely = {row.contact_id for row in rows if row.conversation_id not in own and row.contact_id}
    found: dict[int, list[CaseFacts]] = {}
    if lonely:
        for values in sql.cases_of_contacts(organization_id, sorted(lonely)):
            found.setdefault(values[2], []).append(_facts_of(values))
    return found


def _touch(touched: dict[int, _Touched], case: CaseFacts, row: Said) -> None:
    entry = touched.get(case.case_id)
    if entry is None:
        entry = _Touched(case.case_id, case.status, case.contact_id, case.waiting_since, is_new=False)
        touched[case.case_id] = entry
    entry.said.append(row)
    entry.conversations[row.conversation_id] = None
    if rules.reopens(entry.status, inbound=row.direction == "in", automatic=row.is_automatic):
        entry.woken = True
        entry.reopened = entry.reopened or entry.status == "done"
        entry.status = "open"


def _write(organization_id: int, touched: dict[int, _Touched], links: list[tuple[int, int, int]]) -> None:
    new, known, going_on, episodes = [], [], [], []
    for case in touched.values():
        last = case.said[-1]
        inbound = [row.message_id for row in case.said if row.direction == "in"]
        waiting = rules.waiting_since(case.waiting_since, case.said)
        if case.is_new:
            new.append(
                (
                    case.case_id,
                    organization_id,
                    case.contact_id,
                    case.status,
                    case.said[0].at,
                    last.at,
                    last.message_id,
                    inbound[-1] if inbound else None,
                    waiting,
                )
            )
        else:
            said = (last.at, last.message_id, inbound[-1] if inbound else None)
            if waiting == case.waiting_since and not case.woken:
                going_on.append((*said, case.case_id))
            else:
                known.append((*said, case.status, waiting, case.case_id))
        if case.is_new or case.reopened:
            episodes.append((organization_id, case.case_id, case.said[0].at))
    sql.insert_cases(new)
    sql.insert_links(links)
    sql.insert_episodes(episodes)
    sql.say_on(going_on)
    sql.touch_cases(known)
    pairs = [(case, number) for case in touched.values() for number in case.conversations]
    fact = CasesTouched(
        tuple(case.case_id for case, _ in pairs),
        tuple(number for _, number in pairs),
        tuple(case.is_new for case, _ in pairs),
        tuple(case.reopened for case, _ in pairs),
    )
    journal.append(organization_id, system(organization_id).label, [fact])


def note_answered(
    organization_id: int, actor: str, conversation_id: int, message_id: int, at: datetime
) -> None:
    """A reply stands on the network: nobody waits in this case any more; its first answer is noted."""
    case = Case.objects.filter(
        organization_id=organization_id, caseconversation__conversation_id=conversation_id
    ).first()
    if case is None:
        return
    Case.objects.filter(pk=case.pk).update(
        waiting_since=None,
        last_at=max(case.last_at, at),
        last_message_id=message_id,
        changed=case.changed + 1,
    )
    episode = Episode.objects.filter(
        organization_id=organization_id, case=case, resolved_at__isnull=True
    ).first()
    if episode is not None and episode.first_answered_at is None:
        Episode.objects.filter(pk=episode.pk).update(first_answered_at=at)
    fact = CaseAnswered(case.pk, episode.pk if episode else 0, message_id)
    journal.append(organization_id, actor, [fact], at=at)


def note_not_delivered(organization_id: int, conversation_id: int, message_id: int, at: datetime) -> None:
    """What we sent came back: the person still waits, and the case is open again (spam stays spam)."""
    case = Case.objects.filter(
        organization_id=organization_id, caseconversation__conversation_id=conversation_id
    ).first()
    if case is None or case.status == "spam":
        return
    reopened = case.status == "done"
    Case.objects.filter(pk=case.pk).update(
        status="open",
        waiting_since=case.waiting_since or at,
        last_at=max(case.last_at, at),
        last_message_id=message_id,
        changed=case.changed + 1,
    )
    if reopened:
        sql.insert_episodes([(organization_id, case.pk, at)])
    fact = CasesTouched((case.pk,), (conversation_id,), (False,), (reopened,))
    journal.append(organization_id, system(organization_id).label, [fact])


def note_split_off(organization_id: int, conversation_id: int, from_conversation_id: int) -> None:
    """Words that got a conversation of their own reach a case as if they arrived now; the case that they
    left is again about what is left in it.
    """
    moved = conversations.messages_of(organization_id, [conversation_id])
    bring_to_cases(organization_id, [message.message_id for message in moved])
    case = Case.objects.filter(
        organization_id=organization_id, caseconversation__conversation_id=from_conversation_id
    ).first()
    if case is None:
        return
    links = CaseConversation.objects.filter(organization_id=organization_id, case=case)
    kept = conversations.messages_of(organization_id, links.values_list("conversation_id", flat=True))
    said = _said(organization_id, [message.message_id for message in kept])
    if not said:
        return
    inbound = [row.message_id for row in said if row.direction == "in"]
    Case.objects.filter(pk=case.pk).update(
        last_at=said[-1].at,
        last_message_id=said[-1].message_id,
        last_inbound_id=inbound[-1] if inbound else None,
        waiting_since=rules.waiting_since(None, said) if case.status in rules.OPEN else None,
        changed=case.changed + 1,
    )
    fact = CasesTouched((case.pk,), (from_conversation_id,), (False,), (False,))
    journal.append(organization_id, system(organization_id).label, [fact])
