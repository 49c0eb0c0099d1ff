"""Not now: which moments are offered, how one is read, and how it is said, in the organization's zone."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from heard.domains.inbox import rules
from heard.foundation import clock
from heard.foundation.errors import Invalid
from heard.ui.shapes import Choice


def said(until: datetime) -> str:
    """A moment to come, short: the hour today, the weekday within a week, else the date."""
    local, today = timezone.localtime(until), timezone.localdate()
    hour = formats.time_format(local, "H:i")
    days = (local.date() - today).days
    if days == 0:
        return hour
    if 0 < days < 7:
        return f"{formats.date_format(local, 'D')} {hour}"
    day = "MONTH_DAY_FORMAT" if local.year == today.year else "SHORT_DATE_FORMAT"
    return f"{formats.date_format(local, day)} {hour}"


def choices() -> list[Choice]:
    """What people mean by later; the values are moments, so that a slow click means what was read."""
    words = {"hours": _("In three hours"), "tomorrow": _("Tomorrow"), "monday": _("On Monday")}
    return [
        Choice(clock.iso(moment), f"{words[key]}, {said(moment)}")
        for key, moment in rules.snooze_times(timezone.localtime())
    ]


def zone_name() -> str:
    """The zone in which a moment is written."""
    return timezone.get_current_timezone_name()


def read(chosen: str, written: str) -> datetime:
    """The moment that was chosen, or written as ``2026-11-24T09:00`` in the organization's zone.

    Raises ``Invalid`` for anything else.
    """
    text = chosen or written
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else timezone.make_aware(moment)
    except (ValueError, OverflowError) as error:
        raise Invalid("Choose when it should come back.", field="until") from error
