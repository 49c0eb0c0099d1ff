"""What this room shows elsewhere: the bell."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from heard.domains.notifications import queries
from heard.foundation.tenancy import Actor
from heard.ui.offers import offer_navigation
from heard.ui.shapes import NavItem


@offer_navigation("", 90)
def bell(actor: Actor) -> Iterable[NavItem]:
    """The door to what one was told, with how much of it is new."""
    count = queries.unread(actor)
    return [NavItem(_("Notifications"), "/notifications/", "bell", count or None)]
