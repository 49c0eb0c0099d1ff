"""The control API: whoever runs the Sandbox makes accounts, people, storms and faults, and counts."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import storms
from .api import answered, number, read_body, refusal
from .faults import Faults, read_fault
from .posts import Draft, Refused, add_media, create_post, delete_post, edit_post
from .running import Running
from .store import AccountRow, iso

Handler = Callable[[Running, Request], Awaitable[Response]]


def routes(running: Running, faults: Faults) -> list[Route]:
    """Every address of the control API."""
    running.faults = faults
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/control/status", _status),
        ("POST", "/control/accounts", _add_account),
        ("GET", "/control/accounts", _accounts),
        ("POST", "/control/say", _say),
        ("PUT", "/control/posts/{id:int}", _edit),
        ("DELETE", "/control/posts/{id:int}", _delete),
        ("GET", "/control/posts", _posts),
        ("GET", "/control/said", _said),
        ("POST", "/control/storm", _storm),
        ("PUT", "/control/pace", _pace),
        ("POST", "/control/block", _block),
        ("GET", "/control/faults", _faults),
        ("POST", "/control/faults", _add_fault),
        ("DELETE", "/control/faults", _clear_faults),
    ]
    return [Route(path, _guarded(running, handler), methods=[method]) for method, path, handler in table]


def _guarded(running: Running, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(token.encode(), running.control_token.encode()):
            return refusal(401, "The control token is not valid.")
        return await answered(handler(running, request))

    return endpoint


async def _status(running: Running, request: Request) -> Response:
    del request
    counts = running.store.row(
        "SELECT (SELECT count(*) FROM posts WHERE deleted_at IS NULL) AS posts,"
        " (SELECT count(*) FROM accounts WHERE kind = 'person') AS people,"
        " (SELECT count(*) FROM stories WHERE state = 'waiting') AS waiting,"
        " (SELECT count(*) FROM stories WHERE state = 'settled') AS settled,"
        " (SELECT count(*) FROM stories WHERE state = 'gone') AS gone,"
        " (SELECT coalesce(sum(people - spoken), 0) FROM storms) AS still_to_speak"
    )
    return JSONResponse(
        {
            "url": running.base_url,
            "brands": [_account(account) for account in running.store.brands()],
            "messages_per_minute": running.world.pace.messages_per_minute,
            "speed": running.world.pace.speed,
            "quiet": running.world.pace.quiet,
            **(dict(counts) if counts else {}),
        }
    )


def _account(account: AccountRow) -> dict[str, Any]:
    return {
        "id": str(account.id),
        "handle": account.handle,
        "name": account.name,
        "kind": account.kind,
        "token": account.token,
        "language": account.language,
    }


async def _add_account(running: Running, request: Request) -> Response:
    body = await read_body(request)
    handle = str(body.get("handle", "")).lower()
    kind = str(body.get("kind", "person"))
    if not handle.replace("_", "a").isalnum() or not handle.isascii() or len(handle) > 30:
        raise Refused(422, "A handle has 1 to 30 letters, digits and underscores.")
    if kind not in ("brand", "person"):
        raise Refused(422, "An account is a brand or a person.")
    with running.store.writing():
        account = running.store.add_account(
            handle,
            str(body.get("name") or handle),
            kind,
            now=running.now(),
            language=str(body.get("language", "en")),
        )
    return JSONResponse(_account(account), status_code=201)


async def _accounts(running: Running, request: Request) -> Response:
    kind = request.query_params.get("kind", "brand")
    rows = running.store.rows("SELECT id FROM accounts WHERE kind = ? ORDER BY id LIMIT 10000", kind)
    return JSONResponse({"accounts": [_account(running.store.account(row["id"])) for row in rows]})


async def _say(running: Running, request: Request) -> Response:
    """One message, or ``{"messages": [...]}`` of up to 1,000 in one transaction."""
    body = await read_body(request)
    messages = body.get("messages", [body])
    if not isinstance(messages, list) or len(messages) > 1_000:
        raise Refused(422, "messages is a list of at most 1,000.")
    with running.store.writing():
        said = [_said_by(running, message) for message in messages]
    running.bell.ring()
    return JSONResponse({"said": said} if "messages" in body else said[0], status_code=201)


def _said_by(running: Running, message: Any) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise Refused(422, "A message is an object.")
    speaker = _speaker(running, str(message.get("as", "")).lower())
    kind = str(message.get("kind", "mention"))
    if kind not in ("mention", "direct", "comment", "post"):
        raise Refused(422, "The kind is mention, direct, comment or post.")
    brand = _brand(running, str(message.get("to", "")).lower())
    text = str(message.get("text", ""))
    if kind == "mention" and f"@{brand.handle}" not in text.lower():
        text = f"@{brand.handle} {text}"
    draft = Draft(
        author=speaker.id,
        text=text,
        visibility="private" if kind == "direct" else "public",
        in_reply_to=number(message.get("in_reply_to"), "in_reply_to"),
        to=brand.id if kind == "direct" else None,
        media=[_file(running, speaker, item) for item in message.get("attachments") or []],
        language=str(message.get("language", speaker.language)),
        key=str(message["key"]) if message.get("key") else None,
    )
    posted = create_post(running.store, running.base_url, draft, running.now())
    return {"id": str(posted.id), "at": iso(posted.created_at), "as": speaker.handle}


def _speaker(running: Running, handle: str) -> AccountRow:
    if not handle.replace("_", "a").isalnum() or not handle.isascii() or len(handle) > 30:
        raise Refused(422, "Somebody has to say it: give “as”, a handle.")
    name = handle.replace("_", " ").title()
    return running.store.account_by("handle", handle) or running.store.add_account(
        handle, name, "person", now=running.now()
    )


def _brand(running: Running, handle: str) -> AccountRow:
    if handle:
        found = running.store.account_by("handle", handle)
        if found is None:
            raise Refused(404, f"There is no account {handle[:30]}.")
        return found
    brands = running.store.brands()
    if not brands:
        raise Refused(404, "There is no brand to speak to.")
    return brands[0]


def _file(running: Running, speaker: AccountRow, item: Any) -> str:
    try:
        data = base64.b64decode(item["data"], validate=True)
        return add_media(
            running.store, speaker.id, item["name"], item["content_type"], data, alt=str(item.get("alt", ""))
        )
    except (KeyError, TypeError, binascii.Error) as error:
        raise Refused(422, "A file has name, content_type and data (base64).") from error


async def _edit(running: Running, request: Request) -> Response:
    body = await read_body(request)
    post = _post(running, request)
    edit_post(
        running.store,
        running.base_url,
        post["id"],
        author=post["author"],
        text=str(body.get("text", "")),
        now=running.now(),
    )
    running.bell.ring()
    return Response(status_code=204)


async def _delete(running: Running, request: Request) -> Response:
    post = _post(running, request)
    delete_post(running.store, post["id"], post["author"], running.now())
    running.bell.ring()
    return Response(status_code=204)


def _post(running: Running, request: Request) -> dict[str, Any]:
    row = running.store.row("SELECT id, author FROM posts WHERE id = ?", request.path_params["id"])
    if row is None:
        raise Refused(404, "There is no such post.")
    return dict(row)


async def _posts(running: Running, request: Request) -> Response:
    """Everything that stands, deleted posts left out; ``author`` is a handle."""
    return _listed(running, request, "a.handle = ?", [request.query_params.get("author", "")])


async def _said(running: Running, request: Request) -> Response:
    """Everything that people (not companies) said, deleted or not, for whoever counts afterwards."""
    return _listed(running, request, "a.kind = ?", ["person"], deleted=True)


def _listed(
    running: Running, request: Request, where: str, values: list[Any], *, deleted: bool = False
) -> Response:
    after = number(request.query_params.get("after"), "after", 0) or 0
    limit = max(1, min(10_000, number(request.query_params.get("limit"), "limit", 1_000) or 1_000))
    if values == [""]:
        where, values = "1 = 1", []
    rows = running.store.rows(
        f"SELECT p.*, a.handle FROM posts p JOIN accounts a ON a.id = p.author WHERE {where} AND p.id > ?"
        f"{'' if deleted else ' AND p.deleted_at IS NULL'} ORDER BY p.id LIMIT ?",
        *values,
        after,
        limit,
    )
    shown = [
        {
            "id": str(row["id"]),
            "at": iso(row["created_at"]),
            "as": row["handle"],
            "text": row["text"],
            "visibility": row["visibility"],
            "in_reply_to": str(row["parent"]) if row["parent"] else None,
            "mentions": [str(mention) for mention in json.loads(row["mentions"])],
            "to": str(row["to_account"]) if row["to_account"] else None,
            "key": row["key"],
            "version": row["version"],
            "deleted": row["deleted_at"] is not None,
        }
        for row in rows
    ]
    return JSONResponse({"posts": shown, "more": len(rows) == limit})


async def _storm(running: Running, request: Request) -> Response:
    body = await read_body(request)
    brand = _brand(running, str(body.get("to", "")).lower())
    people = number(body.get("people"), "people", 50) or 0
    try:
        minutes = float(body.get("minutes", 2))
    except (TypeError, ValueError) as error:
        raise Refused(422, "minutes is not a number.") from error
    storm = storms.begin(running.world, brand, str(body.get("matter", "data_leak")), people, minutes)
    return JSONResponse({"id": str(storm)}, status_code=201)


async def _pace(running: Running, request: Request) -> Response:
    body = await read_body(request)
    pace = running.world.pace
    try:
        pace.messages_per_minute = max(0.0, float(body.get("messages_per_minute", pace.messages_per_minute)))
        pace.speed = max(0.0, float(body.get("speed", pace.speed)))
    except (TypeError, ValueError) as error:
        raise Refused(422, "The pace is given in numbers.") from error
    pace.quiet = bool(body.get("quiet", pace.quiet))
    return await _status(running, request)


async def _block(running: Running, request: Request) -> Response:
    """``as`` does not want to hear from ``to`` any more."""
    body = await read_body(request)
    speaker = _speaker(running, str(body.get("as", "")).lower())
    brand = _brand(running, str(body.get("to", "")).lower())
    with running.store.writing():
        running.store.run("INSERT OR IGNORE INTO blocks VALUES (?, ?)", speaker.id, brand.id)
    return Response(status_code=204)


async def _faults(running: Running, request: Request) -> Response:
    del request
    standing = running.faults.standing if running.faults else []
    return JSONResponse({"faults": [fault.plain() for fault in standing]})


async def _add_fault(running: Running, request: Request) -> Response:
    fault = read_fault(await read_body(request))
    if running.faults:
        running.faults.add(fault)
    return JSONResponse(fault.plain(), status_code=201)


async def _clear_faults(running: Running, request: Request) -> Response:
    del request
    if running.faults:
        running.faults.clear()
    return Response(status_code=204)
