"""What people do in the inbox: each POST answers htmx with its region, a browser with a redirect."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from heard.connectorkit.counting import count
from heard.connectorkit.vocabulary import Verb, Visibility, Yes
from heard.domains.contacts import actions as contacts
from heard.domains.conversations import actions as conversations
from heard.domains.inbox import actions, queries, rules
from heard.domains.inbox.views import composing, snoozing
from heard.domains.inbox.views.pages import case_context, list_context
from heard.domains.media import actions as media
from heard.domains.organizations.queries import MemberRequest, member_required
from heard.domains.outbox import actions as outbox
from heard.domains.outbox import queries as outbox_queries
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotFound, Unavailable
from heard.foundation.numbers import whole

VERBS = {"reply": Verb.REPLY, "direct": Verb.DIRECT_MESSAGE}
MOST_FILES = 20


def _is_htmx(request: MemberRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _region(request: MemberRequest, case_id: int, template: str, **triggers: Any) -> HttpResponse:
    """The region htmx asked for, or back to the page."""
    if not _is_htmx(request):
        return HttpResponseRedirect(f"/c/{case_id}")
    response = render(request, template, case_context(request, case_id))
    said = {f"heard:{name}": value for name, value in triggers.items() if value is not None}
    if said:
        response["HX-Trigger"] = json.dumps(said)
    return response


@require_POST
@member_required()
def answer(request: MemberRequest, case_id: int) -> HttpResponse:
    """Reply, write a direct message, or leave a note. What was typed is never lost."""
    case = queries.case(request.actor, case_id)
    mode = request.POST.get("mode", "reply")
    text = request.POST.get("text", "").replace("\r\n", "\n").replace("\0", "")
    try:
        if mode == "note":
            actions.write_note(request.actor, case.case_id, text)
        else:
            _submit(request, case, mode, text)
    except (Invalid, Conflict, Unavailable) as error:
        return _refused(request, case_id, mode, text, error.message)
    key, continued = request.POST.get("submission_key", ""), _moment(request.POST.get("draft_at", ""))
    actions.end_draft(request.actor, case.case_id, key=key, continued=continued)
    return _region(request, case_id, "inbox/_messages.html", sent={"mode": mode})


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


@require_POST
@member_required()
def draft(request: MemberRequest, case_id: int) -> HttpResponse:
    """What is being written, every two seconds; 204, or a sentence why it cannot be kept."""
    kept_at = actions.keep_draft(
        request.actor,
        case_id,
        mode=request.POST.get("mode", "reply"),
        text=request.POST.get("text", "").replace("\r\n", "\n").replace("\0", ""),
        subject=request.POST.get("subject", "").replace("\0", ""),
        target_id=whole(request.POST.get("target", "")),
        key=request.POST.get("submission_key", ""),
        sequence=whole(request.POST.get("sequence", "")) or 0,
    )
    return HttpResponse(status=204, headers={"X-Heard-Draft": clock.iso(kept_at)})


def _submit(request: MemberRequest, case: queries.CaseView, mode: str, text: str) -> None:
    if mode not in VERBS:
        raise Invalid("Choose how to answer.")
    target_id = whole(request.POST.get(f"target_{mode}", "")) or case.last_inbound_id or 0
    if outbox_queries.conversation_of(request.actor.organization_id, target_id) not in case.conversation_ids:
        raise NotFound("There is no such message in this case.")
    visibility = request.POST.get(f"visibility_{mode}", "")
    file_ids, alts = _files(request)
    outbox.submit(
        request.actor,
        verb=VERBS[mode],
        target_id=target_id,
        text=text,
        subject=request.POST.get(f"subject_{mode}", "")[:490],
        visibility=Visibility(visibility) if visibility in set(Visibility) else None,
        file_ids=file_ids,
        alts=alts,
        key=request.POST.get("submission_key", ""),
    )


def _files(request: MemberRequest) -> tuple[list[int], list[str]]:
    uploads = request.FILES.getlist("files")[:MOST_FILES]
    alts = request.POST.getlist("alt")
    for upload in uploads:
        media.require_size(upload.name or "file", upload.size or 0)
    ids = [
        media.store(
            request.actor.organization_id,
            name=upload.name or "file",
            content_type=upload.content_type or "application/octet-stream",
            data=upload.read(),
        )
        for upload in uploads
    ]
    return ids, [(alts[place][:1500] if place < len(alts) else "") for place in range(len(ids))]


def _refused(request: MemberRequest, case_id: int, mode: str, text: str, problem: str) -> HttpResponse:
    if _is_htmx(request):
        return render(request, "ui/parts/problems.html", {"problems": [problem]}, status=422)
    context = case_context(request, case_id)
    case = queries.case(request.actor, case_id)
    context["composer"] = composing.composer(request.actor, case, draft=text, problems=(problem,), mode=mode)
    context |= list_context(request, queries.Wanted(), selected=case_id)
    context["open"] = "thread"
    return render(request, "inbox/inbox.html", context, status=422)


@require_POST
@member_required()
def assign(request: MemberRequest, case_id: int) -> HttpResponse:
    """To a member, a team, or nobody; what is not given stays."""
    case = queries.case(request.actor, case_id)
    owner, team = case.owner_id, case.team_id
    if "owner" in request.POST:
        owner = _choice(request.POST["owner"])
    if "team" in request.POST:
        team = _choice(request.POST["team"])
    actions.assign_case(request.actor, case_id, member_id=owner, team_id=team)
    return _region(request, case_id, "inbox/_head.html")


def _choice(value: str) -> int | None:
    if value in {"", "0"}:
        return None
    chosen = whole(value)
    if chosen is None:
        raise Invalid("Choose somebody from the list.")
    return chosen


def _back_to(before: queries.CaseView) -> str:
    """The address that gives a case the status it had."""
    if before.snoozed_until is not None:
        return f"/c/{before.case_id}/snooze?" + urlencode(
            {"until": clock.iso(before.snoozed_until), "undo": 1}
        )
    return f"/c/{before.case_id}/status?to={before.status}&undo=1"


@require_POST
@member_required()
def status(request: MemberRequest, case_id: int) -> HttpResponse:
    """Open, pending, done, spam."""
    before = queries.case(request.actor, case_id)
    wanted = request.POST.get("status") or request.GET.get("to", "")
    actions.set_status(request.actor, case_id, wanted)
    label = queries.STATUS_LABELS[wanted]
    # Taking it back is said by the page; a second Undo for the undoing would only puzzle.
    toast = {"text": str(label), "undo_url": _back_to(before)} if "undo" not in request.GET else None
    return _region(request, case_id, "inbox/_head.html", toast=toast)


@require_POST
@member_required()
def snooze(request: MemberRequest, case_id: int) -> HttpResponse:
    """Not before a moment: one of those offered (``until``), or one that was written (``until_local``)."""
    before = queries.case(request.actor, case_id)
    given = request.POST.get("until") or request.GET.get("until", "")
    until = snoozing.read(given, request.POST.get("until_local", ""))
    if "undo" in request.GET and before.status not in rules.OPEN:
        actions.set_status(request.actor, case_id, "open")
    actions.snooze_case(request.actor, case_id, until)
    words = _("Snoozed until %(when)s") % {"when": snoozing.said(until)}
    toast = {"text": words, "undo_url": _back_to(before)} if "undo" not in request.GET else None
    return _region(request, case_id, "inbox/_head.html", toast=toast)


@require_POST
@member_required()
def block(request: MemberRequest, case_id: int) -> HttpResponse:
    """What this person says no longer reaches the inbox; their case is closed as spam."""
    case = queries.case(request.actor, case_id)
    if case.contact_id is None:
        raise Conflict("There is nobody to block in this case.")
    contacts.block(request.actor, case.contact_id)
    actions.set_status(request.actor, case_id, "spam")
    return _region(
        request,
        case_id,
        "inbox/_blocked.html",
        toast={"text": _("Blocked. What they say is kept, and no longer reaches the inbox.")},
    )


def _outbound(request: MemberRequest, case_id: int, outbound_id: int) -> None:
    """Raise ``NotFound`` unless this outbound is in this case."""
    case = queries.case(request.actor, case_id)
    found = outbox_queries.outbound(request.actor, outbound_id)
    if found is None or found.conversation_id not in case.conversation_ids:
        raise NotFound("There is no such message here.")


@require_POST
@member_required()
def cancel(request: MemberRequest, case_id: int, outbound_id: int) -> HttpResponse:
    """Undo within the window; the words go back to the composer."""
    _outbound(request, case_id, outbound_id)
    text = outbox.cancel(request.actor, outbound_id)
    return _region(request, case_id, "inbox/_messages.html", draft={"text": text})


@require_POST
@member_required()
def retry(request: MemberRequest, case_id: int, outbound_id: int) -> HttpResponse:
    """Try a refused message again."""
    _outbound(request, case_id, outbound_id)
    outbox.retry(request.actor, outbound_id)
    return _region(request, case_id, "inbox/_messages.html")


@require_POST
@member_required()
def decide(request: MemberRequest, case_id: int, outbound_id: int, decision: str) -> HttpResponse:
    """A person looked at the network: it stands there, or it is to be sent again or dropped."""
    _outbound(request, case_id, outbound_id)
    seen = outbox_queries.version_seen(request.GET.get("seen", ""))
    outbox.decide(request.actor, outbound_id, decision, seen=seen)
    return _region(request, case_id, "inbox/_messages.html")


@require_POST
@member_required()
def split_off(request: MemberRequest, case_id: int, message_id: int) -> HttpResponse:
    """Give a message with a matter of its own a conversation, and so a case, of its own."""
    case = queries.case(request.actor, case_id)
    if outbox_queries.conversation_of(request.actor.organization_id, message_id) not in case.conversation_ids:
        raise NotFound("There is no such message in this case.")
    conversations.split_off(request.actor, message_id)
    return _region(
        request, case_id, "inbox/_messages.html", toast={"text": _("It has a case of its own now")}
    )


@require_POST
@member_required()
def count_text(request: MemberRequest, case_id: int) -> HttpResponse:
    """How the network counts a text: the server owns each network's count."""
    case = queries.case(request.actor, case_id)
    mode = request.POST.get("mode", "reply")
    target_id = whole(request.POST.get("target", "")) or case.last_inbound_id or 0
    if mode not in VERBS or outbox_queries.conversation_of(
        request.actor.organization_id, target_id
    ) not in set(case.conversation_ids):
        raise NotFound("There is no such message in this case.")
    answered = outbox_queries.supports(request.actor, VERBS[mode], target_id)
    if not isinstance(answered, Yes) or answered.constraints.text is None:
        return JsonResponse({"maximum": 0, "used": 0, "over": 0})
    counted = count(request.POST.get("text", ""), answered.constraints.text)
    return JsonResponse({"maximum": counted.maximum, "used": counted.used, "over": counted.over})
