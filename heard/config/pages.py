"""Error pages and the operator's metrics. Errors of rooms become pages, fragments or JSON here only."""

from __future__ import annotations

import hmac

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from heard.config import gauges, options
from heard.foundation import metrics as foundation_metrics
from heard.foundation.errors import HeardError

_TITLES = {
    400: "That did not arrive whole",
    403: "Not allowed",
    404: "Not found",
    409: "It changed meanwhile",
    503: "Not just now",
}


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _answer(request: HttpRequest, status: int, message: str, template: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"error": message}, status=status)
    context = {"status": status, "title": _TITLES.get(status, "That did not work"), "message": message}
    if request.headers.get("HX-Request"):
        # A fragment: it stands next to what caused it, and the page is not replaced.
        response = render(request, "ui/parts/problem.html", context, status=status)
        response["HX-Reswap"] = "none"
        response["X-Heard-Problem"] = message.encode("ascii", "xmlcharrefreplace").decode()
        return response
    return render(request, template, context, status=status)


def error_answer(request: HttpRequest, error: HeardError) -> HttpResponse:
    """What a room's exception becomes."""
    template = {403: "ui/errors/403.html", 404: "ui/errors/404.html"}.get(error.status, "ui/errors/400.html")
    return _answer(request, error.status, error.message, template)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """400."""
    return _answer(
        request, 400, "The request could not be read. Go back and try again.", "ui/errors/400.html"
    )


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403."""
    return _answer(request, 403, "You may not open this. Ask an owner of your company.", "ui/errors/403.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404."""
    return _answer(request, 404, "There is nothing here, or it is not yours to see.", "ui/errors/404.html")


def broken(request: HttpRequest) -> HttpResponse:
    """500."""
    return _answer(
        request, 500, "Something broke on our side. What you typed is kept; try again.", "ui/errors/500.html"
    )


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. With a token set: that token; else from this machine only."""
    token = options.METRICS_TOKEN.value
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if token:
        allowed = hmac.compare_digest(given.encode(), token.encode())
    else:
        allowed = request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"} and not request.headers.get(
            "X-Forwarded-For"
        )
    if not allowed:
        return HttpResponse("Not allowed.\n", status=403, content_type="text/plain")
    gauges.fill()
    body, content_type = foundation_metrics.exposition()
    return HttpResponse(body, content_type=content_type)
