"""Settings: who works here, and who is invited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from heard.domains.organizations import actions, mail, queries, rules
from heard.domains.organizations.actions import Invited
from heard.domains.organizations.forms import ROLES, InviteForm, RoleForm, role_choices
from heard.domains.organizations.queries import MemberLine, MemberRequest, Permission, member_required
from heard.foundation.errors import HeardError
from heard.foundation.refusals import refusals_on
from heard.foundation.tenancy import Role


@never_cache
@require_http_methods(["GET", "POST"])
@member_required(Permission.MANAGE_MEMBERS)
def members(request: MemberRequest) -> HttpResponse:
    """Members, open invitations, and the form to invite.

    Context: ``people`` (list of {member, role_label, team_names, is_me, may_change}), ``invitations``,
    ``form``, ``role_choices``; after inviting also ``invited`` {email, url, was_mailed, mail_problem}.
    """
    teams = queries.teams(request.actor)
    form = InviteForm(request.POST or None, giver=request.actor.role, teams=teams)
    invited = None
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            made = actions.invite(
                request.actor,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                name=form.cleaned_data["name"],
                team_ids=form.cleaned_data.get("teams", ()),
            )
            # The token is known now and never again, so the link is shown on this answer.
            invited = _hand_over(request, made)
            form = InviteForm(giver=request.actor.role, teams=teams)
    names = {team.id: team.name for team in teams}
    context = {
        "people": [_line(request, member, names) for member in queries.members(request.actor)],
        "invitations": queries.open_invitations(request.actor),
        "form": form,
        "invited": invited,
        "role_choices": role_choices(request.actor.role),
        "role_labels": {role.value: label for role, (label, _meaning) in ROLES.items()},
    }
    return render(request, "organizations/members.html", context, status=422 if form.errors else 200)


def _line(request: MemberRequest, member: MemberLine, team_names: dict[int, str]) -> dict[str, Any]:
    return {
        "member": member,
        "role_label": ROLES[member.role][0],
        "team_names": [team_names[team_id] for team_id in member.team_ids if team_id in team_names],
        "is_me": member.id == request.actor.member_id,
        "may_change": rules.may_change(request.actor.role, member.role),
    }


def _hand_over(request: MemberRequest, made: Invited) -> dict[str, Any]:
    shown = {
        "email": made.email,
        "url": f"{settings.HEARD_URL}{made.path}",
        "was_mailed": False,
        "mail_problem": "",
    }
    if not mail.is_set_up():
        return shown
    try:
        mail.send_invitation(
            email=made.email,
            token=made.token,
            organization_name=queries.company(request.actor).name,
            invited_by=request.actor.name,
            expires_at=made.expires_at,
        )
    except mail.MailFailed as refusal:
        return {**shown, "mail_problem": refusal.message}
    return {**shown, "was_mailed": True}


@require_POST
@member_required(Permission.MANAGE_MEMBERS)
def change_role(request: MemberRequest, member_id: int) -> HttpResponse:
    """Give a member another role."""
    form = RoleForm(request.POST, giver=request.actor.role)
    if not form.is_valid():
        return _back(request, problem=_("Choose one of the roles that you may give."))
    role = Role(form.cleaned_data["role"])
    return _try(
        request, lambda: actions.change_role(request.actor, member_id, role), done=_("The role was changed.")
    )


@require_POST
@member_required(Permission.MANAGE_MEMBERS)
def remove_member(request: MemberRequest, member_id: int) -> HttpResponse:
    """End a membership, at once."""
    return _try(
        request,
        lambda: actions.remove_member(request.actor, member_id),
        done=_("The member was removed and is signed out. A new invitation brings them back."),
    )


@require_POST
@member_required(Permission.MANAGE_MEMBERS)
def withdraw_invitation(request: MemberRequest, invitation_id: int) -> HttpResponse:
    """The link works no longer."""
    return _try(
        request,
        lambda: actions.withdraw_invitation(request.actor, invitation_id),
        done=_("The invitation was withdrawn. Its link no longer works."),
    )


def _try(request: MemberRequest, act: Callable[[], None], *, done: str) -> HttpResponse:
    """Do it and go back to the list, with a sentence on what came of it. "Not found" stays a 404."""
    try:
        act()
    except HeardError as refusal:
        if refusal.status == 404:
            raise
        return _back(request, problem=refusal.message)
    messages.success(request, done)
    return redirect("organizations:members")


def _back(request: MemberRequest, *, problem: str) -> HttpResponse:
    messages.error(request, problem)
    return redirect("organizations:members")
