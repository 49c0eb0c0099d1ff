"""Posts and what becomes of them: every change is one transaction that also writes the events."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heard.connectorkit.counting import count
from heard.connectorkit.vocabulary import TextLimit

from .store import AccountRow, Store, iso

TEXT_LIMIT = TextLimit(maximum=500, url_cost=23)
MEDIA_COUNT = 4
MEDIA_MAXIMUM_BYTES = 8_000_000
MEDIA_TYPES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "video/mp4",
    "audio/mpeg",
    "application/pdf",
)
_HANDLE = re.compile(r"(?<![\w@/])@([A-Za-z0-9_]{1,30})")
_DEEPEST = 200


class Refused(Exception):
    """The Sandbox refuses: an HTTP status and a sentence for whoever asked."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Draft:
    """A post before it is one. ``to`` and ``in_reply_to`` are account and post numbers."""

    author: int
    text: str
    visibility: str = "public"
    in_reply_to: int | None = None
    to: int | None = None
    media: Sequence[str] = ()
    key: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """What stands there now; ``fresh`` is false when the key had been used before."""

    id: int
    fresh: bool
    created_at: float


def create_post(store: Store, base_url: str, draft: Draft, now: float) -> Posted:
    """Put ``draft`` on the network once per key; raises ``Refused``."""
    with store.writing():
        if draft.key is not None:
            before = store.row(
                "SELECT id, created_at FROM posts WHERE author = ? AND key = ?", draft.author, draft.key
            )
            if before is not None:
                return Posted(before["id"], fresh=False, created_at=before["created_at"])
        _check_text(draft)
        parent = _parent(store, draft)
        to = _recipient(store, draft, parent)
        number = _insert(store, draft, parent, to, now)
        announce(store, base_url, number, "post.created", now)
        return Posted(number, fresh=True, created_at=now)


def _check_text(draft: Draft) -> None:
    if not draft.text.strip() and not draft.media:
        raise Refused(422, "There is nothing to post.")
    if "\x00" in draft.text:
        raise Refused(422, "The text holds a NUL byte.")
    counted = count(draft.text, TEXT_LIMIT)
    if counted.over:
        raise Refused(422, f"The text is too long: {counted.used} of {counted.maximum} characters.")
    if draft.visibility not in ("public", "private"):
        raise Refused(422, "The visibility is public or private.")
    if len(draft.media) > MEDIA_COUNT:
        raise Refused(422, f"At most {MEDIA_COUNT} files can be attached.")


def _parent(store: Store, draft: Draft) -> sqlite3.Row | None:
    if draft.in_reply_to is None:
        return None
    parent = visible_post(store, draft.in_reply_to, draft.author)
    if parent["visibility"] == "private" and draft.visibility == "public":
        raise Refused(422, "A private message cannot be answered in public.")
    return parent


def _recipient(store: Store, draft: Draft, parent: sqlite3.Row | None) -> int | None:
    """Whom a private post is for; refuses when nobody, or somebody who does not want it."""
    if draft.visibility == "public":
        to = None
        reached = parent["author"] if parent else None
    else:
        to = draft.to
        if to is None and parent is not None:
            to = parent["author"] if parent["author"] != draft.author else parent["to_account"]
        if to is None or to == draft.author:
            raise Refused(422, "A private message needs somebody to go to.")
        reached = to
    if reached and store.row("SELECT 1 FROM blocks WHERE person = ? AND brand = ?", reached, draft.author):
        raise Refused(403, "This person does not want to hear from you any more.")
    return to


def _insert(store: Store, draft: Draft, parent: sqlite3.Row | None, to: int | None, now: float) -> int:
    private = draft.visibility == "private"
    thread = f"dm-{min(draft.author, to or 0)}-{max(draft.author, to or 0)}" if private else ""
    cursor = store.run(
        "INSERT INTO posts (author, text, language, visibility, parent, root, to_account, thread, mentions,"
        " attachments, key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        draft.author,
        draft.text,
        draft.language,
        draft.visibility,
        parent["id"] if parent else None,
        (parent["root"] or parent["id"]) if parent else None,
        to,
        thread,
        json.dumps(_mentioned(store, draft.text)),
        json.dumps(list(draft.media)),
        draft.key,
        now,
    )
    number = int(cursor.lastrowid or 0)
    for media in draft.media:
        taken = store.run(
            "UPDATE media SET post = ? WHERE id = ? AND account = ? AND post IS NULL",
            number,
            media,
            draft.author,
        )
        if taken.rowcount != 1:
            raise Refused(422, "One of the files is not there, or used already.")
    return number


def _mentioned(store: Store, text: str) -> list[int]:
    handles = list(dict.fromkeys(found.lower() for found in _HANDLE.findall(text)))[:20]
    accounts = [store.account_by("handle", handle) for handle in handles]
    return [account.id for account in accounts if account is not None]


def visible_post(store: Store, number: int, viewer: int | None) -> sqlite3.Row:
    """A post that stands and may be seen by an account (``None``: by the public); else ``Refused`` 404."""
    post = store.row("SELECT * FROM posts WHERE id = ? AND deleted_at IS NULL", number)
    if post is None or (
        post["visibility"] == "private" and viewer not in (post["author"], post["to_account"])
    ):
        raise Refused(404, "There is no such post.")
    return post


def edit_post(store: Store, base_url: str, number: int, *, author: int, text: str, now: float) -> None:
    """Replace the text; the version grows. Raises ``Refused``."""
    with store.writing():
        post = visible_post(store, number, author)
        if post["author"] != author:
            raise Refused(403, "This is not your post.")
        _check_text(Draft(author, text))
        store.run(
            "UPDATE posts SET text = ?, mentions = ?, version = version + 1, edited_at = ? WHERE id = ?",
            text,
            json.dumps(_mentioned(store, text)),
            now,
            number,
        )
        announce(store, base_url, number, "post.edited", now)


def delete_post(store: Store, number: int, author: int, now: float) -> None:
    """Take it down: its text is gone from earlier events too, as on real networks. Raises ``Refused``."""
    with store.writing():
        post = visible_post(store, number, author)
        if post["author"] != author:
            raise Refused(403, "This is not your post.")
        store.run("UPDATE posts SET text = '', attachments = '[]', deleted_at = ? WHERE id = ?", now, number)
        store.run("DELETE FROM media WHERE post = ?", number)
        told = recipients(store, post)
        store.run("DELETE FROM events WHERE post = ?", number)
        for account in told:
            _tell(store, account, "post.deleted", post=number, now=now, body=json.dumps({"id": str(number)}))


def like_post(store: Store, number: int, account: int) -> None:
    """Like it once. Raises ``Refused``."""
    with store.writing():
        visible_post(store, number, account)
        added = store.run("INSERT OR IGNORE INTO likes VALUES (?, ?)", number, account)
        store.run("UPDATE posts SET likes = likes + ? WHERE id = ?", added.rowcount, number)


def hide_post(store: Store, number: int, account: int) -> None:
    """Hide a comment under one's own post. Raises ``Refused``."""
    with store.writing():
        post = visible_post(store, number, account)
        root = store.row("SELECT author FROM posts WHERE id = ?", post["root"]) if post["root"] else None
        if root is None or root["author"] != account:
            raise Refused(403, "Only comments under your own posts can be hidden.")
        store.run("UPDATE posts SET hidden = 1 WHERE id = ?", number)


def add_media(store: Store, account: int, name: str, content_type: str, data: bytes, *, alt: str = "") -> str:
    """Keep a file for a post to come and give its id; raises ``Refused``."""
    if content_type not in MEDIA_TYPES:
        raise Refused(422, f"Files of the type {content_type[:60]} are not taken.")
    if len(data) > MEDIA_MAXIMUM_BYTES:
        raise Refused(413, f"The file is larger than {MEDIA_MAXIMUM_BYTES // 1_000_000} MB.")
    number = secrets.token_hex(8)
    with store.writing():
        store.run(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, NULL)",
            number,
            account,
            name[:200],
            content_type,
            alt,
            data,
        )
    return number


# -- what is told to whom -------------------------------------------------------------------------


def recipients(store: Store, post: sqlite3.Row) -> list[int]:
    """The brands that hear of a post.

    In private its author and whom it is for; in public everybody who wrote or was named in it or above
    it (apps carry a thread's names into every answer).
    """
    if post["visibility"] == "private":
        return _brands(store, {post["author"], post["to_account"]})
    above = store.rows(
        "WITH RECURSIVE up (parent, author, mentions, depth) AS ("
        " SELECT parent, author, mentions, 0 FROM posts WHERE id = ?"
        " UNION ALL SELECT p.parent, p.author, p.mentions, depth + 1 FROM posts p JOIN up ON p.id = up.parent"
        " WHERE depth < ?) SELECT author, mentions FROM up",
        post["id"],
        _DEEPEST,
    )
    concerned = {row["author"] for row in above}
    return _brands(store, concerned.union(*(json.loads(row["mentions"]) for row in above)))


def _brands(store: Store, accounts: set[int | None]) -> list[int]:
    known = [store.account(number) for number in accounts if number is not None]
    return sorted(account.id for account in known if account.kind == "brand")


def announce(store: Store, base_url: str, number: int, kind: str, now: float) -> None:
    """Write an event for every brand concerned, with the post as it is now."""
    post = store.row("SELECT * FROM posts WHERE id = ?", number)
    assert post is not None  # noqa: S101 - written in this very transaction
    for account in recipients(store, post):
        body = json.dumps(snapshot(store, base_url, post, account))
        _tell(store, account, kind, post=number, now=now, body=body)


def _tell(store: Store, account: int, kind: str, *, post: int, now: float, body: str) -> None:
    store.run(
        "INSERT INTO events (account, type, post, at, body) VALUES (?, ?, ?, ?, ?)",
        account,
        kind,
        post,
        now,
        body,
    )


def snapshot(store: Store, base_url: str, post: sqlite3.Row, viewer: int | None) -> dict[str, Any]:
    """A post as the API shows it. Only its author is shown the key it was sent with."""
    root = store.row("SELECT id, author FROM posts WHERE id = ?", post["root"]) if post["root"] else None
    to = store.account(post["to_account"]) if post["to_account"] else None
    return {
        "id": str(post["id"]),
        "url": f"{base_url}/p/{post['id']}",
        "author": person(store.account(post["author"]), base_url),
        "text": post["text"],
        "language": post["language"],
        "visibility": post["visibility"],
        "created_at": iso(post["created_at"]),
        "version": post["version"],
        "edited_at": iso(post["edited_at"]) if post["edited_at"] else None,
        "in_reply_to": str(post["parent"]) if post["parent"] else None,
        "root": {"id": str(root["id"]), "author_id": str(root["author"])} if root else None,
        "to": person(to, base_url) if to else None,
        "thread": post["thread"],
        "mentions": [person(store.account(number), base_url) for number in json.loads(post["mentions"])],
        "attachments": [_file(store, base_url, media) for media in json.loads(post["attachments"])],
        "likes": post["likes"],
        "hidden": bool(post["hidden"]),
        "idempotency_key": post["key"] if viewer == post["author"] else None,
    }


def person(account: AccountRow, base_url: str) -> dict[str, Any]:
    """An account as the API shows it."""
    return {
        "id": str(account.id),
        "handle": account.handle,
        "name": account.name,
        "url": f"{base_url}/@{account.handle}",
        "is_bot": False,
    }


def _file(store: Store, base_url: str, number: str) -> dict[str, Any]:
    media = store.row("SELECT name, content_type, alt, length(data) AS size FROM media WHERE id = ?", number)
    if media is None:
        return {"id": number, "type": "unknown"}
    return {
        "id": number,
        "type": media["content_type"].partition("/")[0],
        "url": f"{base_url}/media/{number}",
        "name": media["name"],
        "content_type": media["content_type"],
        "alt": media["alt"],
        "size_bytes": media["size"],
    }
