"""One address, several answers: a whole page for a browser, one region for htmx that asks for it."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers


def template_for(request: HttpRequest, page: str, regions: Mapping[str, str]) -> str:
    """The template that answers this request: the region htmx wants to fill, else the whole page.

    ``regions`` maps the id of an element (``"messages"``) to its template. A restored history entry
    and an unknown target get the whole page.
    """
    headers = request.headers
    if headers.get("HX-Request") != "true" or headers.get("HX-History-Restore-Request") == "true":
        return page
    _tag, _hash, element_id = headers.get("HX-Target", "").partition("#")
    return regions.get(element_id, page)


def varied(response: HttpResponse) -> HttpResponse:
    """Tell caches that the answer depends on who asked for which part; else Back shows a fragment."""
    patch_vary_headers(response, ["HX-Request", "HX-Target", "HX-History-Restore-Request"])
    return response
