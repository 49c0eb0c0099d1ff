"""A desk to rehearse at: the inbox's templates and scripts over made-up cases, without rooms or database.

What the page does by itself (keys, drafts, the shared stream, undo) is tried here; whether the rooms
answer rightly is tried where they are.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path

from heard.ui.fragments import template_for, varied
from heard.ui.gallery import samples
from heard.ui.shapes import Action, Bubble

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
REGIONS = {
    "pane": "inbox/_pane.html",
    "messages": "inbox/_messages.html",
    "rows": "inbox/_rows.html",
    "thread-head": "inbox/_head.html",
    "live": "inbox/_live.html",
}
ROWS = 24


class Happenings:
    """What was told to open pages, and what they posted. One for each test."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []
        self.lines = 0
        self.open = threading.Event()
        self.open.set()

    def tell(self, **change: Any) -> None:
        """Say on the stream that something changed."""
        self.told.append(change)


now = Happenings()


def policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """The content security policy under which real pages stand."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return handle


def _context(case_id: str = "") -> dict[str, object]:
    shell = replace(samples.shell(), events_url="/events", stream_key="rehearsal", position="0")
    rows = samples.rows(ROWS, case_id)
    if not case_id:
        return samples.inbox(shell=shell, rows=rows, thread=None, composer=None, person=None)
    row = rows[int(case_id) - 1]
    case = {
        "case_id": case_id,
        "url": f"/c/{case_id}",
        "title": row.person_name,
        "person_name": row.person_name,
    }
    urls = {"assign_url": f"/c/{case_id}/assign", "status_url": f"/c/{case_id}/status"}
    return samples.inbox(
        shell=shell,
        rows=rows,
        thread=replace(samples.thread(), **case, **urls),
        composer=replace(samples.composer(), case_id=case_id, action_url=f"/c/{case_id}/answer"),
        person=replace(samples.person(), name=row.person_name, initials=row.initials),
    )


def inbox(request: HttpRequest, case_id: str = "") -> HttpResponse:
    """The list, or the list with a case open; htmx asks for one region."""
    return varied(render(request, template_for(request, "inbox/inbox.html", REGIONS), _context(case_id)))


def answer(request: HttpRequest, case_id: str) -> HttpResponse:
    """Takes an answer; refuses "too long" ones, and breaks on "broken" ones."""
    text = request.POST.get("text", "")
    alts = request.POST.getlist("alt")
    now.posted.append({**request.POST.dict(), "files": len(request.FILES.getlist("files")), "alts": alts})
    if "too long" in text:
        problems = ["Mastodon takes at most 500 characters."]
        return render(request, "ui/parts/problems.html", {"problems": problems}, status=422)
    if "broken" in text:
        return HttpResponse("no", status=500)
    if request.headers.get("HX-Request") != "true":
        return redirect(f"/c/{case_id}")
    return render(request, "inbox/_messages.html", {"thread": _thread_with(text)})


def _thread_with(text: str) -> object:
    thread = samples.thread()
    mine = Bubble(
        "own",
        "Lena Marsh",
        datetime.now(UTC),
        text,
        outbound_id="99",
        state="waiting",
        state_label="Sending in 10 s",
        undo_until=datetime.now(UTC) + timedelta(seconds=10),
        state_actions=(Action("undo", "Undo", "/undo"),),
    )
    part = thread.conversations[0]
    return replace(thread, conversations=[replace(part, items=[*part.items, mine])])


def undo(request: HttpRequest) -> HttpResponse:
    """Takes the last answer back; its words go home."""
    response = render(request, "inbox/_messages.html", {"thread": samples.thread()})
    response["HX-Trigger"] = json.dumps({"heard:draft": {"text": "taken back, übrigens"}})
    return response


def status(request: HttpRequest, case_id: str) -> HttpResponse:
    """Done; the last row of the list cannot be."""
    if case_id == str(ROWS):
        response = HttpResponse(status=409)
        response["X-Heard-Problem"] = "Rui Costa has answered meanwhile &#8211; look first."
        return response
    response = render(request, "inbox/_head.html", _context(case_id))
    response["HX-Trigger"] = json.dumps({"heard:toast": {"text": "Done", "undo_url": f"/c/{case_id}/reopen"}})
    return response


def done(request: HttpRequest, **_: str) -> HttpResponse:
    """Whatever else is posted is taken."""
    return HttpResponse(status=204)


def events(request: HttpRequest) -> HttpResponseBase:
    """The stream: a sign of life, then what is told."""
    now.lines += 1
    heard, happenings = len(now.told), now

    def stream() -> Iterator[bytes]:
        seen = heard
        while happenings.open.is_set():
            yield b"event: ping\ndata: {}\n\n"
            for change in happenings.told[seen:]:
                seen += 1
                yield f"id: {seen}\nevent: changed\ndata: {json.dumps(change)}\n\n".encode()
            time.sleep(0.05)

    response = StreamingHttpResponse(stream(), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    return response


urlpatterns = [
    path("inbox/", inbox),
    path("inbox/<slug:view>/", lambda request, view: inbox(request)),
    path("c/<str:case_id>", inbox),
    path("c/<str:case_id>/answer", answer),
    path("c/<str:case_id>/status", status),
    path("c/<str:case_id>/<slug:what>", done),
    path("undo", undo),
    path("events", events),
    path("gallery/", include("heard.ui.gallery.urls")),
]
