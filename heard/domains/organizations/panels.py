"""What this room shows elsewhere: its pages among the settings, and the doors to them."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from heard.domains.organizations.queries import Permission, may
from heard.foundation.tenancy import Actor
from heard.ui.offers import offer_navigation, offer_settings
from heard.ui.shapes import NavItem


@offer_navigation("", 80)
def house_doors(actor: Actor) -> Iterable[NavItem]:
    """The record, for those who may read it, and the settings."""
    if may(actor, Permission.VIEW_JOURNAL):
        yield NavItem(_("Record"), "/journal/", "scroll-text")
    yield NavItem(_("Settings"), "/settings/", "settings", bar_title=_("Settings"))


@offer_settings("Company", 10)
def company_pages(actor: Actor) -> Iterable[NavItem]:
    """The pages about the company that this member may open."""
    pages = [
        (Permission.MANAGE_ORGANIZATION, NavItem(_("Organization"), "/settings/organization/", "building-2")),
        (Permission.MANAGE_MEMBERS, NavItem(_("Members"), "/settings/members/", "users-round")),
        (Permission.MANAGE_TEAMS, NavItem(_("Teams"), "/settings/teams/", "layers")),
        (Permission.MANAGE_CHANNELS, NavItem(_("Brands"), "/settings/brands/", "tag")),
    ]
    return [item for permission, item in pages if may(actor, permission)]


@offer_settings("You", 90)
def own_pages(_actor: Actor) -> Iterable[NavItem]:
    """One's own account."""
    return [NavItem(_("Profile"), "/settings/profile/", "circle-user-round")]
