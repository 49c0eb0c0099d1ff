"""What this room shows elsewhere: the switch and the list on every page, and why nothing leaves."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from heard.domains.channels import queries as channels
from heard.domains.organizations.queries import Permission, may
from heard.domains.outbox import queries
from heard.foundation.tenancy import Actor
from heard.ui.offers import offer_banners, offer_navigation
from heard.ui.shapes import Banner, NavItem

SWITCH = "/outbox/switch/"


@offer_navigation("", 20)
def outbox_doors(actor: Actor) -> Iterable[NavItem]:
    """What needs people, and the one switch: visible on every page, for all who may see messages."""
    if not may(actor, Permission.VIEW_INBOX):
        return
    waiting = sum(queries.counts_needing_people(actor).values())
    yield NavItem(_("Outbox"), "/outbox/", "send", waiting or None, bar_title=_("Outbox"))
    if queries.open_holds(actor.organization_id):
        yield NavItem(_("Stopped"), SWITCH, "octagon-pause", bar_title=_("Stopped"))
    else:
        yield NavItem(_("Stop everything"), SWITCH, "octagon-pause", bar_title=_("Stop"))


@offer_banners
def open_holds(actor: Actor) -> Iterable[Banner]:
    """Why nothing leaves, everywhere, until it is released."""
    holds = queries.open_holds(actor.organization_id)
    names = channels.channel_views(
        actor.organization_id, [hold.channel_id for hold in holds if hold.channel_id]
    )
    for hold in holds:
        if hold.channel_id:
            text = _("Sending is stopped for %(scope)s: %(reason)s") % {
                "scope": names[hold.channel_id].name,
                "reason": hold.reason,
            }
        else:
            text = _("Sending is stopped for everything: %(reason)s") % {"reason": hold.reason}
        yield Banner(text, "danger", SWITCH, _("Details"), "octagon-pause")
