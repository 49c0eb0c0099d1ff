"""Our account, and what is played of a Mastodon server."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from heard.connectorkit.errors import Unreachable
from heard.connectorkit.testing import (
    NOW,
    FakeResponse,
    FakeServerEvent,
    Headers,
    Request,
    account_for,
    full_url,
)
from heard.connectorkit.vocabulary import RawDelivery, Source
from heard.connectors.mastodon import CONNECTOR
from heard.connectors.mastodon.connector import MastodonConnector

FOLDER = Path(__file__).parents[1]


HOST = "https://social.example"


PATIENT = MastodonConnector(sleep=lambda seconds: None)


ACCOUNT = account_for(CONNECTOR.manifest, handle="nordwind@social.example", scope="social.example")


US = {"id": "1000", "acct": "nordwind", "username": "nordwind", "url": f"{HOST}/@nordwind"}


ANNA = {
    "id": "2001",
    "acct": "anna@village.example",
    "username": "anna",
    "url": "https://village.example/@anna",
}


BILAL = {"id": "2002", "acct": "bilal", "username": "bilal", "url": f"{HOST}/@bilal"}


def status(native_id, who=ANNA, content="<p>hello</p>", to=(US,), **changes):
    """A status as the server writes it."""
    usual = {
        "id": native_id,
        "created_at": NOW.isoformat(),
        "edited_at": None,
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "visibility": "public",
        "spoiler_text": "",
        "content": content,
        "account": who,
        "mentions": list(to),
        "media_attachments": [],
        "reblog": None,
        "uri": f"{HOST}/statuses/{native_id}",
        "url": f"{HOST}/@{who['username']}/{native_id}",
    }
    return {**usual, **changes}


def notification(native_id, about, **changes):
    return {
        "id": native_id,
        "type": "mention",
        "created_at": about["created_at"],
        "account": about["account"],
        "status": about,
        **changes,
    }


def received(payload, source=Source.POLL):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return list(CONNECTOR.receive(ACCOUNT, RawDelivery(source, body, NOW)))


class Server:
    """A Mastodon in memory, as far as we ask it: also the ``Net`` that leads to it."""

    def __init__(self):
        self.notifications: list[dict[str, Any]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        self.scopes: Any = ["read", "write"]
        self.page = 40
        self.favourited: set[str] = set()
        self.blocking: set[str] = set()
        self.answers: dict[str, FakeResponse] = {}
        self.events_to_send: list[FakeServerEvent] = []
        self.requests: list[Request] = []
        self.configuration: dict[str, Any] = {"statuses": {"max_characters": 1000}}

    def says(self, about, number):
        """Somebody mentions us."""
        self.statuses[about["id"]] = about
        self.notifications.append(notification(str(number), about))

    def request(self, method, url, *, headers=None, params=None, json=None, data=None, files=None, **more):
        address = full_url(url, params)
        path = urlsplit(url).path
        self.requests.append(
            Request(
                method,
                address,
                Headers(headers),
                json,
                data,
                None,
                tuple(files or ()),
                more.get("writes", False),
            )
        )
        if path in self.answers:
            return self.answers[path]
        return self._answer(method, path, params or {}, json)

    def _answer(self, method, path, params, body):
        if path == "/api/v1/accounts/verify_credentials":
            return ok({**US, "display_name": "Nordwind", "avatar": f"{HOST}/a.png"})
        if path == "/api/v1/apps/verify_credentials":
            return ok({"name": "Heard", "scopes": self.scopes})
        if path == "/api/v2/instance":
            return ok(
                {
                    "domain": "example.org",
                    "configuration": self.configuration,
                    "api_versions": {"mastodon": 10},
                }
            )
        if path == "/api/v1/notifications":
            return ok(self._page(self.notifications, params))
        if path == "/api/v1/accounts/1000/statuses":
            ours = [item for item in self.statuses.values() if item["account"]["id"] == "1000"]
            return ok(self._page(ours, params))
        if path == "/api/v1/accounts/relationships":
            return ok([{"id": who, "blocking": who in self.blocking} for who in params["id[]"]])
        if path == "/api/v1/statuses" and method == "GET":
            assert len(params["id[]"]) <= 20, "Mastodon refuses more"
            return ok([self.statuses[one] for one in params["id[]"] if one in self.statuses])
        return self._about_one(path)

    def _about_one(self, path):
        match = re.fullmatch(r"/api/v1/statuses/(\w+)(/context)?", path)
        if not match or match[1] not in self.statuses:
            return FakeResponse(404, b'{"error": "Record not found"}')
        found = self.statuses[match[1]]
        if not match[2]:
            return ok({**found, "favourited": match[1] in self.favourited})
        above: list[dict[str, Any]] = []
        while found["in_reply_to_id"] in self.statuses:
            found = self.statuses[found["in_reply_to_id"]]
            above.insert(0, found)
        below = [item for item in self.statuses.values() if item["in_reply_to_id"] == match[1]]
        return ok({"ancestors": above, "descendants": below})

    def _page(self, items, params):
        newest = sorted(items, key=lambda item: int(item["id"]), reverse=True)
        if "min_id" in params:
            above = [item for item in newest if int(item["id"]) > int(params["min_id"])]
            return above[-self.page :]
        if "max_id" in params:
            newest = [item for item in newest if int(item["id"]) < int(params["max_id"])]
        return newest[: self.page]

    @contextmanager
    def events(self, url, *, headers=None, **more):
        self.requests.append(Request("GET", url, Headers(headers)))

        def lines():
            yield from self.events_to_send
            raise Unreachable("The stream fell silent.")

        yield lines()


def ok(value, code=200):
    return FakeResponse(code, json.dumps(value).encode(), Headers({"Content-Type": "application/json"}))
