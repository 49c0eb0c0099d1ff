"""Pages for people who are not in yet: first run, links, invitations."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from heard.domains.organizations import actions, mail, queries, signin
from heard.domains.organizations.forms import AcceptForm, SetupForm, SetupTokenForm
from heard.domains.organizations.queries import OpenedInvitation
from heard.domains.organizations.rules import InvitationState, LinkPurpose
from heard.foundation.errors import NotAllowed, NotFound
from heard.foundation.refusals import refusals_on


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """The first-run page. There is none once an organization exists.

    Context: ``form`` (``SetupForm``), or ``token_form`` while no valid token was given.
    """
    if queries.is_set_up():
        raise Http404
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")
    if not queries.setup_token_holds(token):
        return _ask_for_token(request, was_wrong=bool(token))
    form = SetupForm(request.POST if "name" in request.POST else None, initial={"token": token})
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        with refusals_on(form):
            try:
                founded = actions.set_up(
                    given["token"],
                    name=given["name"],
                    timezone=given["timezone"],
                    owner_name=given["owner_name"],
                    owner_email=given["email"],
                    owner_password=given["password"],
                    teams=given["teams"],
                )
            except NotAllowed:
                return _ask_for_token(request, was_wrong=True)
            return signin.enter(request, founded.user_id, to=settings.LOGIN_REDIRECT_URL)
    return render(request, "organizations/setup.html", {"form": form}, status=422 if form.errors else 200)


def _ask_for_token(request: HttpRequest, *, was_wrong: bool) -> HttpResponse:
    form = SetupTokenForm()
    if was_wrong:
        form = SetupTokenForm({"token": ""})
        form.errors["token"] = form.error_class(
            [_("This set-up token is not valid any more. Start Heard again to print a new one.")]
        )
    return render(request, "organizations/setup.html", {"token_form": form}, status=403 if was_wrong else 200)


@never_cache
@require_GET
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """A link from the operator's terminal: opening it signs in. Context of the refusal: ``message``."""
    try:
        entered = actions.use_sign_in_link(token, on_this_machine_only=_is_loopback(settings.HEARD_URL))
    except NotFound as refusal:
        return render(request, "organizations/link_over.html", {"message": refusal.message}, status=410)
    is_reset = entered.purpose is LinkPurpose.RESET
    to = reverse("account_set_password") if is_reset else settings.LOGIN_REDIRECT_URL
    return signin.enter(request, entered.user_id, to=to)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What an invited person sees.

    Context: ``invitation`` (``OpenedInvitation``) and, by case, ``form`` (somebody new), ``sign_in_url``
    (has an account), ``may_join`` (signed in with it), ``other_email`` (signed in with another).
    """
    opened = queries.invitation_of(token)
    if opened.state is not InvitationState.OPEN:
        return render(request, "organizations/invitation_over.html", {"invitation": opened}, status=410)
    if request.user.is_authenticated:
        return _join_signed_in(request, token, opened)
    if opened.has_user:
        url = f"{reverse('account_login')}?next={request.path}"
        return render(request, "organizations/invitation.html", {"invitation": opened, "sign_in_url": url})
    form = AcceptForm(request.POST or None, initial={"name": opened.name})
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            organization_id, user_id = actions.accept_as_new_user(
                token,
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
                is_verified=mail.proves_mail(token, request.GET.get("mailed", "")),
            )
            response = signin.enter(request, user_id, to=settings.LOGIN_REDIRECT_URL)
            request.session[signin.CHOSEN] = organization_id
            return response
    context = {"invitation": opened, "form": form}
    return render(request, "organizations/invitation.html", context, status=422 if form.errors else 200)


def _join_signed_in(request: HttpRequest, token: str, opened: OpenedInvitation) -> HttpResponse:
    email = getattr(request.user, "email", "")
    if email != opened.email:
        if request.method == "POST":
            logout(request)
            return redirect(request.get_full_path())
        return render(request, "organizations/invitation.html", {"invitation": opened, "other_email": email})
    if request.method == "POST" and request.user.pk is not None:
        request.session[signin.CHOSEN] = actions.accept_as_user(token, request.user.pk)
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "organizations/invitation.html", {"invitation": opened, "may_join": True})
