"""One switch, visible everywhere: stop all that leaves, and let it go again in two steps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from heard.domains.channels import queries as channels
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import MemberRequest, Permission, may, member_required, require
from heard.domains.outbox import actions, queries
from heard.domains.outbox.actions import Placed
from heard.domains.outbox.forms import HoldForm
from heard.foundation.errors import Conflict
from heard.foundation.refusals import refusals_on
from heard.foundation.sanitize import one_line


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Permission.VIEW_INBOX)
def switch(request: MemberRequest) -> HttpResponse:
    """What is stopped, and the form that stops more. Context: see ``outbox/switch.html``."""
    form = None
    if may(request.actor, Permission.PLACE_HOLD):
        form = HoldForm(request.POST or None, channels=channels.channels(request.actor))
    if request.method == "POST":
        require(request.actor, Permission.PLACE_HOLD)
    if form is not None and form.is_bound and form.is_valid():
        with refusals_on(form):
            placed = actions.place_hold(
                request.actor,
                reason=form.cleaned_data["reason"],
                channel_id=form.cleaned_data["channel"] or None,
            )
            _acknowledge(request, placed)
            return redirect("outbox:switch")
    context = {
        "holds": _holds(request),
        "form": form,
        "waiting": queries.on_their_way(request.actor),
    }
    return render(request, "outbox/switch.html", context, status=422 if form and form.errors else 200)


def _acknowledge(request: MemberRequest, placed: Placed) -> None:
    """Say that nothing leaves any more, and name what had been handed over before."""
    if not placed.in_flight:
        messages.success(request, _("Stopped. Nothing leaves any more, and nothing is on its way."))
        return
    views = queries.outbounds(request.actor, placed.in_flight)
    people = queries.recipients(request.actor.organization_id, views)
    names = [
        _("“%(text)s” to %(name)s")
        % {"text": one_line(view.text, 60), "name": people.get(view.target_id or 0, _("everybody"))}
        for view in views
    ]
    count = len(placed.in_flight)
    words = ngettext(
        "Stopped. %(count)d message had been handed to its network and may still arrive: %(names)s.",
        "Stopped. %(count)d messages had been handed to their network and may still arrive: %(names)s.",
        count,
    )
    messages.warning(request, words % {"count": count, "names": "; ".join(names) or _("not yours to see")})


def _holds(request: MemberRequest) -> list[dict[str, Any]]:
    actor = request.actor
    found = queries.holds(actor)
    lines = channels.channel_views(
        actor.organization_id, [hold.channel_id for hold in found if hold.channel_id]
    )
    ids = [*(hold.placed_by_id for hold in found), *(hold.release_asked_by_id for hold in found)]
    names = organizations.member_names(actor, [number for number in ids if number])
    may_release = may(actor, Permission.RELEASE_HOLD)
    operator = _("The operator")
    return [
        {
            "hold": hold,
            "scope": lines[hold.channel_id].name if hold.channel_id else _("everything"),
            "placed_by": names.get(hold.placed_by_id or 0, operator),
            "release_asked_by": names.get(hold.release_asked_by_id or 0, operator),
            "may_release": may_release,
            "ask_url": reverse("outbox:ask_release", args=[hold.hold_id]) if may_release else "",
            "release_url": reverse("outbox:release", args=[hold.hold_id]) if may_release else "",
        }
        for hold in found
    ]


@require_POST
@member_required(Permission.RELEASE_HOLD)
def ask_release(request: MemberRequest, hold_id: int) -> HttpResponse:
    """The first step."""
    try:
        actions.ask_release(request.actor, hold_id)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect("outbox:switch")


@require_POST
@member_required(Permission.RELEASE_HOLD)
def release(request: MemberRequest, hold_id: int) -> HttpResponse:
    """The second step."""
    try:
        actions.release_hold(request.actor, hold_id)
        messages.success(request, _("Released. What was kept back leaves now."))
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect("outbox:switch")
