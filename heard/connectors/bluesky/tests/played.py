"""Our account, and what is played of Bluesky: records, lists, a server with a session."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from heard.connectorkit.testing import NOW, account_for, link
from heard.connectorkit.vocabulary import RawDelivery, Source
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.backlog import Track, read_back
from heard.connectors.bluesky.session import ACCESS, REFRESH
from heard.connectors.bluesky.syntax import format_datetime, parse_datetime

FOLDER = Path(__file__).parents[1]


US = "did:plc:nordwindnordwindnordwind"


ANNA = "did:plc:annabergannabergannaberga"


CID = "bafyreifu3x4g7pajsysm7pjevqxouxcif3k337jkef5ssvkhy3ob4krsri"


XRPC = "https://bsky.social/xrpc/"


def our_account(**changes):
    setting = {"handle": "nordwind.test", "service": "https://bsky.social", **changes.pop("settings", {})}
    base = account_for(CONNECTOR.manifest, native_id=US, handle="nordwind.test", settings=setting)
    return dataclasses.replace(base, **changes)


def look(source, cursor, now, calls=50):
    """Everything new, as the platform would ask for it, with the cursor through JSON each time."""
    found = []
    for _ in range(calls):
        track = Track.from_json(json.loads(json.dumps(cursor)))
        result = read_back(
            source.page, track, now,
            name=lambda entry: entry["uri"], time=lambda entry: parse_datetime(entry["indexedAt"]),
        )  # fmt: skip
        found += [entry["uri"] for page in result.pages for entry in page]
        cursor = result.track.to_json()
        if not result.more:
            return found, cursor
    raise AssertionError("it never came to an end")


class Server:
    """A data server and app view in memory: tokens that rotate, records, notifications, faults."""

    def __init__(self):
        self.sessions = 0
        self.access = self.refresh = ""
        self.records = {}
        self.requests = []
        self.answers: dict[str, Any] = {
            "app.bsky.notification.listNotifications": {"notifications": []},
            "app.bsky.feed.getAuthorFeed": {"feed": []},
        }
        self.lock = threading.Lock()
        self.issue()

    def issue(self):
        self.sessions += 1
        self.access, self.refresh = f"access-{self.sessions}", f"refresh-{self.sessions}"

    @property
    def tokens(self):
        return {ACCESS: self.access, REFRESH: self.refresh}

    def request(self, method, url, *, headers=None, params=None, json=None, writes=False, **rest):
        with self.lock:
            name = url.removeprefix(XRPC)
            self.requests.append((name, dict(headers or {}).get("authorization", ""), writes))
            return self._answer(name, dict(headers or {}), json or params or {})

    def _answer(self, name, headers, given):
        if name.endswith("createSession"):
            if given["password"] != "right":
                return reply(401, {"error": "AuthenticationRequired", "message": "Invalid"})
            self.issue()
            return reply(200, {"did": US, "handle": "nordwind.test", **self.tokens})
        if name.endswith("refreshSession"):
            if headers["authorization"] != f"Bearer {self.refresh}":
                return reply(400, {"error": "ExpiredToken", "message": "Token has been revoked"})
            self.issue()
            return reply(200, {"did": US, "handle": "nordwind.test", **self.tokens})
        if headers.get("authorization") != f"Bearer {self.access}":
            return reply(400, {"error": "ExpiredToken", "message": "Token has expired"})
        answer = self.answers.get(name, {})
        return answer(given) if callable(answer) else reply(200, answer)

    def asked(self, name):
        return [request for request in self.requests if request[0].endswith(name)]


def reply(status, body, **headers):
    from heard.connectorkit.testing import FakeResponse, Headers

    return FakeResponse(status, json.dumps(body).encode(), Headers(headers))


def opened(server, vault, **changes):
    return link(our_account(**changes), server, vault)


def notification(number, reason="mention", did=ANNA):
    uri = f"at://{did}/app.bsky.feed.post/3n2vzj{number:07}"
    record = {
        "$type": "app.bsky.feed.post",
        "text": f"number {number}",
        "createdAt": "2026-03-02T09:00:00.000Z",
    }
    at = format_datetime(NOW - timedelta(minutes=number))
    author = {"did": did, "handle": "anna.test"}
    return {"uri": uri, "cid": CID, "author": author, "reason": reason, "record": record, "indexedAt": at}


def read(body, account=None, source=Source.POLL):
    return CONNECTOR.receive(account or our_account(), RawDelivery(source, body, NOW))


CHAT = {"direct_messages": "on"}
