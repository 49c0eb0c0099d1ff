"""What every page knows: who acts, where, and what rooms offer for the navigation and the slots."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from heard import __version__


def page(request: HttpRequest) -> dict[str, Any]:
    """Context for the shell. Rooms add their own through slots (``panels.py``), never here."""
    return {
        "actor": getattr(request, "actor", None),
        "heard_version": __version__,
        "heard_url": settings.HEARD_URL,
    }
