"""How the channels are doing: all of them, and one in full."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from heard.domains.channels import actions, queries, rules
from heard.domains.channels.forms import ACCESS_LABELS, AccessForm, BrandChoiceForm
from heard.domains.channels.models import ChannelState
from heard.domains.channels.queries import ChannelView
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import MemberRequest, Permission, may, member_required, require
from heard.foundation.errors import NotFound
from heard.foundation.refusals import refusals_on
from heard.foundation.tenancy import Actor
from heard.ui.shapes import Health

HEALTH = {
    "live": ("good", gettext_lazy("Live")),
    "listening": ("good", gettext_lazy("Listening")),
    "starting": ("off", gettext_lazy("Starting")),
    "troubled": ("warning", gettext_lazy("Trying again")),
    "refused": ("danger", gettext_lazy("Needs a new connection")),
    "paused": ("off", gettext_lazy("Paused")),
    "closed": ("off", gettext_lazy("Disconnected")),
}


def health(view: ChannelView) -> Health:
    """A channel's state in one word."""
    key = rules.health_of(
        view.state,
        error=view.error,
        is_streaming=view.is_streaming,
        was_looked_at=view.looked_at is not None or view.heard_at is not None,
    )
    state, label = HEALTH[key]
    return Health(state, str(label))


@require_safe
@member_required(Permission.VIEW_INBOX)
def channels(request: MemberRequest) -> HttpResponse:
    """All connected accounts. Context: see ``channels/list.html``."""
    actor = request.actor
    context = {
        "lines": [
            {
                "channel": view,
                "health": health(view),
                "url": reverse("channels:channel", args=[view.channel_id]),
            }
            for view in queries.channels(actor)
        ],
        "connect_url": reverse("channels:choose") if may(actor, Permission.MANAGE_CHANNELS) else "",
    }
    return render(request, "channels/list.html", context)


def known(actor: Actor, channel_id: int) -> ChannelView:
    """The channel, if it can be one at all. Raises ``NotFound``."""
    if channel_id > 2**62:
        raise NotFound("There is no such channel here.")
    return queries.channel(actor, channel_id)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Permission.VIEW_INBOX)
def channel(request: MemberRequest, channel_id: int) -> HttpResponse:
    """One channel; a POST changes its brand. Context: see ``channels/detail.html``."""
    view = known(request.actor, channel_id)
    brand_form = _brand_form(request, view)
    if request.method == "POST":
        require(request.actor, Permission.MANAGE_CHANNELS)
        if brand_form is not None and brand_form.is_valid():
            with refusals_on(brand_form):
                actions.change_brand(request.actor, channel_id, brand_form.cleaned_data["brand"])
                messages.success(request, _("Saved."))
                return redirect("channels:channel", channel_id)
    context = detail_context(request, view) | {"brand_form": brand_form}
    is_refused = brand_form is not None and bool(brand_form.errors)
    return render(request, "channels/detail.html", context, status=422 if is_refused else 200)


def _brand_form(request: MemberRequest, view: ChannelView) -> BrandChoiceForm | None:
    if not may(request.actor, Permission.MANAGE_CHANNELS) or view.state == ChannelState.CLOSED:
        return None
    brands = organizations.brands(request.actor)
    if len(brands) < 2 and request.method != "POST":
        return None
    given = request.POST if request.method == "POST" else None
    return BrandChoiceForm(given, initial={"brand": view.brand_id}, brands=brands)


def detail_context(
    request: MemberRequest, view: ChannelView, *, access_form: AccessForm | None = None
) -> dict[str, Any]:
    """What ``channels/detail.html`` shows, but for the brand."""
    actor = request.actor
    may_manage = may(actor, Permission.MANAGE_CHANNELS) and view.state != ChannelState.CLOSED
    context: dict[str, Any] = {
        "channel": view,
        "health": health(view),
        "report": queries.health(actor, view.channel_id),
        "may_manage": may_manage,
        "access": _exceptions(actor, view.channel_id),
    }
    if not may_manage:
        return context

    def address(name: str) -> str:
        return reverse(f"channels:{name}", args=[view.channel_id])

    context |= {
        "reconnect_url": address("reconnect"),
        "pause_url": address("pause") if view.state == ChannelState.ACTIVE else "",
        "resume_url": address("resume") if view.state == ChannelState.PAUSED else "",
        "close_url": address("close"),
        "replay_url": address("replay"),
        "access_url": address("add_access"),
        "access_form": access_form or new_access_form(actor),
    }
    if queries.pushes(view.network):
        context["hook_url"] = f"{settings.HEARD_URL}/hooks/{queries.hook_token(actor, view.channel_id)}"
    return context


def new_access_form(actor: Actor, given: Any = None) -> AccessForm:
    """The form for an exception, with those who work here."""
    return AccessForm(given, members=organizations.members(actor), teams=organizations.teams(actor))


def _exceptions(actor: Actor, channel_id: int) -> list[dict[str, Any]]:
    found = queries.accesses(actor, channel_id)
    names = organizations.member_names(actor, [line.member_id for line in found if line.member_id])
    teams = {team.id: team.name for team in organizations.teams(actor, with_archived=True)}
    lines = []
    for line in found:
        key = f"member-{line.member_id}" if line.member_id else f"team-{line.team_id}"
        name = names.get(line.member_id or 0) or teams.get(line.team_id or 0, _("Somebody"))
        lines.append(
            {
                "who": name,
                "label": ACCESS_LABELS[line.access],
                "remove_url": reverse("channels:remove_access", args=[channel_id, key]),
            }
        )
    return lines
