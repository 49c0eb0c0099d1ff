"""One's own account, and which organization one works in now."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from heard.domains.organizations import actions, mail, queries
from heard.domains.organizations.forms import ROLES, ProfileForm
from heard.domains.organizations.queries import MemberRequest, member_required
from heard.domains.organizations.signin import CHOSEN
from heard.foundation.errors import NotFound
from heard.foundation.refusals import refusals_on


@require_http_methods(["GET", "POST"])
@member_required()
def profile(request: MemberRequest) -> HttpResponse:
    """One's own name and ways in.

    Context: ``form``, ``profile`` (``queries.Profile``), ``role_label``, ``memberships``,
    ``sends_mail``. The pages behind the ways in are django-allauth's, by their own names
    (``account_change_password``, ``mfa_index``, ``mfa_list_webauthn``, …).
    """
    found = queries.profile(request.actor)
    form = ProfileForm(request.POST or None, initial={"name": found.name})
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.rename_member(request.actor, form.cleaned_data["name"])
            messages.success(request, _("Saved."))
            return redirect("organizations:profile")
    context = {
        "form": form,
        "profile": found,
        "role_label": ROLES[request.actor.role][0] if request.actor.role else "",
        "memberships": request.memberships,
        "sends_mail": mail.is_set_up(),
        "has_providers": bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]),
    }
    return render(request, "organizations/profile.html", context, status=422 if form.errors else 200)


@require_POST
@member_required()
def sign_out_elsewhere(request: MemberRequest) -> HttpResponse:
    """End all other sessions of this account."""
    actions.end_sessions(request.actor)
    if request.user.is_authenticated:
        request.user.refresh_from_db()
        update_session_auth_hash(request, request.user)
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("organizations:profile")


@require_POST
@member_required()
def switch(request: MemberRequest, slug: str) -> HttpResponse:
    """Work in another organization from now on."""
    for membership in request.memberships:
        if membership.slug == slug:
            request.session[CHOSEN] = membership.organization_id
            return redirect(settings.LOGIN_REDIRECT_URL)
    raise NotFound(_("There is no such organization, or you are not a member of it."))
