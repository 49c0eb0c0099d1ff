"""What is held, was refused, or needs a decision before it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from heard.domains.channels import queries as channels
from heard.domains.organizations import queries as organizations
from heard.domains.organizations.queries import MemberRequest, Permission, member_required
from heard.domains.outbox import actions, queries
from heard.domains.outbox.queries import OutboundView
from heard.foundation.errors import Conflict, NotFound
from heard.foundation.sanitize import clean_text
from heard.foundation.tenancy import Actor
from heard.ui.shapes import Action, Bubble, Filter, initials_of, tint_of

# What the page's colours know; the words are the query's.
SHOWN_AS = {"held": "held", "rejected": "failed", "asked": "unknown", "unknown": "unknown"}
FILTERS = {
    "held": gettext_lazy("Held"),
    "rejected": gettext_lazy("Not sent"),
    "asked": gettext_lazy("Needs your decision"),
    "unknown": gettext_lazy("Checking the network"),
}


@require_safe
@member_required(Permission.VIEW_INBOX)
def outbox(request: MemberRequest) -> HttpResponse:
    """The list. Context: see ``outbox/list.html``."""
    actor = request.actor
    state = request.GET.get("state", "")
    if state not in FILTERS:
        state = ""
    counts = queries.counts_needing_people(actor)
    here = reverse("outbox:outbox")
    filters = [
        Filter(_("Everything"), sum(counts.values()), here, not state),
        *(
            Filter(str(label), counts[key], f"{here}?state={key}", key == state)
            for key, label in FILTERS.items()
            if counts[key] or key == state
        ),
    ]
    context = {
        "lines": _lines(actor, queries.needing_people(actor, state=state)),
        "filters": filters if sum(counts.values()) else [],
    }
    return render(request, "outbox/list.html", context)


def _lines(actor: Actor, found: list[OutboundView]) -> list[dict[str, Any]]:
    names = organizations.member_names(actor, [view.author_id for view in found if view.author_id])
    accounts = channels.channel_views(actor.organization_id, {view.channel_id for view in found})
    people = queries.recipients(actor.organization_id, found)
    return [
        {
            "bubble": _bubble(actor, view, names.get(view.author_id or 0, "Heard")),
            "channel_name": accounts[view.channel_id].name,
            "network": accounts[view.channel_id].network,
            # The inbox, a floor above, opens the case that owns this conversation.
            "case_url": f"/conversations/{view.conversation_id}/" if view.conversation_id else "",
            "to": people.get(view.target_id or 0, ""),
        }
        for view in found
    ]


def _bubble(actor: Actor, view: OutboundView, author: str) -> Bubble:
    may_act = channels.may_reply(actor, view.channel_id)
    return Bubble(
        kind="own",
        author_name=author,
        at=view.created_at,
        text=clean_text(view.text),
        tint=tint_of(f"member:{view.author_id}"),
        initials=initials_of(author),
        state=SHOWN_AS[view.state],
        state_label=str(view.state_label),
        reason=view.reason,
        outbound_id=str(view.outbound_id),
        state_actions=tuple(_actions(view)) if may_act else (),
    )


def _actions(view: OutboundView) -> list[Action]:
    def to(name: str) -> str:
        return reverse(f"outbox:{name}", args=[view.outbound_id])

    def decided(name: str) -> str:
        return f"{to(name)}?seen={view.version}"

    return {
        "held": [] if view.in_doubt else [Action("undo", _("Undo"), to("undo"))],
        "rejected": [
            Action("retry", _("Retry"), to("retry"), "primary"),
            Action("discard", _("Discard"), to("undo")),
        ],
        "asked": [
            Action("found", _("It is there"), decided("sent"), "primary"),
            Action("again", _("Send again"), decided("again")),
            Action("dropped", _("Drop it"), decided("dropped")),
        ],
        "unknown": [],
    }[view.state]


@require_POST
@member_required(Permission.VIEW_INBOX)
def undo(request: MemberRequest, outbound_id: int) -> HttpResponse:
    """Take it back: it will not leave."""
    return _try(
        request,
        outbound_id,
        lambda: actions.cancel(request.actor, outbound_id),
        done=_("Taken back. It will not leave."),
    )


@require_POST
@member_required(Permission.VIEW_INBOX)
def retry(request: MemberRequest, outbound_id: int) -> HttpResponse:
    """Try a refused one again."""
    return _try(
        request, outbound_id, lambda: actions.retry(request.actor, outbound_id), done=_("It is tried again.")
    )


@require_POST
@member_required(Permission.VIEW_INBOX)
def decide(request: MemberRequest, outbound_id: int, decision: str) -> HttpResponse:
    """A person looked at the network: it stands there (``sent``), or not (``again``, ``dropped``)."""
    done = {
        "sent": _("Noted: it stands on the network."),
        "again": _("It is sent again."),
        "dropped": _("Dropped. It will not leave."),
    }[decision]
    seen = queries.version_seen(request.GET.get("seen", ""))
    return _try(
        request,
        outbound_id,
        lambda: actions.decide(request.actor, outbound_id, decision, seen=seen),
        done=done,
    )


def _try(request: MemberRequest, outbound_id: int, act: Callable[[], object], *, done: str) -> HttpResponse:
    """Do it and go back to the list, with a sentence on what came of it. "Not found" stays a 404."""
    if outbound_id > 2**62:
        raise NotFound(_("There is no such message here."))
    try:
        act()
        messages.success(request, done)
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect("outbox:outbox")
