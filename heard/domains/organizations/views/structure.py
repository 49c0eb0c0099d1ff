"""Settings: the organization, its brands and its teams."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from heard.domains.organizations import actions, queries
from heard.domains.organizations.forms import BrandForm, OrganizationForm, TeamForm
from heard.domains.organizations.queries import MemberRequest, Permission, TeamLine, member_required
from heard.foundation.errors import Conflict, NotFound
from heard.foundation.refusals import refusals_on


@require_http_methods(["GET", "POST"])
@member_required(Permission.MANAGE_ORGANIZATION)
def organization(request: MemberRequest) -> HttpResponse:
    """Name and time zone. Context: ``form``, ``company`` (``queries.Company``)."""
    company = queries.company(request.actor)
    form = OrganizationForm(
        request.POST or None, initial={"name": company.name, "timezone": company.timezone}
    )
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.change_organization(
                request.actor, name=form.cleaned_data["name"], timezone=form.cleaned_data["timezone"]
            )
            messages.success(request, _("Saved."))
            return redirect("organizations:organization")
    context = {"form": form, "company": company}
    return render(request, "organizations/organization.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@member_required(Permission.MANAGE_CHANNELS)
def brands(request: MemberRequest) -> HttpResponse:
    """All brands and the form to add one. Context: ``brands`` (``BrandLine``), ``form``."""
    form = BrandForm(request.POST or None)
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.add_brand(request.actor, form.cleaned_data["name"])
            messages.success(request, _("The brand was added."))
            return redirect("organizations:brands")
    context = {"brands": queries.brands(request.actor), "form": form}
    return render(request, "organizations/brands.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@member_required(Permission.MANAGE_CHANNELS)
def brand(request: MemberRequest, brand_id: int) -> HttpResponse:
    """One brand. Context: ``brand`` (``BrandLine``), ``form``."""
    found = next((line for line in queries.brands(request.actor) if line.id == brand_id), None)
    if found is None:
        raise NotFound(_("There is no such brand."))
    form = BrandForm(request.POST or None, initial={"name": found.name})
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.rename_brand(request.actor, brand_id, form.cleaned_data["name"])
            messages.success(request, _("Saved."))
            return redirect("organizations:brands")
    context = {"brand": found, "form": form}
    return render(request, "organizations/brand.html", context, status=422 if form.errors else 200)


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def make_default_brand(request: MemberRequest, brand_id: int) -> HttpResponse:
    """New channels speak under this brand."""
    actions.make_default_brand(request.actor, brand_id)
    messages.success(request, _("New channels speak under this brand."))
    return redirect("organizations:brands")


@require_http_methods(["GET", "POST"])
@member_required(Permission.MANAGE_TEAMS)
def teams(request: MemberRequest) -> HttpResponse:
    """All teams and the form to make one.

    Context: ``teams`` (list of {team, member_names}), ``archived`` (``TeamLine``), ``form``.
    """
    people = queries.members(request.actor)
    form = TeamForm(request.POST or None, members=people)
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.create_team(
                request.actor,
                name=form.cleaned_data["name"],
                purpose=form.cleaned_data["purpose"],
                member_ids=form.cleaned_data["members"],
            )
            messages.success(request, _("The team was made."))
            return redirect("organizations:teams")
    names = {person.id: person.name for person in people}
    found = queries.teams(request.actor, with_archived=True)
    context = {
        "teams": [
            {
                "team": line,
                "member_names": [names[member_id] for member_id in line.member_ids if member_id in names],
            }
            for line in found
            if not line.is_archived
        ],
        "archived": [line for line in found if line.is_archived],
        "form": form,
    }
    return render(request, "organizations/teams.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@member_required(Permission.MANAGE_TEAMS)
def team(request: MemberRequest, team_id: int) -> HttpResponse:
    """One team: name, purpose, members. Context: ``team`` (``TeamLine``), ``form``."""
    found = _team(request, team_id)
    initial = {"name": found.name, "purpose": found.purpose, "members": found.member_ids}
    form = TeamForm(request.POST or None, initial=initial, members=queries.members(request.actor))
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.change_team(
                request.actor,
                team_id,
                name=form.cleaned_data["name"],
                purpose=form.cleaned_data["purpose"],
                member_ids=form.cleaned_data["members"],
            )
            messages.success(request, _("Saved."))
            return redirect("organizations:teams")
    context = {"team": found, "form": form}
    return render(request, "organizations/team.html", context, status=422 if form.errors else 200)


@require_POST
@member_required(Permission.MANAGE_TEAMS)
def set_team_archived(request: MemberRequest, team_id: int, archived: bool) -> HttpResponse:  # noqa: FBT001 - from the address
    """Take a team out of use, or into use again."""
    act, done = (
        (actions.archive_team, _("The team was archived. Its cases stay with it until they are given away."))
        if archived
        else (actions.restore_team, _("The team is in use again."))
    )
    try:
        act(request.actor, team_id)
        messages.success(request, done)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect("organizations:teams")


def _team(request: MemberRequest, team_id: int) -> TeamLine:
    for line in queries.teams(request.actor, with_archived=True):
        if line.id == team_id:
            return line
    raise NotFound(_("There is no such team."))
