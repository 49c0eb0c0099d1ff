"""The pages of this room."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from heard.domains.contacts import queries as contacts
from heard.domains.organizations.queries import MemberRequest, Permission, may, member_required
from heard.domains.privacy import actions, queries
from heard.domains.privacy.forms import EraseForm
from heard.foundation.errors import Conflict


@member_required(Permission.EXPORT_PERSON)
def person(request: MemberRequest, contact_id: int) -> HttpResponse:
    """What is held about a person, with export and erase."""
    return _page(request, contact_id, None)


def _page(request: MemberRequest, contact_id: int, form: EraseForm | None, status: int = 200) -> HttpResponse:
    found = contacts.person(request.actor, contact_id)
    allowed = may(request.actor, Permission.ERASE_PERSON) and found.erased_at is None
    context = {
        "contact": found,
        "counts": queries.counts(request.actor, contact_id),
        "export_url": f"/people/{contact_id}/export",
        "erase_url": f"/people/{contact_id}/erase" if allowed else "",
        "form": form or EraseForm(name=found.name),
        "back_url": f"/people/{contact_id}",
    }
    return render(request, "privacy/contact.html", context, status=status)


@require_POST
@member_required(Permission.EXPORT_PERSON)
def export(request: MemberRequest, contact_id: int) -> HttpResponse:
    """The export as a file."""
    body = actions.export_person(request.actor, contact_id)
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="person-{contact_id}.json"'
    return response


@require_POST
@member_required(Permission.ERASE_PERSON)
def erase(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Forget a person, once the name was typed again."""
    found = contacts.person(request.actor, contact_id)
    if found.erased_at is not None:
        raise Conflict("This person was erased already.")
    form = EraseForm(request.POST, name=found.name)
    if not form.is_valid():
        return _page(request, contact_id, form, status=422)
    before = queries.counts(request.actor, contact_id)
    suppress = bool(form.cleaned_data["do_not_collect"])
    actions.erase_person(request.actor, contact_id, suppress=suppress)
    context = {
        "counts": before,
        "do_not_collect": suppress,
        "reference": f"privacy.PersonErased {contact_id}",
    }
    return render(request, "privacy/erased.html", context)
