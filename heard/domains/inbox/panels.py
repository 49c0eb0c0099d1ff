"""What this room shows elsewhere: a person's cases on their page, and what members are told."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from heard.domains.inbox import queries
from heard.domains.notifications import actions as notifications
from heard.domains.organizations.queries import Permission, may
from heard.foundation.sanitize import one_line
from heard.foundation.tenancy import Actor
from heard.ui.offers import panel
from heard.ui.shapes import PastCase

notifications.register(
    [notifications.Kind("case_assigned", _("A conversation was assigned to you."), "user-plus")]
)


@panel("person", 10)
def cases_of_person(actor: Actor, contact_id: str) -> str:
    """Their cases, newest first, of those that this member may see."""
    if not may(actor, Permission.VIEW_INBOX):
        return ""
    past = queries.cases_of_contact(actor, int(contact_id), limit=50)
    seen = {row.case_id: row for row in queries.case_rows(actor, [case.case_id for case in past])}
    lines = [
        PastCase(
            one_line(seen[case.case_id].last_subject or seen[case.case_id].last_text, 90)
            or _("Case %(number)s") % {"number": case.case_id},
            f"/c/{case.case_id}",
            str(queries.STATUS_LABELS[case.status]),
            seen[case.case_id].last_at,
        )
        for case in past
        if case.case_id in seen
    ]
    return render_to_string("inbox/_past_cases.html", {"past_cases": lines})
