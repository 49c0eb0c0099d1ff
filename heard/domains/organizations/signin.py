"""How django-allauth is used here: nobody signs up by themselves, and an address proves nothing unverified.

Sign-up is closed except through an invitation or the first run, which make users in ``actions``.
OpenID Connect lets in whose *verified* address is a member's or was invited.
"""

from __future__ import annotations

import smtplib
from functools import partial
from typing import Any, cast

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from heard.domains.organizations import actions, mail, queries
from heard.domains.organizations.models import User
from heard.foundation import clock, equipment
from heard.foundation.net.for_requests import guarded_session

PROVIDER_SECONDS = 10
CHOSEN = "organization_id"
"""The session key of the organization that was switched to."""


def enter(request: HttpRequest, user_id: int, *, to: str) -> HttpResponse:
    """Sign a user in after a link or an invitation; second factors are still asked for.

    Whoever was signed in before is signed out first. Ends at ``to``.
    """
    user = User.objects.get(pk=user_id)
    if request.user.is_authenticated and request.user.pk != user_id:
        logout(request)
    return cast("HttpResponse", perform_login(request, user, redirect_url=to))


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no annotations to build on
    """Passwords, sessions and mail."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # One sentence for an unknown address and for a wrong password.
        "email_password_mismatch": _("This e-mail address and this password do not belong together."),
        "too_many_login_attempts": _("Too many attempts that failed. Wait five minutes, then try again."),
        "rate_limited": _("Too many requests in a short time. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Never: members come by invitation."""
        return False

    def new_user(self, request: HttpRequest) -> User:  # noqa: ARG002 - allauth's signature
        """A user that is not saved yet."""
        return User(date_joined=clock.now())

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or say plainly that no mail leaves: the page must not promise one that never comes."""
        if not mail.is_set_up():
            raise ImmediateHttpResponse(_no_mail(self.request, status=200))
        try:
            super().send_mail(template_prefix, email, context)
        except (smtplib.SMTPException, OSError) as error:
            raise ImmediateHttpResponse(_no_mail(self.request, status=502, failed=True)) from error


def _no_mail(request: HttpRequest, *, status: int, failed: bool = False) -> HttpResponse:
    return render(request, "organizations/no_mail.html", {"failed": failed}, status=status)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # as above
    """Second factors: their secrets are encrypted under the installation's key, like all others."""

    def encrypt(self, text: str) -> str:
        """What is stored of a secret."""
        return actions.seal_factor(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret that was stored."""
        return actions.open_factor(encrypted_text)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # as above
    """OpenID Connect."""

    def get_requests_session(self) -> requests.Session:
        """What the library asks a provider, and wherever that one sends us, passes the guard."""
        session = guarded_session(equipment.net())
        session.request = partial(session.request, timeout=PROVIDER_SECONDS)  # type: ignore[method-assign]
        return session

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """The user whose own address the provider has verified. Invitations for it are accepted.

        An account made under an address that was never verified may be somebody else's: what let
        them in before ends here.
        """
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            return None  # a signed-in user adds a way in to their own account, whatever its address
        for email in _verified(sociallogin):
            found = actions.accept_by_verified_email(email, name=_name_of(sociallogin))
            user = found or User.objects.filter(email=email, is_active=True).first()
            if user is None or queries.signed_in(user.pk, None) is None:
                continue
            if actions.claim_by_verified_email(user.pk):
                messages.warning(
                    self.request,
                    _(
                        "Your address was not confirmed before, so the earlier password no longer works. "
                        "You can set a new one in your profile."
                    ),
                )
            user.refresh_from_db()
            return user, email
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let nobody in who is a member of nothing, however well the provider knows them."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        user = sociallogin.user
        if user is not None and user.pk is not None:
            if queries.signed_in(user.pk, None) is not None:
                return
            # Removed, and perhaps invited again.
            if any(
                actions.accept_by_verified_email(email, name="") is not None
                for email in _verified(sociallogin)
                if email == user.email
            ):
                return
        raise ImmediateHttpResponse(_not_invited(request, sociallogin))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:  # noqa: ARG002
        """Never: whom an invitation lets in has a user by now."""
        return False


def _not_invited(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    given = [address.email for address in sociallogin.email_addresses]
    context = {"email": given[0] if given else "", "is_verified": bool(_verified(sociallogin))}
    return render(request, "organizations/not_invited.html", context, status=403)


def _verified(sociallogin: SocialLogin) -> list[str]:
    # Some providers write the claim as text; only a true one counts.
    return [
        address.email.strip().lower() for address in sociallogin.email_addresses if address.verified is True
    ]


def _name_of(sociallogin: SocialLogin) -> str:
    data = sociallogin.account.extra_data
    claims = data.get("userinfo") or data.get("id_token") or data
    return str(claims.get("name") or claims.get("preferred_username") or "")
