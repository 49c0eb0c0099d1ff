"""The square: plain pages that show what stands on the network, for people's eyes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import escape
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .posts import Refused, visible_post
from .running import Running

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LATEST = 60
_PER_THREAD = 200


def routes(running: Running) -> list[Route]:
    """The square, an account's page, one thread, the style sheet, the pictures."""

    def page(show: Callable[[Running, Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return show(running, request)
            except Refused as refused:
                return _page("Not here", f"<p class='empty'>{escape(refused.sentence)}</p>", refused.status)

        return endpoint

    return [
        Route("/", page(_square)),
        Route("/@{handle}", page(_profile)),
        Route("/p/{id:int}", page(_thread)),
        Route("/picture/{id}", page(_picture)),
        Route("/square.css", page(_style)),
        Route("/favicon.ico", page(_no_icon)),
    ]


def _square(running: Running, request: Request) -> Response:
    del request
    roots = running.store.rows(
        "SELECT * FROM posts WHERE parent IS NULL AND visibility = 'public' AND deleted_at IS NULL"
        " ORDER BY id DESC LIMIT ?",
        _LATEST,
    )
    shown = "".join(_post(running, root, answers=_answers(running, root["id"])) for root in roots)
    return _page("The square", shown or "<p class='empty'>Nobody has said anything yet.</p>", refresh=True)


def _profile(running: Running, request: Request) -> Response:
    account = running.store.account_by("handle", request.path_params["handle"].lower())
    if account is None:
        raise Refused(404, "Nobody here has this name.")
    posts = running.store.rows(
        "SELECT * FROM posts WHERE author = ? AND visibility = 'public' AND deleted_at IS NULL"
        " ORDER BY id DESC LIMIT ?",
        account.id,
        _LATEST,
    )
    head = f"<h2>{escape(account.name)} <span class='handle'>@{escape(account.handle)}</span></h2>"
    return _page(account.name, head + "".join(_post(running, post) for post in posts))


def _thread(running: Running, request: Request) -> Response:
    post = visible_post(running.store, request.path_params["id"], None)
    root = visible_post(running.store, post["root"] or post["id"], None)
    tree = running.store.rows(
        "SELECT * FROM posts WHERE root = ? AND visibility = 'public' AND deleted_at IS NULL"
        " ORDER BY id LIMIT ?",
        root["id"],
        _PER_THREAD,
    )
    below: dict[int, list[sqlite3.Row]] = {}
    for row in tree:
        below.setdefault(row["parent"], []).append(row)
    return _page("A thread", _post(running, root) + _branch(running, below, root["id"], 0), refresh=True)


def _branch(running: Running, below: dict[int, list[sqlite3.Row]], number: int, depth: int) -> str:
    if number not in below:
        return ""
    shown = "".join(
        f"<li>{_post(running, row)}{_branch(running, below, row['id'], depth + 1)}</li>"
        for row in below[number]
    )
    # Deep trees stop moving to the right, so that a phone can still show them.
    return f"<ul class='branch{' flat' if depth > 4 else ''}'>{shown}</ul>"


def _answers(running: Running, root: int) -> int:
    row = running.store.row(
        "SELECT count(*) AS answers FROM posts"
        " WHERE root = ? AND visibility = 'public' AND deleted_at IS NULL",
        root,
    )
    return int(row["answers"]) if row else 0


def _post(running: Running, post: sqlite3.Row, *, answers: int = 0) -> str:
    author = running.store.account(post["author"])
    at = datetime.fromtimestamp(post["created_at"], UTC)
    initials = "".join(word[0] for word in author.name.split()[:2])
    language = f" lang='{escape(post['language'])}'" if post["language"] else ""
    parts = [
        f"<article class='{author.kind}{' hidden' if post['hidden'] else ''}' id='p{post['id']}'>",
        f"<div class='face tone{author.id % 6}' aria-hidden='true'>{escape(initials)}</div>",
        f"<header><a href='/@{escape(author.handle)}'><b>{escape(author.name)}</b>",
        f" <span class='handle'>@{escape(author.handle)}</span></a>",
        f" <a class='when' href='/p/{post['id']}'>",
        f"<time datetime='{at.isoformat()}'>{at:%d %b, %H:%M}</time></a>",
        f"{' · edited' if post['edited_at'] else ''}</header>",
        f"<p dir='auto'{language}>{escape(post['text'])}</p>",
        *(_shown_picture(running, media) for media in json.loads(post["attachments"])),
        _footer(post, answers),
        "</article>",
    ]
    return "".join(parts)


def _footer(post: sqlite3.Row, answers: int) -> str:
    said = []
    if answers:
        said.append(f"<a href='/p/{post['id']}'>{answers} {'answer' if answers == 1 else 'answers'}</a>")
    if post["likes"]:
        said.append(f"{post['likes']} {'like' if post['likes'] == 1 else 'likes'}")
    return f"<footer>{' · '.join(said)}</footer>" if said else ""


def _shown_picture(running: Running, media: str) -> str:
    row = running.store.row("SELECT content_type, alt FROM media WHERE id = ?", media)
    if row is None or not row["content_type"].startswith("image/"):
        return "<p class='file'>A file is attached.</p>"
    return f"<img src='/picture/{escape(media)}' alt='{escape(row['alt'])}' loading='lazy'>"


def _picture(running: Running, request: Request) -> Response:
    row = running.store.row(
        "SELECT m.data, m.content_type FROM media m JOIN posts p ON p.id = m.post"
        " WHERE m.id = ? AND p.visibility = 'public' AND p.deleted_at IS NULL",
        request.path_params["id"],
    )
    if row is None or not row["content_type"].startswith("image/"):
        raise Refused(404, "There is no such picture.")
    return Response(row["data"], media_type=row["content_type"], headers=HEADERS)


def _style(running: Running, request: Request) -> Response:
    del running, request
    sheet = resources.files(__package__).joinpath("static", "square.css").read_bytes()
    return Response(sheet, media_type="text/css", headers=HEADERS)


def _no_icon(running: Running, request: Request) -> Response:
    """Browsers ask for one whatever the page says; a 404 would be an error in their consoles."""
    del running, request
    return Response(status_code=204)


def _page(title: str, body: str, status: int = 200, *, refresh: bool = False) -> Response:
    again = "<meta http-equiv='refresh' content='15'>" if refresh else ""
    html = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"{again}<title>{escape(title)} · Sandbox</title><link rel='stylesheet' href='/square.css'></head>"
        "<body><header class='top'><h1><a href='/'>Sandbox</a></h1>"
        "<p>A simulated public. Nobody here is real.</p></header>"
        f"<main>{body}</main></body></html>"
    )
    return Response(html, status_code=status, media_type="text/html", headers=HEADERS)
