"""What every page knows: who acts, where, and what rooms offer for its frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from heard import __version__
from heard.domains.journal import queries as journal
from heard.domains.organizations import queries as organizations
from heard.foundation.crypto import token_hash
from heard.foundation.tenancy import Actor
from heard.ui import offers
from heard.ui.shapes import NavItem, Shell, Viewer, initials_of, tint_of


def page(request: HttpRequest) -> dict[str, Any]:
    """The frame, made only where a template asks for it."""
    return {
        "actor": getattr(request, "actor", None),
        "shell": SimpleLazyObject(lambda: _shell(request)),
        "heard_version": __version__,
        "heard_url": settings.HEARD_URL,
    }


def _shell(request: HttpRequest) -> Shell | None:
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        return None
    company = organizations.company(actor)
    # The library's pages about one's own account are further pages of one's profile.
    path = "/settings/profile/" if request.path.startswith("/account/") else request.path
    sections = offers.navigation(actor, path)
    doors = [item for section in sections for item in section.items if item.bar_title]
    bottom = [
        NavItem(_("Inbox"), "/inbox/", "inbox", None, request.path.startswith(("/inbox/", "/c/"))),
        *(replace(item, title=item.bar_title) for item in doors[:3]),
    ]
    return Shell(
        organization_name=company.name,
        viewer=Viewer(
            name=actor.name,
            initials=initials_of(actor.name),
            tint=tint_of(f"member:{actor.member_id}"),
            status_line=str(actor.role.value).capitalize() if actor.role else "",
            profile_url="/settings/profile/",
            sign_out_url=reverse("account_logout"),
        ),
        sections=sections,
        bottom=bottom,
        banners=offers.banners(actor),
        events_url="/events",
        position=str(_position(request, actor)),
        stream_key=token_hash(f"{request.session.session_key}:{actor.organization_id}")[:16],
        settings=offers.settings_pages(actor, path) if path.startswith("/settings/") else (),
    )


def _position(request: HttpRequest, actor: Actor) -> int:
    """From where this page is told of changes: from before it was made, see ``middleware.position``."""
    noted: int | None = getattr(request, "position", None)
    return journal.end_of(actor.organization_id) if noted is None else noted
