"""Not now: a case leaves the list until a moment, and comes back by itself or when its person speaks."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

from django.db import transaction

from heard.domains.inbox import rules, sql
from heard.domains.inbox.actions.work import case_of
from heard.domains.inbox.facts import CaseSnoozed, CasesReturned
from heard.domains.inbox.models import Case, CaseEvent, CaseStatus
from heard.domains.journal import actions as journal
from heard.domains.organizations.queries import Permission, require
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid
from heard.foundation.tenancy import Actor, system


def snooze_case(actor: Actor, case_id: int, until: datetime) -> None:
    """Take a case out of the lists until a moment. Its clocks go on: the person waits all the same.

    Raises ``Invalid`` for a moment that is past or more than a year away, ``Conflict`` for a case that is
    done or spam.
    """
    require(actor, Permission.CHANGE_STATUS)
    now = clock.now()
    if until <= now:
        raise Invalid("Choose a time that is still to come.", field="until")
    if until - now > rules.LONGEST_SNOOZE:
        raise Invalid("Choose a time within a year.", field="until")
    with transaction.atomic():
        row = case_of(actor, case_id)
        if row.status not in rules.OPEN:
            raise Conflict("This case is closed. Reopen it first.")
        Case.objects.filter(pk=row.pk).update(
            status=CaseStatus.SNOOZED, snoozed_until=until, changed=row.changed + 1
        )
        CaseEvent.objects.create(
            organization_id=actor.organization_id,
            case=row,
            kind="snoozed",
            by_id=actor.member_id,
            value=clock.iso(until),
            at=now,
        )
        journal.append(
            actor.organization_id, actor.label, [CaseSnoozed(case_id, int(until.timestamp()))], at=now
        )


def wake_due(now: datetime, limit: int) -> int:
    """Open the cases whose moment has come, in every organization; they stand at the top of their lists.

    Returns how many.
    """
    with transaction.atomic():
        woken = sql.wake_due(now, limit)
        for organization_id, rows in groupby(woken, key=lambda row: row[0]):
            ids = tuple(case_id for _, case_id in rows)
            CaseEvent.objects.bulk_create(
                CaseEvent(organization_id=organization_id, case_id=case_id, kind="woken", at=now)
                for case_id in ids
            )
            journal.append(organization_id, system(organization_id).label, [CasesReturned(ids)], at=now)
    return len(woken)
