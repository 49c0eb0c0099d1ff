"""The record of who did what, when. Its facts are the journal's; who may read them is decided here."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from heard.domains.journal import queries as record
from heard.domains.journal.facts import Sealed
from heard.domains.organizations import queries
from heard.domains.organizations.queries import MemberRequest, Permission, member_required
from heard.foundation.numbers import whole

PAGE = 50


@require_safe
@member_required(Permission.VIEW_JOURNAL)
def journal(request: MemberRequest) -> HttpResponse:
    """A page of the record, newest first; ``?before=<position>`` goes back. Context: ``journal.html``."""
    return render(request, "journal/journal.html", _context(request))


@require_POST
@member_required(Permission.VIEW_JOURNAL)
def verify(request: MemberRequest) -> HttpResponse:
    """Walk the whole chain now and say whether every entry fits."""
    verdict = record.verify(request.actor.organization_id)
    return render(request, "journal/journal.html", _context(request) | {"verdict": verdict})


@require_POST
@member_required(Permission.VIEW_JOURNAL)
def checkpoint(request: MemberRequest) -> HttpResponse:
    """The chain's end as a small file, to be kept somewhere else."""
    found = record.checkpoint(request.actor.organization_id)
    response = HttpResponse(found.as_json() + "\n", content_type="application/json")
    name = f"heard-checkpoint-{found.organization_id}-{found.position}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _context(request: MemberRequest) -> dict[str, Any]:
    organization_id = request.actor.organization_id
    end = record.end_of(organization_id)
    given = whole(request.GET.get("before", ""))
    before = end + 1 if given is None else min(given, end + 1)
    facts = record.latest(organization_id, before=before, limit=PAGE) if before > 1 else []
    here = reverse("organizations:journal")
    newer = f"{here}?before={before + PAGE}" if before + PAGE <= end else here
    return {
        "lines": _lines(request, facts),
        "older_url": f"{here}?before={facts[-1].position}" if facts and facts[-1].position > 1 else "",
        "newer_url": newer if before <= end else "",
        "position": end,
        "verdict": None,
        "verify_url": reverse("organizations:verify_journal"),
        "checkpoint_url": reverse("organizations:checkpoint"),
    }


def _lines(request: MemberRequest, facts: list[Sealed]) -> list[dict[str, Any]]:
    ids = {_member_id(fact.actor) for fact in facts}
    names = queries.member_names(request.actor, {number for number in ids if number})
    return [
        {
            "fact": fact,
            "sentence": record.in_words(fact),
            "actor_label": _actor_label(fact.actor, names),
        }
        for fact in facts
    ]


def _member_id(actor: str) -> int | None:
    kind, _colon, number = actor.partition(":")
    return whole(number) if kind == "member" else None


def _actor_label(actor: str, names: dict[int, str]) -> str:
    known = {"system": "Heard", "operator": _("The operator")}
    return known.get(actor) or names.get(_member_id(actor) or 0) or _("Somebody")
