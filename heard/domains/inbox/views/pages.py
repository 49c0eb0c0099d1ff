"""The inbox's addresses: one page, several regions."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from heard.domains.channels import queries as channels
from heard.domains.inbox import actions, queries
from heard.domains.inbox.queries import Wanted
from heard.domains.inbox.views import composing, lists, threads
from heard.domains.organizations.queries import MemberRequest, Permission, may, member_required
from heard.foundation.errors import NotFound
from heard.foundation.numbers import whole
from heard.ui.fragments import template_for, varied
from heard.ui.policy import POLICY

REGIONS = {
    "pane": "inbox/_pane.html",
    "messages": "inbox/_messages.html",
    "rows": "inbox/_rows.html",
    "list": "inbox/_list.html",
    "thread-head": "inbox/_head.html",
    "person": "inbox/_person.html",
    "live": "inbox/_live.html",
    "rows-more": "inbox/_rows.html",
}
_LIST_REGIONS = {"rows", "list", "live", "rows-more"}


def _wanted(request: MemberRequest, view: str) -> Wanted:
    given = request.GET
    return Wanted(
        view=view,
        channel_id=whole(given.get("channel", "")),
        visibility=given.get("visibility", ""),
        unassigned=given.get("unassigned") == "1",
        waiting=given.get("waiting") == "1",
    )


def list_context(request: MemberRequest, wanted: Wanted, *, selected: int = 0) -> dict[str, Any]:
    """What the list pane shows."""
    actor = request.actor
    connected = channels.channels(actor)
    page = queries.cases(actor, wanted, after=request.GET.get("after", ""))
    empty = "empty"
    if not connected:
        empty = "unconnected"
    elif wanted != Wanted(wanted.view):
        empty = "filtered"
    return {
        "view": lists.view(actor, wanted),
        "views": lists.views(actor, wanted),
        "filters": lists.filters(actor, wanted, connected),
        "rows": lists.rows(actor, page.rows, selected=selected),
        "next_url": lists.address(wanted, after=page.next_key) if page.next_key else None,
        "empty_kind": empty,
        "clear_url": f"/inbox/{wanted.view}/",
        "connect_url": "/settings/channels/" if may(actor, Permission.MANAGE_CHANNELS) else "",
    }


def case_context(request: MemberRequest, case_id: int) -> dict[str, Any]:
    """What the thread and person panes show."""
    actor = request.actor
    case = queries.case(actor, case_id)
    return {
        "thread": threads.thread(
            actor, case, show_images=threads.images_wanted(request.GET.get("images", ""))
        ),
        "composer": composing.composer(actor, case, reply_to=whole(request.GET.get("reply_to", "")) or 0),
        "person": composing.person(actor, case),
        "shown_upto": case.last_at,
    }


def _region(request: MemberRequest) -> str:
    if request.headers.get("HX-Request") != "true":
        return ""
    return request.headers.get("HX-Target", "").partition("#")[2]


@member_required(Permission.VIEW_INBOX)
def inbox_page(request: MemberRequest, view: str = "open") -> HttpResponse:
    """``/inbox/`` and ``/inbox/<view>/``."""
    context: dict[str, Any] = list_context(request, _wanted(request, view))
    context |= {"thread": None, "composer": None, "person": None, "open": "list"}
    return varied(render(request, template_for(request, "inbox/inbox.html", REGIONS), context))


@member_required(Permission.VIEW_INBOX)
def case_page(request: MemberRequest, case_id: int) -> HttpResponse:
    """``/c/<id>``: the same page with a case open; htmx asks for one region of it."""
    context = case_context(request, case_id)
    region = _region(request)
    if region not in REGIONS or region in _LIST_REGIONS:
        wanted = _wanted(request, request.GET.get("view", "open"))
        context |= list_context(request, wanted, selected=case_id)
        context["open"] = "thread"
    actions.mark_seen(request.actor, case_id, context["shown_upto"])
    response = varied(render(request, template_for(request, "inbox/inbox.html", REGIONS), context))
    if threads.images_wanted(request.GET.get("images", "")):
        # This member asked for one message's remote pictures: allowed on this answer only.
        response["Content-Security-Policy"] = POLICY.replace("img-src 'self'", "img-src 'self' https:")
    return response


@member_required(Permission.VIEW_INBOX)
def conversation(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """``/conversations/<id>/``: to the case that owns it now. Lower rooms know conversations, not cases."""
    if conversation_id > 2**62:
        raise NotFound("There is no such conversation here.")
    for case_id in queries.case_ids_of(request.actor.organization_id, [conversation_id]):
        queries.require_visible(request.actor, case_id)
        return redirect("inbox:case", case_id)
    raise NotFound("There is no such conversation here.")
