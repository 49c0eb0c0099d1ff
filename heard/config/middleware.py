"""The request edge: security headers, request log, and rooms' exceptions turned into answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware

from heard.config import options, pages
from heard.domains.journal import queries as journal
from heard.foundation import metrics
from heard.foundation.asked import remembering
from heard.foundation.errors import HeardError
from heard.foundation.logging import logger
from heard.ui.policy import POLICY

log = logger(__name__)
Answer = Callable[[HttpRequest], HttpResponse]


def edge(get_response: Answer) -> Answer:
    """Headers on every answer, and one log line per request: from where, which route; never query or body."""

    def handle(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = get_response(request)
        seconds = time.perf_counter() - started
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
        )
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        match = request.resolver_match
        route = match.route if match else "-"
        metrics.HTTP_REQUESTS.labels(
            method=request.method or "-", route=route, status=str(response.status_code)
        ).inc()
        metrics.HTTP_SECONDS.labels(route=route).observe(seconds)
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            client=_client(request),
        )
        return response

    return handle


def _client(request: HttpRequest) -> str:
    """The address that asked, as the proxy says where one is trusted: it speaks last."""
    said = request.headers.get("X-Forwarded-For", "") if options.TRUST_PROXY.is_on else ""
    return said.rpartition(",")[2].strip()[:45] or request.META.get("REMOTE_ADDR", "")


def packed(get_response: Answer) -> Answer:
    """Pages and fragments travel compressed; pictures and downloads already are, or are streamed.

    Django pads what it packs by a random length, and its form tokens differ on every page (BREACH).
    """
    gzip = GZipMiddleware(get_response)

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        kind = response.headers.get("Content-Type", "")
        if response.streaming or not kind.startswith(("text/", "application/json")):
            return response
        return cast("HttpResponse", gzip.process_response(request, response))

    return handle


def asked(get_response: Answer) -> Answer:
    """A page that changes nothing asks each question once."""

    def handle(request: HttpRequest) -> HttpResponse:
        with remembering() if request.method in {"GET", "HEAD"} else nullcontext():
            return get_response(request)

    return handle


def errors(get_response: Answer) -> Answer:
    """Rooms raise a few named exceptions; this is the one place where they become answers."""

    class Errors:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
            if isinstance(exception, HeardError):
                return pages.error_answer(request, exception)
            return None

    return Errors()


def position(get_response: Answer) -> Answer:
    """Note, before a page is made, how far the record had come: its live line goes on from there.

    Read afterwards, what happened while the page was being made would be neither on it nor told to it.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        actor = getattr(request, "actor", None)
        if actor is not None and request.method == "GET" and request.headers.get("HX-Request") != "true":
            request.position = journal.end_of(actor.organization_id)  # type: ignore[attr-defined]
        return get_response(request)

    return handle
