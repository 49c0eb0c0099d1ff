"""What managers do with a channel: each is one POST that comes back to its page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from heard.domains.channels import actions
from heard.domains.channels.views.showing import detail_context, known, new_access_form
from heard.domains.organizations.queries import MemberRequest, Permission, member_required
from heard.foundation.errors import NotFound
from heard.foundation.numbers import whole
from heard.foundation.refusals import refusals_on


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def pause(request: MemberRequest, channel_id: int) -> HttpResponse:
    """Stop listening for now."""
    view = known(request.actor, channel_id)
    actions.pause(request.actor, channel_id)
    messages.success(
        request, _("%(name)s is paused. What is said meanwhile is read later.") % {"name": view.name}
    )
    return redirect("channels:channel", channel_id)


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def resume(request: MemberRequest, channel_id: int) -> HttpResponse:
    """Listen again."""
    view = known(request.actor, channel_id)
    actions.resume(request.actor, channel_id)
    messages.success(request, _("Listening to %(name)s again.") % {"name": view.name})
    return redirect("channels:channel", channel_id)


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def close(request: MemberRequest, channel_id: int) -> HttpResponse:
    """Disconnect for good; the page has said what that means."""
    view = known(request.actor, channel_id)
    actions.close(request.actor, channel_id)
    messages.success(
        request,
        _("%(name)s is disconnected and its credentials are destroyed. What was said stays.")
        % {"name": view.name},
    )
    return redirect("channels:channels")


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def replay(request: MemberRequest, channel_id: int) -> HttpResponse:
    """Read what could not be read once more."""
    known(request.actor, channel_id)
    count = actions.replay(request.actor, channel_id)
    words = ngettext(
        "%(count)d delivery is being read again.", "%(count)d deliveries are being read again.", count
    )
    messages.success(request, words % {"count": count})
    return redirect("channels:channel", channel_id)


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def add_access(request: MemberRequest, channel_id: int) -> HttpResponse:
    """An exception for a member or a team."""
    view = known(request.actor, channel_id)
    form = new_access_form(request.actor, request.POST)
    if form.is_valid():
        with refusals_on(form):
            _change(request, channel_id, form.cleaned_data["who"], form.cleaned_data["access"])
            messages.success(request, _("Saved."))
            return redirect("channels:channel", channel_id)
    context = detail_context(request, view, access_form=form)
    return render(request, "channels/detail.html", context, status=422)


@require_POST
@member_required(Permission.MANAGE_CHANNELS)
def remove_access(request: MemberRequest, channel_id: int, who: str) -> HttpResponse:
    """From now on as their role says."""
    known(request.actor, channel_id)
    _change(request, channel_id, who, "")
    messages.success(request, _("From now on as their role says."))
    return redirect("channels:channel", channel_id)


def _change(request: MemberRequest, channel_id: int, who: str, access: str) -> None:
    kind, _dash, number = who.partition("-")
    chosen_id = whole(number)
    if kind not in {"member", "team"} or chosen_id is None:
        raise NotFound("There is no such member or team here.")
    chosen = {f"{kind}_id": chosen_id}
    actions.change_access(request.actor, channel_id, access=access, **chosen)
