"""Connecting an account, and connecting it again: what is entered is tested before it is kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from heard.domains.channels import actions, queries
from heard.domains.channels.forms import ConnectForm
from heard.domains.channels.models import ChannelState
from heard.domains.channels.queries import ChannelView
from heard.domains.channels.views.showing import known
from heard.domains.organizations.queries import MemberRequest, Permission, member_required
from heard.foundation.errors import NotFound
from heard.foundation.refusals import refusals_on


@require_safe
@member_required(Permission.MANAGE_CHANNELS)
def choose(request: MemberRequest) -> HttpResponse:
    """Which network? Context: ``networks``."""
    networks = [
        {"manifest": manifest, "url": reverse("channels:connect", args=[manifest.network])}
        for manifest in queries.manifests()
    ]
    return render(request, "channels/choose.html", {"networks": networks})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Permission.MANAGE_CHANNELS)
def connect(request: MemberRequest, network: str) -> HttpResponse:
    """Credentials for one network. Context: see ``channels/connect.html``."""
    form = ConnectForm(request.POST or None, manifest=queries.connector_of(network).manifest)
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            channel_id = actions.connect(request.actor, network, form.values())
            messages.success(request, _("Connected. What was said lately is being read now."))
            return redirect("channels:channel", channel_id)
    return _page(request, form, back_url=reverse("channels:choose"))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Permission.MANAGE_CHANNELS)
def reconnect(request: MemberRequest, channel_id: int) -> HttpResponse:
    """New credentials for the same account.

    Secrets are asked for again, even unchanged ones: kept, they could be sent to whatever server is
    entered beside them.
    """
    view = known(request.actor, channel_id)
    if view.state == ChannelState.CLOSED:
        raise NotFound("There is no such channel here.")
    manifest = queries.connector_of(view.network).manifest
    form = ConnectForm(
        request.POST or None, manifest=manifest, initial=queries.settings_of(request.actor, channel_id)
    )
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            actions.reconnect(request.actor, channel_id, form.values())
            messages.success(request, _("Connected again. What was missed is being read now."))
            return redirect("channels:channel", channel_id)
    return _page(request, form, view=view, back_url=reverse("channels:channel", args=[channel_id]))


def _page(
    request: MemberRequest, form: ConnectForm, *, back_url: str, view: ChannelView | None = None
) -> HttpResponse:
    context = {
        "manifest": form.manifest,
        "form": form,
        "fields": form.plain_fields(),
        "advanced": form.advanced_fields(),
        "advanced_open": form.is_bound and form.is_advanced_wrong(),
        "channel": view,
        "back_url": back_url,
    }
    return render(request, "channels/connect.html", context, status=422 if form.errors else 200)
