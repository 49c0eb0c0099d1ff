"""What is new since the cursor, and what has changed among what we saw lately.

Notifications and our own posts are read upwards from the last ids (``min_id``), so an outage of any
length leaves no gap. Two things are not told that way: edits and deletions of posts we have seen,
and a notification whose id was given out early but whose row appeared late. So every few minutes we
look again at the newest notifications and at the last statuses we saw, and hand on what differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit.errors import RateLimited, Rejected, Unreachable
from heard.connectorkit.payload import want_instant, want_list, want_mapping, want_text
from heard.connectorkit.vocabulary import Account, Page

from .client import BY_ID, Client
from .mapping import TELLING_NOTIFICATIONS

#: How far back, and in how many pages, a first run goes.
FIRST_PAGES = 5
FIRST_DAYS = 14
LOOK_AGAIN_SECONDS = 300
#: How many statuses are watched for edits and deletions, and how many notification ids remembered.
WATCHED = 4 * BY_ID
REMEMBERED = 80
#: Statuses missing from a look are asked for one by one before we believe that they are gone.
GONE_AT_ONCE = 5

Entries = Sequence[Mapping[str, Any]]
Ask = Callable[..., tuple[bytes, Entries]]


@dataclass(slots=True)
class Cursor:
    """Where we are. ``watched`` maps status ids to their edit times, the latest seen last."""

    notifications: str = ""
    statuses: str = ""
    watched: dict[str, str] = field(default_factory=dict)
    remembered: list[str] = field(default_factory=list)
    looked_at: datetime | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Cursor:
        """From its stored form; what does not fit is left out, which at worst repeats something."""
        known = stored or {}
        watched = want_mapping(known, "watched").items()
        return cls(
            notifications=want_text(known, "notifications"),
            statuses=want_text(known, "statuses"),
            watched={str(key): value for key, value in watched if isinstance(value, str)},
            remembered=[item for item in want_list(known, "remembered") if isinstance(item, str)],
            looked_at=want_instant(known.get("looked_at")),
        )

    def plain(self) -> Mapping[str, Any]:
        """JSON-ready form."""
        return {
            "notifications": self.notifications,
            "statuses": self.statuses,
            "watched": dict(self.watched),
            "remembered": list(self.remembered),
            "looked_at": self.looked_at.isoformat() if self.looked_at else None,
        }

    def watch(self, statuses: Iterable[Mapping[str, Any]]) -> None:
        """Remember these as the latest seen."""
        for status in statuses:
            native_id = want_text(status, "id")
            if native_id:
                self.watched.pop(native_id, None)
                self.watched[native_id] = want_text(status, "edited_at")
        for native_id in list(self.watched)[:-WATCHED]:
            del self.watched[native_id]

    def remember(self, notifications: Entries) -> None:
        """Remember the ids of these notifications (newest first)."""
        new = [want_text(item, "id") for item in reversed(notifications)]
        self.remembered = [*(item for item in self.remembered if item not in new), *new][-REMEMBERED:]


def catch_up(client: Client, account: Account, stored: Mapping[str, Any] | None, now: datetime) -> Page:
    """One step. Own posts come before notifications, so that an answer finds what it answers."""
    first = stored is None
    cursor = Cursor.read(stored)
    before = (cursor.statuses, cursor.notifications)
    bodies = [*_own(client, account, cursor, now), *_told(client, account, cursor, now)]
    # Another page may wait as long as one brings something new; a server may cap pages as it likes.
    more = not first and before != (cursor.statuses, cursor.notifications)
    if first:
        cursor.looked_at = now
    elif not more and _due(cursor, now):
        cursor.looked_at = now
        bodies += _look_again(client, account, cursor)
    return Page(bodies=bodies, cursor=cursor.plain(), more=more)


def _own(client: Client, account: Account, cursor: Cursor, now: datetime) -> list[bytes]:
    def ask(**page: str) -> tuple[bytes, Entries]:
        return client.own_statuses(account.native_id, **page)

    pages = _pages(ask, cursor.statuses, now)
    cursor.statuses = _newest(pages) or cursor.statuses
    for _, entries in reversed(pages):
        cursor.watch(reversed(entries))
    return [body for body, _ in pages]


def _told(client: Client, account: Account, cursor: Cursor, now: datetime) -> list[bytes]:
    types = wanted_types(account)

    def ask(**page: str) -> tuple[bytes, Entries]:
        return client.notifications(types, **page)

    pages = _pages(ask, cursor.notifications, now)
    cursor.notifications = _newest(pages) or cursor.notifications
    for _, entries in reversed(pages):
        cursor.remember(entries)
        cursor.watch(want_mapping(item, "status") for item in reversed(entries))
    return [body for body, _ in pages]


def wanted_types(account: Account) -> Sequence[str]:
    """The notifications we ask for. Quotes are asked for where the server knows them (Mastodon 4.5):
    servers that only resemble Mastodon may refuse a word they do not know."""
    version = want_mapping(account.limits, "api_versions").get("mastodon")
    knows_quotes = isinstance(version, int) and version >= 7
    return [kind for kind in TELLING_NOTIFICATIONS if kind != "quote" or knows_quotes]


def _pages(ask: Ask, known: str, now: datetime) -> list[tuple[bytes, Entries]]:
    """Upwards from ``known`` one page; without it, downwards from the newest through the recent past."""
    pages: list[tuple[bytes, Entries]] = []
    body, entries = ask(min_id=known)
    while entries:
        pages.append((body, entries))
        oldest = want_text(entries[-1], "id")
        written = want_instant(entries[-1].get("created_at"))
        old_enough = written is not None and written < now - timedelta(days=FIRST_DAYS)
        if known or old_enough or not oldest or len(pages) == FIRST_PAGES:
            break
        body, entries = ask(max_id=oldest)
    return pages


def _newest(pages: Sequence[tuple[bytes, Entries]]) -> str:
    """Ids are opaque, so "newest" is what the server sorted first, on the first page."""
    return want_text(pages[0][1][0], "id") if pages else ""


def _due(cursor: Cursor, now: datetime) -> bool:
    return cursor.looked_at is None or now - cursor.looked_at >= timedelta(seconds=LOOK_AGAIN_SECONDS)


def _look_again(client: Client, account: Account, cursor: Cursor) -> list[bytes]:
    """Best effort: what fails here is tried again in a few minutes, and stops nobody's messages."""
    bodies = []
    try:
        body, entries = client.notifications(wanted_types(account))
        if any(want_text(item, "id") not in cursor.remembered for item in entries):
            cursor.remember(entries)
            bodies.append(body)
        changed, gone = _changes(client, cursor)
    except (RateLimited, Rejected, Unreachable):
        return bodies
    if changed or gone:
        bodies.append(json.dumps({"looked_again": changed, "gone": gone}).encode())
    return bodies


def _changes(client: Client, cursor: Cursor) -> tuple[list[Mapping[str, Any]], list[str]]:
    changed: list[Mapping[str, Any]] = []
    gone: list[str] = []
    watched = list(cursor.watched)
    for start in range(0, len(watched), BY_ID):
        asked = watched[start : start + BY_ID]
        found = client.statuses(asked)
        if found is None:
            break
        changed += [item for item in found if _was_edited(cursor, item)]
        there = {want_text(item, "id") for item in found}
        missing = [native_id for native_id in asked if native_id not in there]
        sure = missing[: GONE_AT_ONCE - len(gone)]
        gone += [native_id for native_id in sure if client.status(native_id) is None]
    for item in changed:
        cursor.watched[want_text(item, "id")] = want_text(item, "edited_at")
    for native_id in gone:
        del cursor.watched[native_id]
    return changed, gone


def _was_edited(cursor: Cursor, status: Mapping[str, Any]) -> bool:
    native_id = want_text(status, "id")
    return native_id in cursor.watched and cursor.watched[native_id] != want_text(status, "edited_at")
