"""The application granian serves: hooks, live streams and probes as raw ASGI, pages as WSGI in threads.

Django's pages run as WSGI in a fixed pool with persistent connections (a2wsgi): 1,444 requests/s
where Django's own ASGI handler gave 241.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django.http.cookie import parse_cookie

from heard.config import hooks, live, options
from heard.domains.journal import queries as journal
from heard.domains.organizations import queries as organizations
from heard.foundation import metrics
from heard.foundation.tenancy import Actor

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ASK_AGAIN_SECONDS = 10.0
"""Whoever is removed, signed out or has switched hears of changes for at most so much longer."""
SECURITY = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Application:
    """One web process."""

    def __init__(self) -> None:
        self.pages = WSGIMiddleware(cast("Any", WSGIHandler()), workers=options.WEB_THREADS.number)
        self.front = hooks.Front()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route by the first part of the path."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith("/hooks/"):
            await self._hook(scope, receive, send)
        elif path == "/events":
            await _events(scope, receive, send)
        elif path == "/healthz":
            await _plain(send, 200, b"alive\n")
        elif path == "/readyz":
            await _ready(send)
        else:
            # The server's own "receive" is awaitable but no coroutine, and a2wsgi's threads need one.
            async def receive_body() -> MutableMapping[str, Any]:
                return await receive()

            await self.pages(_unambiguous(scope), receive_body, send)  # type: ignore[arg-type]

    async def _hook(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "POST"}:
            await _plain(send, 405, b"GET or POST.\n")
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > hooks.LARGEST_BODY:
                await _plain(send, 413, b"Larger than any delivery we know.\n")
                return
        token = scope["path"].removeprefix("/hooks/").strip("/")
        answer = await self.front.answer(token, scope, bytes(body))
        await _plain(send, answer.status, answer.body, answer.content_type)


def _unambiguous(scope: Scope) -> Scope:
    """Without headers that WSGI cannot tell from others: there X_Forwarded_For is X-Forwarded-For.

    A proxy sets the one and may let the other through (Caddy does), as a visitor made it up.
    """
    return {**scope, "headers": [pair for pair in scope["headers"] if b"_" not in pair[0]]}


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _plain(
    send: Send, status: int, body: bytes, content_type: bytes = b"text/plain; charset=utf-8"
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *SECURITY]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_ready() -> str:
    try:
        for alias in settings.DATABASES:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        journal.chains()
    except DatabaseError as error:
        return f"The database does not answer ({type(error).__name__}).\n"
    finally:
        close_old_connections()
    return ""


async def _ready(send: Send) -> None:
    problem = await asyncio.to_thread(_is_ready)
    await _plain(send, 503 if problem else 200, problem.encode() or b"ready\n")


def _session_key(scope: Scope) -> str:
    # As Django reads them for pages: another cookie of this host may be written like nothing on earth, and
    # HTTP/2 may send each in a header of its own.
    given = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    return parse_cookie(given.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")


def _who(session_key: str) -> tuple[Actor, int] | None:
    """(the member behind a session, their organization's last position)."""
    from importlib import import_module

    from django.contrib.auth import SESSION_KEY, get_user

    try:
        if not session_key:
            return None
        session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        if SESSION_KEY not in session:
            return None

        class Holder:
            pass

        holder = Holder()
        holder.session = session  # type: ignore[attr-defined]
        user = get_user(holder)  # type: ignore[arg-type]
        if not user.is_authenticated:
            return None
        found = organizations.signed_in(user.pk, session.get("organization_id"))
        if found is None or found.actor is None:
            return None
        return found.actor, journal.end_of(found.actor.organization_id)
    finally:
        close_old_connections()


def _position(scope: Scope, end: int) -> int:
    """Where this page goes on: the last event it saw, else what its address says, else now."""
    said = [value for name, value in scope["headers"] if name == b"last-event-id"]
    for part in scope["query_string"].split(b"&"):
        key, _, value = part.partition(b"=")
        said += [value] if key == b"position" else []
    return next((min(int(value), end) for value in said if value.isdigit() and len(value) < 19), end)


async def _events(scope: Scope, receive: Receive, send: Send) -> None:
    session_key = _session_key(scope)
    who = await asyncio.to_thread(_who, session_key)
    if who is None:
        await _plain(send, 401, b"Sign in first.\n")
        return
    actor, end = who
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"content-encoding", b"identity"),
        (b"x-accel-buffering", b"no"),
        *SECURITY,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(_until_gone(receive))
    metrics.SSE_CONNECTIONS.inc()
    try:
        await send({"type": "http.response.body", "body": b"retry: 2000\n: hello\n\n", "more_body": True})
        await _tell(actor, _position(scope, end), session_key, send, gone)
    finally:
        metrics.SSE_CONNECTIONS.dec()
        gone.cancel()


async def _tell(
    actor: Actor, position: int, session_key: str, send: Send, gone: asyncio.Future[None]
) -> None:
    stream = live.changes(actor, position)
    asked_at = time.monotonic()
    while not gone.done():
        step = asyncio.ensure_future(anext(stream))
        waited: set[asyncio.Future[Any]] = {step, gone}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not step.done():
            step.cancel()
            return
        place, told = step.result()
        # By the clock, for in a busy company there is no quiet moment: may this member still listen?
        if time.monotonic() - asked_at >= ASK_AGAIN_SECONDS:
            asked_at = time.monotonic()
            who = await asyncio.to_thread(_who, session_key)
            if who is None or who[0].organization_id != actor.organization_id:
                await send({"type": "http.response.body", "body": b"event: bye\ndata: {}\n\n"})
                return
            if who[0] != actor:  # another role or team: another sight
                actor, stream = who[0], live.changes(who[0], place)
        if not told:
            chunk = b"event: ping\ndata: {}\n\n"
        else:
            data = json.dumps({"position": place, **told}, separators=(",", ":")).encode()
            chunk = b"id: %d\nevent: changed\ndata: %s\n\n" % (place, data)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def application() -> Application:
    """The factory granian calls in a started process."""
    return Application()
