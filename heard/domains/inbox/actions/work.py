"""What people do with a case."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from heard.domains.inbox import queries, sql
from heard.domains.inbox.facts import CaseAssigned, CaseNotesErased, CaseStatusChanged, NoteWritten
from heard.domains.inbox.models import Case, CaseEvent, CaseStatus, Draft, Episode, Note
from heard.domains.journal import actions as journal
from heard.domains.notifications import actions as notifications
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock
from heard.foundation.errors import Invalid, NotFound
from heard.foundation.tenancy import Actor

LONGEST_NOTE = 10_000


def case_of(actor: Actor, case_id: int) -> Case:
    """The case, locked, where this actor may see it. Raises ``NotFound``."""
    queries.require_visible(actor, case_id)
    row = Case.objects.select_for_update().filter(organization_id=actor.organization_id, pk=case_id).first()
    if row is None:
        raise NotFound("There is no such case here.")
    return row


def assign_case(actor: Actor, case_id: int, *, member_id: int | None, team_id: int | None) -> None:
    """Give it to a member, a team, both, or nobody. The one it is given to is told."""
    require(actor, Permission.ASSIGN)
    if member_id is not None and member_id not in {row.id for row in organizations.members(actor)}:
        raise Invalid("There is no such member here.", field="member")
    if team_id is not None and team_id not in {row.id for row in organizations.teams(actor)}:
        raise Invalid("There is no such team here.", field="team")
    with transaction.atomic():
        row = case_of(actor, case_id)
        if (row.owner_id, row.team_id) == (member_id, team_id):
            return
        changed_owner = row.owner_id != member_id
        Case.objects.filter(pk=row.pk).update(owner_id=member_id, team_id=team_id, changed=row.changed + 1)
        now = clock.now()
        CaseEvent.objects.create(
            organization_id=actor.organization_id,
            case=row,
            kind="assigned",
            by_id=actor.member_id,
            member_id=member_id,
            team_id=team_id,
            at=now,
        )
        journal.append(
            actor.organization_id, actor.label, [CaseAssigned(case_id, member_id or 0, team_id or 0)], at=now
        )
        if changed_owner and member_id is not None and member_id != actor.member_id:
            notifications.notify(
                actor.organization_id,
                member_id,
                kind="case_assigned",
                url=f"/c/{case_id}",
                subject_id=case_id,
            )


def set_status(actor: Actor, case_id: int, status: str) -> None:
    """Open, pending, done or spam. Done and spam end the episode; opening again begins another."""
    require(actor, Permission.CHANGE_STATUS)
    if status not in set(CaseStatus):
        raise Invalid(f"{status!r} is no status.", field="status")
    if status == CaseStatus.SNOOZED:
        raise Invalid("Say until when.", field="until")
    with transaction.atomic():
        row = case_of(actor, case_id)
        if row.status == status:
            return
        now = clock.now()
        episode = Episode.objects.filter(
            organization_id=actor.organization_id, case=row, resolved_at__isnull=True
        ).first()
        ends = status in {CaseStatus.DONE, CaseStatus.SPAM}
        if ends and episode is not None:
            Episode.objects.filter(pk=episode.pk).update(resolved_at=now)
        if not ends and episode is None:
            episode = Episode.objects.create(organization_id=actor.organization_id, case=row, opened_at=now)
        changes = {"status": status, "snoozed_until": None, "changed": row.changed + 1}
        if ends:
            changes["waiting_since"] = None  # resolve stops all clocks (domain.md 0.4)
        Case.objects.filter(pk=row.pk).update(**changes)
        CaseEvent.objects.create(
            organization_id=actor.organization_id,
            case=row,
            kind="status",
            by_id=actor.member_id,
            value=status,
            at=now,
        )
        fact = CaseStatusChanged(case_id, status, episode.pk if episode else 0)
        journal.append(actor.organization_id, actor.label, [fact], at=now)


def write_note(actor: Actor, case_id: int, text: str) -> int:
    """Tell colleagues something about a case; never leaves. Returns the note's id."""
    require(actor, Permission.NOTE)
    text = text.replace("\0", "").strip()
    if not text:
        raise Invalid("Write something first.", field="text")
    if len(text) > LONGEST_NOTE:
        raise Invalid(
            f"A note has at most {LONGEST_NOTE:,} characters; this has {len(text):,}.", field="text"
        )
    if actor.member_id is None:
        raise Invalid("Only members write notes.")
    with transaction.atomic():
        row = case_of(actor, case_id)
        now = clock.now()
        note = Note.objects.create(
            organization_id=actor.organization_id,
            case=row,
            author_id=actor.member_id,
            text=text,
            written_at=now,
        )
        Case.objects.filter(pk=row.pk).update(changed=row.changed + 1)
        journal.append(actor.organization_id, actor.label, [NoteWritten(case_id, note.pk)], at=now)
    return note.pk


def mark_seen(actor: Actor, case_id: int, upto: datetime) -> None:
    """This member has read the case up to a moment: that of the newest thing they were shown."""
    if actor.member_id is None:
        return
    queries.require_visible(actor, case_id)
    if sql.seen_at(actor.member_id, case_id) == upto:
        return
    with transaction.atomic():
        sql.see(actor.organization_id, actor.member_id, case_id, upto)


def erase_contact(actor: Actor, contact_id: int) -> int:
    """Empty what colleagues wrote about a forgotten person, and to them. Called by the room ``privacy``."""
    require(actor, Permission.ERASE_PERSON)
    with transaction.atomic():
        rows = Note.objects.filter(organization_id=actor.organization_id, case__contact_id=contact_id)
        count = rows.exclude(text="").update(text="")
        drafts = Draft.objects.filter(organization_id=actor.organization_id, case__contact_id=contact_id)
        drafts.update(text="", subject="")
        journal.append(actor.organization_id, actor.label, [CaseNotesErased(contact_id, count)])
    return count
