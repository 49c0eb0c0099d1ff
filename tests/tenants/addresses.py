"""Every address of the product, as the walks ask for them."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def routes_but(*beginnings: str) -> list[str]:
    """The routes, as they are written, that begin with none of these."""
    return sorted(
        {route for route in _routes(get_resolver().url_patterns) if not route.startswith(beginnings)}
    )
