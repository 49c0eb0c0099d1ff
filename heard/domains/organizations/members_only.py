"""The door to pages: signed in, a member of the chosen organization, and allowed.

It stands beside ``permissions`` and is handed to other rooms through ``queries``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.middleware import HtmxDetails

from heard.domains.organizations.permissions import Permission, require
from heard.foundation.errors import NotAllowed
from heard.foundation.tenancy import Actor, Role

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Membership:
    """One organization that the signed-in user works in."""

    organization_id: int
    organization_name: str
    slug: str
    member_id: int
    role: Role


class MemberRequest(HttpRequest):
    """A request as members' pages see it: the ``actor`` middleware has filled these in."""

    actor: Actor
    memberships: tuple[Membership, ...]
    htmx: HtmxDetails


MemberView = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def member_required(permission: Permission | None = None) -> Callable[[MemberView[P]], View[P]]:
    """Let only members of the chosen organization in, and of those only who has the permission.

    Who is not signed in is sent to the sign-in page and comes back afterwards; who is signed in but a
    member of nothing, or lacks the permission, gets ``NotAllowed``.
    """

    def decorate(view: MemberView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None:
                return _turn_away(request)
            if permission is not None:
                require(actor, permission)
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        return guarded

    return decorate


def _turn_away(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        raise NotAllowed(
            "You are signed in, but not a member of any organization here. "
            "Ask somebody who manages members to invite you again."
        )
    # Coming back to an address that only takes POST would be an error page: then start at home.
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else settings.LOGIN_REDIRECT_URL
    response = redirect_to_login(back, resolve_url(settings.LOGIN_URL))
    if request.headers.get("HX-Request"):
        # A fragment must not be replaced by the sign-in page: let the whole page go there.
        response.status_code = 401
        response["HX-Redirect"] = response["Location"]
        del response["Location"]
    return response
