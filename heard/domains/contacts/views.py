"""A person's page: who they are to us, what colleagues should know, and whether we listen to them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from heard.domains.channels import queries as channels
from heard.domains.contacts import actions, queries
from heard.domains.contacts.forms import NoteForm
from heard.domains.contacts.queries import ContactView
from heard.domains.organizations.queries import MemberRequest, Permission, may, member_required, require
from heard.foundation.errors import NotFound
from heard.foundation.refusals import refusals_on
from heard.foundation.sanitize import one_line
from heard.foundation.tenancy import Actor
from heard.ui.shapes import IdentityLine, Person, initials_of, tint_of


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Permission.VIEW_INBOX)
def person(request: MemberRequest, contact_id: int) -> HttpResponse:
    """One person; a POST changes the note. Context: see ``contacts/person.html``.

    What higher rooms know of them (cases, later posts and contests) fills the slot ``person``.
    """
    found = _known(request.actor, contact_id)
    form = None
    if may(request.actor, Permission.NOTE) and found.erased_at is None:
        form = NoteForm(request.POST or None, initial={"note": found.note})
    if request.method == "POST":
        require(request.actor, Permission.NOTE)
    if form is not None and form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.write_note(request.actor, contact_id, form.cleaned_data["note"])
            messages.success(request, _("Saved."))
            return redirect("contacts:person", contact_id)
    context = _context(request.actor, found) | {"note_form": form}
    return render(request, "contacts/person.html", context, status=422 if form and form.errors else 200)


def _known(actor: Actor, contact_id: int) -> ContactView:
    if contact_id > 2**62:
        raise NotFound("There is no such person here.")
    return queries.person(actor, contact_id)


def _context(actor: Actor, found: ContactView) -> dict[str, object]:
    names = {manifest.network: manifest.name for manifest in channels.manifests()}
    name = one_line(found.name) or _("Somebody")
    may_block = may(actor, Permission.BLOCK) and found.erased_at is None
    return {
        "person": Person(
            contact_id=str(found.contact_id),
            name=name,
            tint=tint_of(f"contact:{found.contact_id}"),
            initials=initials_of(name),
            identities=[
                IdentityLine(
                    item.network,
                    names.get(item.network, item.network),
                    one_line(item.handle) or _("erased"),
                    item.url if item.url.startswith(("https://", "http://")) else "",
                    one_line(item.name) if item.name not in {item.handle, found.name} else "",
                )
                for item in found.identities
            ],
            since=found.first_seen_at,
            notes=found.note,
            privacy_url=f"/people/{found.contact_id}/privacy" if may(actor, Permission.EXPORT_PERSON) else "",
            can_erase=may(actor, Permission.ERASE_PERSON),
        ),
        "blocked_at": found.blocked_at,
        "block_url": reverse("contacts:block", args=[found.contact_id])
        if may_block and found.blocked_at is None
        else "",
        "unblock_url": reverse("contacts:unblock", args=[found.contact_id])
        if may_block and found.blocked_at is not None
        else "",
    }


@require_POST
@member_required(Permission.BLOCK)
def block(request: MemberRequest, contact_id: int) -> HttpResponse:
    """What they say is kept, and no longer reaches the inbox."""
    _known(request.actor, contact_id)
    actions.block(request.actor, contact_id)
    messages.success(request, _("Blocked. What they say is kept and no longer reaches the inbox."))
    return redirect("contacts:person", contact_id)


@require_POST
@member_required(Permission.BLOCK)
def unblock(request: MemberRequest, contact_id: int) -> HttpResponse:
    """What they say reaches the inbox again."""
    _known(request.actor, contact_id)
    actions.unblock(request.actor, contact_id)
    messages.success(request, _("No longer blocked. What they say reaches the inbox again."))
    return redirect("contacts:person", contact_id)
