"""What rooms offer to the frame of every page: doors in the navigation, settings pages, banners.

A room's ``panels.py`` registers functions here; each is asked for the acting member, loads and fails
alone. Lower rooms' pages thus show higher things without knowing them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from heard.ui.shapes import Banner, NavItem, NavSection

log = structlog.get_logger(__name__)
Navigation = Callable[[Any], Iterable[NavItem]]
Banners = Callable[[Any], Iterable[Banner]]
Panel = Callable[[Any, Any], str]


@dataclass(frozen=True, slots=True)
class _Offer:
    section: str
    order: int
    make: Navigation


_navigation: list[_Offer] = []
_settings: list[_Offer] = []
_banners: list[Banners] = []
_panels: dict[str, list[tuple[int, Panel]]] = {}


def offer_navigation(section: str, order: int) -> Callable[[Navigation], Navigation]:
    """Register doors for the main navigation: ``@offer_navigation("Work", 30)``."""

    def register(make: Navigation) -> Navigation:
        _navigation.append(_Offer(section, order, make))
        return make

    return register


def offer_settings(section: str, order: int) -> Callable[[Navigation], Navigation]:
    """Register pages of the settings."""

    def register(make: Navigation) -> Navigation:
        _settings.append(_Offer(section, order, make))
        return make

    return register


def offer_banners(make: Banners) -> Banners:
    """Register banners that every page shows (a hold, a refused account)."""
    _banners.append(make)
    return make


def panel(slot: str, order: int = 50) -> Callable[[Panel], Panel]:
    """Register a panel for a named slot: called with (actor, subject), answers safe HTML or ``""``."""

    def register(make: Panel) -> Panel:
        _panels.setdefault(slot, []).append((order, make))
        return make

    return register


def _sections(offers: Sequence[_Offer], actor: Any, path: str) -> list[NavSection]:
    found: dict[str, list[NavItem]] = {}
    for offer in sorted(offers, key=lambda item: item.order):
        try:
            items = list(offer.make(actor))
        except Exception:
            log.exception("navigation_failed", section=offer.section)
            continue
        found.setdefault(offer.section, []).extend(items)
    # Of two doors that lead here (/outbox/ and /outbox/switch/) the nearer one is where one stands.
    here = max(
        (item.url for items in found.values() for item in items if path.startswith(item.url)),
        key=len,
        default="",
    )
    return [
        NavSection(title, tuple(replace(item, is_current=item.url == here) for item in items))
        for title, items in found.items()
        if items
    ]


def navigation(actor: Any, path: str) -> list[NavSection]:
    """The doors for this member, by section."""
    return _sections(_navigation, actor, path)


def settings_pages(actor: Any, path: str) -> list[NavSection]:
    """The settings pages for this member, by section."""
    return _sections(_settings, actor, path)


def banners(actor: Any) -> list[Banner]:
    """What every page has to say to this member."""
    found: list[Banner] = []
    for make in _banners:
        try:
            found.extend(make(actor))
        except Exception:
            log.exception("banner_failed")
    return found


def panels(slot: str, actor: Any, subject: Any) -> list[str]:
    """The panels of a slot, in order; one that fails is left out and logged."""
    found = []
    for _, make in sorted(_panels.get(slot, ()), key=lambda pair: pair[0]):
        try:
            html = make(actor, subject)
        except Exception:
            log.exception("panel_failed", slot=slot)
            continue
        if html:
            found.append(html)
    return found
