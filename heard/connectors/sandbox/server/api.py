"""The network API: what a company's account can ask, with a bearer token."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from . import push
from .events import events_after
from .posts import (
    MEDIA_COUNT,
    MEDIA_MAXIMUM_BYTES,
    MEDIA_TYPES,
    TEXT_LIMIT,
    Draft,
    Refused,
    add_media,
    create_post,
    delete_post,
    hide_post,
    like_post,
    person,
    snapshot,
    visible_post,
)
from .running import Running
from .store import AccountRow

PING_SECONDS = 15.0
Handler = Callable[[Running, AccountRow, Request], Awaitable[Response]]


def routes(running: Running) -> list[Route]:
    """Every address of the network API."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/api/v1/me", _me),
        ("GET", "/api/v1/events", _events),
        ("GET", "/api/v1/stream", _stream),
        ("PUT", "/api/v1/webhook", _put_webhook),
        ("DELETE", "/api/v1/webhook", _delete_webhook),
        ("POST", "/api/v1/media", _post_media),
        ("POST", "/api/v1/posts", _create),
        ("GET", "/api/v1/posts", _own_posts),
        ("GET", "/api/v1/posts/by-key/{key:path}", _by_key),
        ("GET", "/api/v1/posts/{id:int}", _read),
        ("DELETE", "/api/v1/posts/{id:int}", _delete),
        ("GET", "/api/v1/posts/{id:int}/context", _context),
        ("POST", "/api/v1/posts/{id:int}/like", _like),
        ("POST", "/api/v1/posts/{id:int}/hide", _hide),
        ("GET", "/media/{id}", _media),
    ]
    return [Route(path, _guarded(running, handler), methods=[method]) for method, path, handler in table]


def _guarded(running: Running, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        account = running.store.account_by("token", token) if token else None
        if account is None:
            return refusal(401, "The access token is not valid.")
        left, reset = running.allowance.take(account.id, time.monotonic())
        headers = {
            "X-RateLimit-Limit": str(running.allowance.per_minute),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": str(int(time.time() + reset) + 1),
        }
        if left < 0:
            response = refusal(429, "Too many requests.")
            headers["Retry-After"] = str(int(reset) + 1)
        else:
            response = await answered(handler(running, account, request))
        response.headers.update(headers)
        return response

    return endpoint


async def answered(answer: Awaitable[Response]) -> Response:
    """The answer, or the refusal that came instead, as JSON."""
    try:
        return await answer
    except Refused as refused:
        return refusal(refused.status, refused.sentence)


def refusal(status: int, sentence: str) -> Response:
    """An error with a sentence for people."""
    return JSONResponse({"error": sentence}, status_code=status)


async def read_body(request: Request) -> dict[str, Any]:
    """The request's JSON object; raises ``Refused``."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, "The body is not a JSON object.")
    return body


def number(value: Any, what: str, default: int | None = None) -> int | None:
    """A whole number from a query or a body; raises ``Refused``."""
    if value in (None, ""):
        return default
    try:
        read = int(value)
    except (TypeError, ValueError) as error:
        raise Refused(422, f"{what} is not a number.") from error
    if not -(2**62) < read < 2**62:
        raise Refused(422, f"{what} is not a number of ours.")
    return read


async def _me(running: Running, account: AccountRow, request: Request) -> Response:
    del request
    limits = {
        "text": TEXT_LIMIT.maximum,
        "url": TEXT_LIMIT.url_cost,
        "media_count": MEDIA_COUNT,
        "media_types": MEDIA_TYPES,
        "media_bytes": MEDIA_MAXIMUM_BYTES,
    }
    return JSONResponse({**person(account, running.base_url), "limits": limits})


async def _events(running: Running, account: AccountRow, request: Request) -> Response:
    query = request.query_params
    after = number(query.get("after"), "after", 0) or 0
    limit = max(1, min(500, number(query.get("limit"), "limit", 100) or 100))
    events, last = events_after(running.store, account.id, after, limit, since=_since(query.get("since", "")))
    body = (
        f'{{"events": [{", ".join(events)}], "last": "{last}", "more": {json.dumps(len(events) == limit)}}}'
    )
    return Response(body, media_type="application/json")


def _since(value: str) -> float:
    if not value:
        return 0.0
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError) as error:
        raise Refused(422, "since is not a point in time.") from error


async def _stream(running: Running, account: AccountRow, request: Request) -> Response:
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    newest = running.store.row("SELECT coalesce(max(id), 0) AS id FROM events WHERE account = ?", account.id)
    after = number(given, "after", newest["id"] if newest else 0) or 0

    async def lines() -> AsyncIterator[str]:
        position = after
        yield "event: ping\ndata: {}\n\n"
        while not running.stopping:
            events, last = events_after(running.store, account.id, position, 100)
            for event in events:
                yield f"id: {json.loads(event)['id']}\nevent: post\ndata: {event}\n\n"
            position = last
            if not events and not await running.bell.wait(PING_SECONDS):
                yield "event: ping\ndata: {}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _put_webhook(running: Running, account: AccountRow, request: Request) -> Response:
    body = await read_body(request)
    await push.register(
        running.store, running.client, account.id, str(body.get("url", "")), str(body.get("secret", ""))
    )
    return JSONResponse({"url": body["url"]})


async def _delete_webhook(running: Running, account: AccountRow, request: Request) -> Response:
    del request
    with running.store.writing():
        running.store.run("DELETE FROM webhooks WHERE account = ?", account.id)
    return Response(status_code=204)


async def _post_media(running: Running, account: AccountRow, request: Request) -> Response:
    declared = number(request.headers.get("content-length"), "Content-Length", 0) or 0
    if declared > MEDIA_MAXIMUM_BYTES:
        raise Refused(413, f"The file is larger than {MEDIA_MAXIMUM_BYTES // 1_000_000} MB.")
    query = request.query_params
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    media = add_media(
        running.store,
        account.id,
        query.get("name", "file"),
        kind,
        await request.body(),
        alt=query.get("alt", "")[:1500],
    )
    return JSONResponse({"id": media, "url": f"{running.base_url}/media/{media}"}, status_code=201)


async def _create(running: Running, account: AccountRow, request: Request) -> Response:
    body = await read_body(request)
    key = body.get("idempotency_key")
    media = body.get("attachments") or []
    if not isinstance(media, list):
        raise Refused(422, "attachments is not a list.")
    to = number(body.get("to"), "to")
    if to is not None and not running.store.row("SELECT 1 FROM accounts WHERE id = ?", to):
        raise Refused(404, "There is no such person.")
    draft = Draft(
        author=account.id,
        text=str(body.get("text", "")),
        visibility=str(body.get("visibility", "public")),
        in_reply_to=number(body.get("in_reply_to"), "in_reply_to"),
        to=to,
        media=[str(item) for item in media],
        key=str(key) if key else None,
    )
    posted = create_post(running.store, running.base_url, draft, running.now())
    if posted.fresh:
        running.world.heard(posted.id)
        running.bell.ring()
    row = running.store.row("SELECT * FROM posts WHERE id = ?", posted.id)
    shown = snapshot(running.store, running.base_url, row, account.id) if row else {}
    return JSONResponse(shown, status_code=201 if posted.fresh else 200)


async def _own_posts(running: Running, account: AccountRow, request: Request) -> Response:
    query = request.query_params
    after = number(query.get("after"), "after", 0) or 0
    limit = max(1, min(500, number(query.get("limit"), "limit", 100) or 100))
    rows = running.store.rows(
        "SELECT * FROM posts WHERE author = ? AND id > ? AND created_at >= ? AND deleted_at IS NULL"
        " ORDER BY id LIMIT ?",
        account.id,
        after,
        _since(query.get("since", "")),
        limit,
    )
    shown = [snapshot(running.store, running.base_url, row, account.id) for row in rows]
    return JSONResponse({"posts": shown, "more": len(rows) == limit})


async def _by_key(running: Running, account: AccountRow, request: Request) -> Response:
    """What was posted with a key; also when it has been deleted since, for it was posted."""
    row = running.store.row(
        "SELECT * FROM posts WHERE author = ? AND key = ?",
        account.id,
        request.path_params["key"],
    )
    if row is None:
        raise Refused(404, "No post was made with this key.")
    return JSONResponse(snapshot(running.store, running.base_url, row, account.id))


async def _read(running: Running, account: AccountRow, request: Request) -> Response:
    row = visible_post(running.store, request.path_params["id"], account.id)
    return JSONResponse(snapshot(running.store, running.base_url, row, account.id))


async def _delete(running: Running, account: AccountRow, request: Request) -> Response:
    delete_post(running.store, request.path_params["id"], account.id, running.now())
    running.bell.ring()
    return Response(status_code=204)


async def _context(running: Running, account: AccountRow, request: Request) -> Response:
    row = visible_post(running.store, request.path_params["id"], account.id)
    above: list[dict[str, Any]] = []
    while row["parent"] and len(above) < 100:
        found = running.store.row("SELECT * FROM posts WHERE id = ?", row["parent"])
        if found is None:
            break
        row = found
        if row["deleted_at"] is None:
            above.append(snapshot(running.store, running.base_url, row, account.id))
    return JSONResponse({"ancestors": above[::-1]})


async def _like(running: Running, account: AccountRow, request: Request) -> Response:
    like_post(running.store, request.path_params["id"], account.id)
    return Response(status_code=204)


async def _hide(running: Running, account: AccountRow, request: Request) -> Response:
    hide_post(running.store, request.path_params["id"], account.id)
    return Response(status_code=204)


async def _media(running: Running, account: AccountRow, request: Request) -> Response:
    media = running.store.row("SELECT * FROM media WHERE id = ?", request.path_params["id"])
    if media is None:
        raise Refused(404, "There is no such file.")
    if media["account"] != account.id:
        visible_post(running.store, media["post"] or 0, account.id)
    return Response(
        media["data"], media_type=media["content_type"], headers={"X-Content-Type-Options": "nosniff"}
    )
