"""The page of what a member was told."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from heard.domains.notifications import actions, queries
from heard.domains.organizations.queries import MemberRequest, member_required
from heard.foundation.numbers import whole

PAGE = 50


@require_GET
@member_required()
def notifications(request: MemberRequest) -> HttpResponse:
    """All of it, newest first.

    Context: ``lines`` (``queries.Told``), ``unread`` (a number), ``older_url`` ("" at the end).
    """
    lines = queries.latest(request.actor, PAGE, before=_id(request, "before"))
    context = {
        "lines": lines,
        "unread": queries.unread(request.actor),
        "older_url": f"?before={lines[-1].notification_id}" if len(lines) == PAGE else "",
    }
    return render(request, "notifications/notifications.html", context)


@require_POST
@member_required()
def open_notification(request: MemberRequest, notification_id: int) -> HttpResponse:
    """Mark one as read and go where it leads."""
    return redirect(actions.open_one(request.actor, notification_id))


@require_POST
@member_required()
def read_all(request: MemberRequest) -> HttpResponse:
    """Mark as read what stood on the page (``up_to``); what came meanwhile stays new."""
    up_to = _id(request, "up_to")
    if up_to is not None:
        actions.mark_read(request.actor, up_to=up_to)
    return redirect("notifications:notifications")


def _id(request: HttpRequest, name: str) -> int | None:
    return whole(request.POST.get(name) or request.GET.get(name) or "")
