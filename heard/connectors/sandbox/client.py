"""The only file that knows the Sandbox's URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from heard.connectorkit.errors import Rejected, Unreachable
from heard.connectorkit.http import json_body, raise_for_status
from heard.connectorkit.net import Response
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import OutFile

PAGE_SIZE = 200


class Client:
    """One account's requests; every failure is one of the kit's errors."""

    def __init__(self, link: Link) -> None:
        self._net = link.net
        self._base = str(link.account.settings.get("address", "")).rstrip("/")
        self._headers = {"Authorization": f"Bearer {link.account.secrets.get('token', '')}"}

    def me(self) -> Any:
        """Whose token this is."""
        what = "Testing the credentials"
        return json_body(self._get("me", what), what=what)

    def events(self, after: str, since: datetime | None) -> Response:
        """One page of what we were told after an event id; ``since`` leaves older events out."""
        params: dict[str, Any] = {"after": after or "0", "limit": PAGE_SIZE}
        if since is not None:
            params["since"] = since.isoformat()
        return self._get("events", "Fetching what is new", params)

    def stream(self) -> Iterator[tuple[str, str]]:
        """Kind and data of each event on the open line, from now on."""
        with self._net.events(f"{self._base}/api/v1/stream", headers=self._headers, idle_seconds=45) as lines:
            for line in lines:
                yield line.event, line.data

    def context(self, post: str) -> Response:
        """What stands above a post."""
        return self._get(f"posts/{quote(post, safe='')}/context", "Fetching the thread")

    def post(self, body: Mapping[str, Any]) -> Any:
        """Post once; what then stands there."""
        what = "Posting"
        response = self._write("POST", "posts", what, body)
        return json_body(response, what=what, writes=True)

    def act(self, method: str, path: str, what: str) -> None:
        """Like, hide, delete."""
        self._write(method, path, what)

    def upload(self, file: OutFile) -> Any:
        """Hand over a file for a post to come: nobody sees it before, so a lost one does no harm."""
        what = "Uploading a file"
        response = self._net.request(
            "POST",
            f"{self._base}/api/v1/media",
            params={"name": file.name, "alt": file.alt},
            headers={**self._headers, "Content-Type": file.content_type},
            content=file.data,
            timeout_seconds=60,
        )
        raise_for_status(response, what=what, forbidden_rejects=True)
        return json_body(response, what=what)

    def by_key(self, key: str) -> Any | None:
        """What was posted with our key, if anything."""
        return self._find(f"posts/by-key/{quote(key, safe='')}", "Looking for the post")

    def find(self, post: str) -> Any | None:
        """A post that stands, if it does."""
        return self._find(f"posts/{quote(post, safe='')}", "Looking for the post")

    def own_posts(self, after: str, since: datetime) -> Mapping[str, Any]:
        """One page of our own posts; raises ``Unreachable`` for anything that is no page."""
        what = "Looking through our posts"
        params = {"author": "me", "after": after, "since": since.isoformat(), "limit": PAGE_SIZE}
        page = json_body(self._get("posts", what, params), what=what)
        if not isinstance(page, Mapping) or not isinstance(page.get("posts"), list):
            raise Unreachable(f"{what} failed: the server answered strangely.")
        return page

    def media(self, url: str, maximum_bytes: int) -> bytes:
        """The bytes of an attachment. Our token is shown to our own server only."""
        what = "Fetching the attachment"
        ours, theirs = urlsplit(self._base), urlsplit(url)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise Rejected(f"{what} was refused: it lies on another server.")
        response = self._net.request("GET", url, headers=self._headers, maximum_bytes=maximum_bytes)
        raise_for_status(response, what=what, forbidden_rejects=True)
        return response.content

    def _get(self, path: str, what: str, params: Mapping[str, Any] | None = None) -> Response:
        response = self._net.request(
            "GET", f"{self._base}/api/v1/{path}", params=params, headers=self._headers
        )
        raise_for_status(response, what=what)
        return response

    def _find(self, path: str, what: str) -> Any | None:
        response = self._net.request("GET", f"{self._base}/api/v1/{path}", headers=self._headers)
        if response.status_code == 404 and isinstance(json_body(response, what=what), dict):
            return None
        raise_for_status(response, what=what)
        return json_body(response, what=what)

    def _write(self, method: str, path: str, what: str, body: Mapping[str, Any] | None = None) -> Response:
        response = self._net.request(
            method, f"{self._base}/api/v1/{path}", json=body, headers=self._headers, writes=True
        )
        raise_for_status(response, what=what, writes=True, forbidden_rejects=True)
        return response
