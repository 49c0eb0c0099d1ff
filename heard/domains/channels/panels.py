"""What this room shows elsewhere: its pages among the settings, and refused accounts on every page."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from heard.domains.channels import queries
from heard.domains.organizations.queries import Permission, may
from heard.foundation.tenancy import Actor
from heard.ui.offers import offer_banners, offer_settings
from heard.ui.shapes import Banner, NavItem


@offer_settings("Company", 5)
def channel_pages(actor: Actor) -> Iterable[NavItem]:
    """The accounts, for everybody who works in the inbox."""
    if may(actor, Permission.VIEW_INBOX):
        yield NavItem(_("Channels"), "/settings/channels/", "plug")


@offer_banners
def refused_accounts(actor: Actor) -> Iterable[Banner]:
    """Accounts that hear nothing until somebody connects them again: everybody must know."""
    may_manage = may(actor, Permission.MANAGE_CHANNELS)
    for view in queries.refused(actor):
        text = _("%(name)s on %(network)s no longer accepts our credentials: nothing arrives from there.") % {
            "name": view.name or view.handle,
            "network": view.network_name,
        }
        here = f"/settings/channels/{view.channel_id}/"
        if may_manage:
            yield Banner(text, "danger", f"{here}reconnect/", _("Reconnect"), "circle-alert")
        else:
            yield Banner(text, "danger", here, _("Details"), "circle-alert")
