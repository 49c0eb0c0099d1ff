"""The words templates use to draw: icons, avatars, times, addresses. Nothing here asks a database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from django import template
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from heard.ui import offers
from heard.ui.build import network_names
from heard.ui.drawing import DAY, draw, reader, since, span
from heard.ui.shapes import TINTS, Bubble, NavSection, Row, initials_of, tint_of

register = template.Library()

# Arrows of direction turn with the script; all other signs look the same both ways.
DIRECTED = frozenset(
    {"chevron-left", "chevron-right", "corner-down-right", "reply", "send", "log-out", "undo-2"}
)
PREFERENCES = {
    "theme": ("heard_theme", frozenset({"light", "dark"})),
    "density": ("heard_density", frozenset({"compact"})),
    "person": ("heard_person", frozenset({"closed"})),
}


@lru_cache(maxsize=1)
def _marks() -> frozenset[str]:
    return frozenset(network_names())


@register.simple_tag(takes_context=True)
def slot(context: template.Context, name: str, subject: object = None) -> SafeString:
    """What higher rooms show here, in order: ``{% slot "person" person.contact_id %}``; see ``ui.offers``."""
    # Each panel renders a template of its own, so its text is escaped already.
    return mark_safe("".join(offers.panels(name, context.get("actor"), subject)))  # noqa: S308


@register.simple_tag
def rows(rows: Sequence[Row]) -> SafeString:
    """Cases in a list: ``{% rows rows %}``."""
    by = reader()
    return mark_safe(  # noqa: S308 - joined from what templates escaped
        "".join(draw("ui/parts/row.html", "row", row, by, ages=(row.at, row.waiting_since)) for row in rows)
    )


@register.simple_tag
def section(section: NavSection) -> SafeString:
    """Doors that belong together: ``{% section section %}``."""
    return draw("ui/parts/nav_section.html", "section", section, reader())


@register.simple_tag
def words(template_name: str) -> SafeString:
    """A template that holds words and nothing else: ``{% words "ui/parts/texts.html" %}``."""
    return draw(template_name, "nothing", None, reader())


LONGEST_REMEMBERED = 8_000
"""Characters. A long mail is drawn each time: few of them would fill the memory."""


@register.simple_tag
def bubble(bubble: Bubble) -> SafeString:
    """One thing said, or one that happened: ``{% bubble bubble %}``."""
    if bubble.undo_until or len(bubble.html) + len(bubble.text) > LONGEST_REMEMBERED:
        # A countdown counts from this moment.
        return render_to_string("ui/parts/bubble.html", {"bubble": bubble})
    return draw("ui/parts/bubble.html", "bubble", bubble, reader())


@register.filter(is_safe=True)
def sentence_case(title: str) -> str:
    """A library's English title in our case; what is written in capitals, and other languages, as they are.

    >>> sentence_case("Two-Factor Authentication by QR Code")
    'Two-factor authentication by QR code'
    """
    title = title.strip()
    if not (get_language() or "en").startswith("en"):
        return title
    return title[:1] + re.sub(r"\b[A-Z](?=[a-z])", lambda found: found[0].lower(), title[1:])


@register.simple_tag
def icon(name: str, label: str = "", *, size: str = "") -> SafeString:
    """An icon of the sprite; silent for assistive technology unless ``label`` says what it means.

    ``size`` is "", "small" (13 px) or "large" (20 px).
    """
    classes = "icon" + (f" icon-{size}" if size else "") + (" icon-directed" if name in DIRECTED else "")
    return _use(classes, name, label)


@register.simple_tag
def network_icon(network: str, label: str = "") -> SafeString:
    """The mark of a network; a globe for one that has none of its own."""
    if network in _marks():
        return _use(f"network-icon network-{network}", f"network-{network}", label)
    return _use("network-icon network-other", "globe", label)


# A page of the inbox draws a hundred and fifty of the same few.
@lru_cache(maxsize=1000)
def _use(classes: str, symbol: str, label: str) -> SafeString:
    told = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" {}><use href="{}#{}"/></svg>', classes, told, static("ui/icons.svg"), symbol
    )


@register.simple_tag
def avatar(name: str, kind: str, key: object, size: str = "") -> SafeString:
    """The avatar of a member or contact by name and id: ``{% avatar member.name "member" member.id %}``."""
    tint = tint_class(tint_of(f"{kind}:{key}"))
    classes = f"avatar {tint}" + (f" avatar-{size}" if size else "")
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, initials_of(name))


@register.filter
def tenth(amount: int) -> float:
    """A tenth of an amount: where a meter begins to be low."""
    return amount / 10


@register.filter
def tint_class(tint: object) -> str:
    """``tint-0`` to ``tint-5``; anything else is brought into range, so that a class always exists."""
    return f"tint-{int(str(tint)) % TINTS}"


@register.filter
def depth_class(depth: int) -> str:
    """The indentation of an answer in a tree: four steps, then no further (a phone has no room)."""
    return f"depth-{min(depth, 4)}" if depth > 0 else ""


def short_span(seconds: float) -> str:
    """A span in its largest unit: "now", "8m", "5h", "3d"."""
    unit, n = span(seconds)
    if not unit:
        return _("now")
    return {"m": _("%(n)dm"), "h": _("%(n)dh"), "d": _("%(n)dd")}[unit] % {"n": n}


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """A ``<time>``: relative under a day ("8m", kept fresh by the page), then the date."""
    if moment is None:
        return mark_safe("")
    seconds = since(moment)
    at = _written(moment)
    if seconds < DAY:
        return format_html(
            '<time datetime="{}" title="{}" data-ago>{}</time>', at.iso, at.full, short_span(seconds)
        )
    return format_html('<time datetime="{}" title="{}">{}</time>', at.iso, at.full, at.day)


class _Written(NamedTuple):
    """A moment in a reader's own zone and language; the year is left out of ``day`` while it is this one."""

    iso: str
    full: str
    day: str
    hour: str
    date: date


def _written(moment: datetime) -> _Written:
    zone = timezone.get_current_timezone()
    return _write(moment, zone, timezone.localdate().year, get_language() or "")


# A list is drawn again whenever something arrives, nearly always with the same moments in it.
@lru_cache(maxsize=8192)
def _write(moment: datetime, zone: tzinfo, year: int, _language: str) -> _Written:
    local = timezone.localtime(moment, zone)
    return _Written(
        moment.isoformat(),
        formats.date_format(local, "DATETIME_FORMAT"),
        formats.date_format(local, "MONTH_DAY_FORMAT" if local.year == year else "SHORT_DATE_FORMAT"),
        formats.time_format(local, "H:i"),
        local.date(),
    )


@register.simple_tag
def seconds_until(moment: datetime) -> int:
    """Whole seconds from now until a moment, never negative: a countdown that trusts no browser's clock."""
    return max(0, round((moment - datetime.now(UTC)).total_seconds()))


@register.simple_tag
def span_since(moment: datetime | None) -> str:
    """The bare text of how long ago something was: "8m"."""
    return "" if moment is None else short_span(since(moment))


@register.simple_tag
def clock(moment: datetime | None, *, day: bool = True) -> SafeString:
    """A ``<time>`` with the hour of day today, with the date before (unless the day stands above it
    anyway: ``day=False``); never relative."""
    if moment is None:
        return mark_safe("")
    at = _written(moment)
    text = at.hour
    if day and at.date != timezone.localdate():
        text = f"{at.day}, {text}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.iso, at.full, text)


@register.filter
def without_placeholder(field: BoundField) -> BoundField:
    """A form's field as we draw it: what it is stands above it, not in it, where it vanishes."""
    field.field.widget.attrs.pop("placeholder", None)
    return field


@register.simple_tag
def day_label(moment: datetime) -> str:
    """The name of a day in a thread: "Today", "Yesterday", or the date."""
    at = _written(moment)
    days = (timezone.localdate() - at.date).days
    return {0: _("Today"), 1: _("Yesterday")}.get(days) or at.day


@register.simple_tag(takes_context=True)
def query_string(context: template.Context, **changes: Any) -> str:
    """This page's query with some parameters changed (``None`` takes one out): ``?a=1&b=2``."""
    request = context.get("request")
    query = QueryDict(mutable=True) if request is None else request.GET.copy()
    for key, value in changes.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = str(value)
    encoded = query.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.simple_tag(takes_context=True)
def preferences(context: template.Context) -> SafeString:
    """What this browser chose before (light or dark, density, closed panes), as attributes of the root.

    It comes from cookies so that the first paint is right without a script in the page.
    """
    request: HttpRequest | None = context.get("request")
    if request is None:
        return mark_safe("")
    chosen = [
        format_html(' data-{}="{}"', name, request.COOKIES[cookie])
        for name, (cookie, allowed) in PREFERENCES.items()
        if request.COOKIES.get(cookie) in allowed
    ]
    return mark_safe("".join(chosen))  # noqa: S308  # each piece was escaped above
