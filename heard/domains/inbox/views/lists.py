"""The list pane: from what queries answer to what templates show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import urlencode

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from heard.domains.channels import queries as channels
from heard.domains.channels.queries import ChannelView
from heard.domains.conversations import queries as conversations
from heard.domains.inbox import queries
from heard.domains.inbox.queries import CaseRow, Wanted
from heard.domains.inbox.views import snoozing
from heard.domains.organizations import queries as organizations
from heard.foundation.errors import NotFound
from heard.foundation.sanitize import one_line
from heard.foundation.tenancy import Actor
from heard.ui.shapes import Filter, NavItem, Row, View, initials_of, tint_of

TITLES = {
    "open": _("All open"),
    "mine": _("Mine"),
    "pending": _("Waiting for them"),
    "snoozed": _("Snoozed"),
    "done": _("Done"),
    "spam": _("Spam"),
    "all": _("Everything"),
}

EMPTY = {
    "open": _("Nothing is waiting. Whoever writes next appears here."),
    "mine": _("Nothing is assigned to you."),
    "pending": _("Nobody owes you a word."),
    "snoozed": _("Nothing is put off. What you snooze stands here until its time."),
    "done": _("Nothing is done yet. What you finish stands here."),
    "spam": _("No spam. What you mark as spam stands here."),
    "all": _("Nobody has written yet."),
}


def address(wanted: Wanted, **changes: str) -> str:
    """The address of a list with its filters."""
    values = {
        "channel": str(wanted.channel_id or ""),
        "visibility": wanted.visibility,
        "unassigned": "1" if wanted.unassigned else "",
        "waiting": "1" if wanted.waiting else "",
        **changes,
    }
    query = urlencode({name: value for name, value in values.items() if value})
    return f"/inbox/{wanted.view}/" + (f"?{query}" if query else "")


def views(actor: Actor, wanted: Wanted) -> list[NavItem]:
    """The lists one can look at, with live counts."""
    teams = [team for team in organizations.teams(actor) if team.id in actor.team_ids]
    keys = [
        ("mine", TITLES["mine"], "user-round"),
        ("open", TITLES["open"], "inbox"),
        *((f"team-{team.id}", team.name, "users-round") for team in teams),
        ("pending", TITLES["pending"], "clock"),
        ("snoozed", TITLES["snoozed"], "alarm-clock"),
        ("done", TITLES["done"], "circle-check"),
        ("spam", TITLES["spam"], "shield-alert"),
    ]
    counted = {"mine", "open"} | {f"team-{team.id}" for team in teams}
    return [
        NavItem(
            title,
            f"/inbox/{key}/",
            icon,
            queries.count(actor, Wanted(key)) if key in counted else None,
            is_current=key == wanted.view,
        )
        for key, title, icon in keys
    ]


def view(actor: Actor, wanted: Wanted) -> View:
    """The list being looked at."""
    title = TITLES.get(wanted.view)
    if title is None:
        names = {f"team-{team.id}": team.name for team in organizations.teams(actor)}
        if wanted.view not in names:
            raise NotFound("There is no such list.")
        title = names[wanted.view]
    empty = EMPTY.get(wanted.view, _("Nothing is waiting for this team."))
    return View(wanted.view, title, queries.count(actor, wanted), address(wanted), empty)


def filters(actor: Actor, wanted: Wanted, connected: Sequence[ChannelView]) -> list[Filter]:
    """Chips above the list."""
    everything = Wanted(wanted.view)
    unassigned = Wanted(wanted.view, unassigned=True)
    waiting = Wanted(wanted.view, waiting=True)
    chips = [
        Filter(_("Everything"), None, address(everything), wanted == everything),
        Filter(_("Unassigned"), queries.count(actor, unassigned), address(unassigned), wanted.unassigned),
        Filter(_("Waiting"), queries.count(actor, waiting), address(waiting), wanted.waiting),
    ]
    for key, label in (("public", _("Public")), ("private", _("Private"))):
        one = Wanted(wanted.view, visibility=key)
        chips.append(Filter(label, None, address(one), wanted.visibility == key))
    if len(connected) > 1:
        for channel in connected[:6]:
            one = Wanted(wanted.view, channel_id=channel.channel_id)
            chips.append(Filter(channel.name, None, address(one), wanted.channel_id == channel.channel_id))
    return chips


def rows(actor: Actor, found: Iterable[CaseRow], *, selected: int = 0) -> list[Row]:
    """Cases as rows of the list."""
    found = list(found)
    lines = channels.channel_views(actor.organization_id, {row.channel_id for row in found if row.channel_id})
    names = organizations.member_names(actor, {row.owner_id for row in found if row.owner_id})
    language = get_language() or ""
    begun = queries.with_draft(actor, [row.case_id for row in found])
    drawn = []
    for row in found:
        line = lines.get(row.channel_id or 0)
        network = (line.network, line.network_name) if line else ("", "")
        owner = names.get(row.owner_id or 0)
        here = row.case_id == selected
        until = snoozing.said(row.snoozed_until) if row.snoozed_until else ""
        drawn.append(
            _row(row, network, owner, until, language, is_selected=here, has_draft=row.case_id in begun)
        )
    return drawn


# Of fifty rows that are drawn again, forty-nine are as they were.
@lru_cache(maxsize=4096)
def _row(
    row: CaseRow,
    network: tuple[str, str],
    owner: str | None,
    until: str,
    _language: str,
    *,
    is_selected: bool,
    has_draft: bool,
) -> Row:
    text = row.last_text or row.last_subject
    if row.last_state == queries.HIDDEN:
        text = _("The newest message came on an account that you may not see.")
    elif row.last_state == "deleted":
        text = _("Deleted by its author on the network.")
    preview = one_line(text)
    if row.last_direction == "out":
        preview = _("You: %(text)s") % {"text": preview}
    return Row(
        case_id=str(row.case_id),
        url=f"/c/{row.case_id}",
        person_name=row.person_name,
        tint=tint_of(f"contact:{row.contact_id}"),
        initials=initials_of(row.person_name),
        network=network[0],
        network_name=network[1],
        kind_label=str(conversations.KIND_LABELS.get(row.last_kind, "")),  # type: ignore[call-overload]
        preview=preview,
        at=row.last_at,
        waiting_since=row.waiting_since,
        tags=(_("until %(when)s") % {"when": until},) if until else (),
        unread=row.is_unread,
        owner_initials=initials_of(owner) if owner else None,
        owner_name=owner,
        visibility="private" if row.last_visibility == "private" else "public",
        status=row.status,
        is_selected=is_selected,
        has_draft=has_draft,
    )
