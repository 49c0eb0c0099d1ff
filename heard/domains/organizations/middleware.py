"""Who acts: decided once per request, from the session's user and the organization they chose."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from heard.domains.organizations import actions, queries
from heard.domains.organizations.signin import CHOSEN
from heard.foundation import clock
from heard.foundation.logging import logger
from heard.foundation.net.for_requests import NotReached

log = logger(__name__)
Answer = Callable[[HttpRequest], HttpResponse]


def actor(get_response: Answer) -> Answer:
    """Set ``request.actor`` (``None``: nobody, or a member of nothing) and ``request.memberships``.

    It is looked up on every request, so whoever was removed is out with their next click.
    """

    class Actor:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            found = None
            if request.user.is_authenticated:
                found = queries.signed_in(request.user.pk, request.session.get(CHOSEN))
            request.actor = found.actor if found else None  # type: ignore[attr-defined]
            request.memberships = found.memberships if found else ()  # type: ignore[attr-defined]
            if found and _is_long_ago(found):
                actions.note_seen(found.actor)
            with _times_of(found):
                return _leave_by_page(request, get_response(request))

        def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
            return _provider_failed(request, exception)

    return Actor()


def _times_of(found: queries.SignedIn | None) -> AbstractContextManager[None]:
    """While the page is made: times as the organization's clocks say them, not as the server's."""
    return timezone.override(ZoneInfo(found.timezone)) if found else nullcontext()


def _is_long_ago(found: queries.SignedIn) -> bool:
    return found.last_seen_at is None or clock.now() - found.last_seen_at > actions.SEEN_AGAIN_AFTER


def _leave_by_page(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Leave for an identity provider from a page of its own.

    Browsers apply ``form-action 'self'`` to redirects after a form too, and would stop there.
    """
    match = request.resolver_match
    if response.status_code != 302 or match is None or match.url_name != "openid_connect_login":
        return response
    url = response["Location"]
    if urlsplit(url).netloc in {"", request.get_host()}:
        return response
    page = render(request, "organizations/leaving.html", {"url": url, "host": urlsplit(url).netloc})
    page["Refresh"] = f"0; url={url}"
    page.cookies.update(response.cookies)
    return page


def _provider_failed(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """A provider that is down, or answers with something else than it should, is a page with a sentence."""
    match = request.resolver_match
    if match is None or not (match.url_name or "").startswith("openid_connect_"):
        return None
    # All that the HTTP client raises is an OSError; a KeyError: its description of itself lacks an address.
    if not isinstance(exception, OSError | KeyError):
        return None
    reason = exception.message if isinstance(exception, NotReached) else ""
    log.warning("identity_provider_failed", problem=type(exception).__name__, reason=reason)
    return render(request, "organizations/provider_failed.html", status=502)
