"""Mastodon's HTTP API: the only file that knows its URLs.

Every method returns plain JSON values or raises the errors of ``connectorkit``. The token goes into
a header, to the account's own server (and the streaming server it names), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from heard.connectorkit.errors import CredentialsRefused, OutcomeUnknown, Rejected, Unreachable, Unsupported
from heard.connectorkit.http import json_body, own_sentence, raise_for_status
from heard.connectorkit.net import Net, Response, ServerEvent
from heard.connectorkit.payload import want_mapping, want_text
from heard.connectorkit.vocabulary import Account, OutFile

#: The most entries that Mastodon gives in one page of notifications or statuses.
PAGE = 40
#: The most statuses that may be asked for by id at once.
BY_ID = 20
#: Mastodon sends a heartbeat every 15 seconds; three missed ones are a dead line.
STREAM_IDLE_SECONDS = 60.0
UPLOAD_TIMEOUT_SECONDS = 60.0
#: How often a media server may send us on.
MEDIA_HOPS = 4
#: Words in a 403 that speak of our token or account, not of the message.
_ABOUT_US = ("scope", "suspended", "disabled", "not confirmed", "confirmed e-mail", "login is")


class Client:
    """One account on one server."""

    def __init__(self, net: Net, account: Account) -> None:
        self._net = net
        self._base = base_url(str(account.settings.get("server_url", "")))
        self._headers = {"Authorization": f"Bearer {_token(account)}", "Accept": "application/json"}
        self._streaming = _streaming_base(self._base, account)

    def whoami(self) -> Mapping[str, Any]:
        """The account behind the token."""
        return self._object("/api/v1/accounts/verify_credentials", "Signing in")

    def instance(self) -> Mapping[str, Any]:
        """The server's description of itself, with its limits."""
        return self._object("/api/v2/instance", "Asking the server for its limits")

    def scopes(self) -> Sequence[str]:
        """What our token may do; empty where the server does not say (before Mastodon 4.3)."""
        response = self._request("GET", "/api/v1/apps/verify_credentials")
        if response.status_code != 200:
            return ()
        found = json_body(response, what="Asking for the token's permissions")
        scopes = found.get("scopes") if isinstance(found, Mapping) else None
        return [item for item in scopes if isinstance(item, str)] if isinstance(scopes, list) else ()

    def notifications(
        self, types: Sequence[str], *, min_id: str = "", max_id: str = ""
    ) -> tuple[bytes, Sequence[Mapping[str, Any]]]:
        """One page as it came and as read: next above ``min_id``, next below ``max_id``, or the newest.

        Always newest first, as the server sorts.
        """
        params = {"types[]": list(types), "limit": PAGE, **_page(min_id, max_id)}
        return self._page("/api/v1/notifications", params, "Reading notifications")

    def own_statuses(
        self, native_id: str, *, min_id: str = "", max_id: str = ""
    ) -> tuple[bytes, Sequence[Mapping[str, Any]]]:
        """One page of what ``native_id`` (we) wrote, without boosts; paged like notifications."""
        params = {"exclude_reblogs": "true", "limit": PAGE, **_page(min_id, max_id)}
        path = f"/api/v1/accounts/{_segment(native_id)}/statuses"
        return self._page(path, params, "Reading our own posts")

    def statuses(self, native_ids: Sequence[str]) -> Sequence[Mapping[str, Any]] | None:
        """Up to ``BY_ID`` statuses; those that are gone are missing. ``None``: the server cannot do this
        (before Mastodon 4.3)."""
        response = self._request("GET", "/api/v1/statuses", params={"id[]": list(native_ids)})
        if response.status_code in (400, 404, 405, 422):
            return None
        raise_for_status(response, what="Looking at posts again")
        return _objects(json_body(response, what="Looking at posts again"), "Looking at posts again")

    def status(self, native_id: str) -> Mapping[str, Any] | None:
        """One status; ``None`` when it is gone."""
        response = self._request("GET", f"/api/v1/statuses/{_segment(native_id)}")
        if response.status_code in (404, 410):
            return None
        _raise(response, "Looking at a post", forbidden_rejects=True)
        return _object(json_body(response, what="Looking at a post"), "Looking at a post")

    def ancestors(self, native_id: str) -> Sequence[Mapping[str, Any]]:
        """What stands above a status, the top first."""
        path = f"/api/v1/statuses/{_segment(native_id)}/context"
        found = self._object(path, "Reading the thread", forbidden_rejects=True)
        return _objects(found.get("ancestors"), "Reading the thread")

    def is_blocking(self, native_id: str) -> bool | None:
        """Whether we block somebody; ``None`` where the server (or our token) does not say."""
        response = self._request("GET", "/api/v1/accounts/relationships", params={"id[]": [native_id]})
        if response.status_code in (403, 404):
            return None
        _raise(response, "Looking at a block")
        for relation in _objects(json_body(response, what="Looking at a block"), "Looking at a block"):
            if str(relation.get("id")) == native_id and isinstance(relation.get("blocking"), bool):
                return bool(relation["blocking"])
        return None

    def upload(self, file: OutFile) -> tuple[str, bool]:
        """Upload a file: its id, and whether it is ready. Nobody sees it until a post names it, so a
        failure leaves nothing open."""
        what = "Uploading the attachment"
        data = {"description": file.alt} if file.alt else None
        response = self._request(
            "POST",
            "/api/v2/media",
            data=data,
            files={"file": (file.name, file.data, file.content_type)},
            timeout_seconds=UPLOAD_TIMEOUT_SECONDS,
        )
        _raise(response, what, forbidden_rejects=True)
        native_id = want_text(_object(json_body(response, what=what), what), "id")
        if not native_id:
            raise Unreachable(f"{what} failed: the server gave the file no name.")
        return native_id, response.status_code != 202

    def upload_is_ready(self, native_id: str) -> bool:
        """Whether the server has finished with an uploaded file; raises ``Rejected`` if it failed."""
        what = "Preparing the attachment"
        response = self._request("GET", f"/api/v1/media/{_segment(native_id)}")
        _raise(response, what, forbidden_rejects=True)
        return response.status_code != 206

    def post(self, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Publish a status. The same ``key`` within an hour gives the same status."""
        what = "Posting"
        response = self._request(
            "POST", "/api/v1/statuses", headers={"Idempotency-Key": key}, json=dict(body), writes=True
        )
        _raise(response, what, writes=True, forbidden_rejects=True)
        return _object(json_body(response, what=what, writes=True), what, writes=True)

    def favourite(self, native_id: str) -> None:
        """Like a status; again is harmless."""
        self._act("POST", f"/api/v1/statuses/{_segment(native_id)}/favourite", "Liking")

    def block(self, native_id: str) -> None:
        """Block an account; again is harmless."""
        self._act("POST", f"/api/v1/accounts/{_segment(native_id)}/block", "Blocking")

    def delete(self, native_id: str) -> None:
        """Delete a status of ours. One that is gone already is what was wanted."""
        self._act("DELETE", f"/api/v1/statuses/{_segment(native_id)}", "Deleting", gone_is_done=True)

    def user_stream(self) -> AbstractContextManager[Iterator[ServerEvent]]:
        """Server-sent events: our home timeline and notifications."""
        headers = {**self._headers, "Accept": "text/event-stream"}
        url = f"{self._streaming}/api/v1/streaming/user"
        return self._net.events(url, headers=headers, idle_seconds=STREAM_IDLE_SECONDS)

    def media(self, url: str, maximum_bytes: int) -> bytes:
        """An attachment. It is public and often on another host, so our token does not go with it.

        A server's media proxy redirects to where the file is; each step passes the guard of ``net``.
        """
        what = "Fetching the attachment"
        for _ in range(MEDIA_HOPS):
            response = self._net.request("GET", url, maximum_bytes=maximum_bytes)
            location = response.headers.get("location", "")
            if response.status_code not in (301, 302, 303, 307, 308) or not location:
                _raise(response, what, forbidden_rejects=True)
                return response.content
            try:
                url = urljoin(url, location)
            except ValueError:
                break
        raise Unreachable(f"{what} failed: the server sends us from address to address.")

    def _act(self, method: str, path: str, what: str, *, gone_is_done: bool = False) -> None:
        response = self._request(method, path, writes=True)
        if gone_is_done and response.status_code in (404, 410):
            return
        _raise(response, what, writes=True, forbidden_rejects=True)

    def _object(self, path: str, what: str, *, forbidden_rejects: bool = False) -> Mapping[str, Any]:
        response = self._request("GET", path)
        _raise(response, what, forbidden_rejects=forbidden_rejects)
        return _object(json_body(response, what=what), what)

    def _page(
        self, path: str, params: Mapping[str, Any], what: str
    ) -> tuple[bytes, Sequence[Mapping[str, Any]]]:
        response = self._request("GET", path, params=params)
        _raise(response, what)
        return response.content, _objects(json_body(response, what=what), what)

    def _request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Response:
        return self._net.request(
            method, f"{self._base}{path}", headers={**self._headers, **(headers or {})}, **more
        )


def base_url(typed: str) -> str:
    """The server's address from what an administrator typed (``mastodon.example``, a profile's URL).

    Raises ``Unsupported`` when there is no host in it.
    """
    given = typed.strip()
    try:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise Unsupported(
            "The server's address is missing or not one: write it like https://mastodon.example."
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _streaming_base(base: str, account: Account) -> str:
    """Where the server streams: itself, or the server it names. Never less protected than the first."""
    urls = want_mapping(account.limits, "urls")
    try:
        named = urlsplit(want_text(urls, "streaming"))
    except ValueError:
        return base
    scheme = {"wss": "https", "ws": "http"}.get(named.scheme, named.scheme)
    safe = scheme == "https" or (scheme == "http" and base.startswith("http:"))
    return f"{scheme}://{named.netloc}" if safe and named.netloc and not named.username else base


def _token(account: Account) -> str:
    token = account.secrets.get("access_token", "").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise CredentialsRefused("The access token is missing or damaged: copy it again from Mastodon.")
    return token


def _segment(native_id: str) -> str:
    """An id as one segment of a path: ids come from outside and must not climb out of theirs."""
    if native_id in ("", ".", ".."):
        raise Unsupported("The message has no usable id.")
    return quote(native_id, safe="")


def _page(min_id: str, max_id: str) -> Mapping[str, str]:
    return {name: value for name, value in (("min_id", min_id), ("max_id", max_id)) if value}


def _raise(response: Response, what: str, *, writes: bool = False, forbidden_rejects: bool = False) -> None:
    """As the kit does, with what Mastodon means by two of the codes.

    A 403 about permissions or a closed account is about us, whatever we asked. A 404 says that the
    post is gone where we asked about one (``forbidden_rejects``), else that this is no such server.
    """
    status = response.status_code
    said = own_sentence(response)
    if status == 403:
        ours = any(word in said.lower() for word in _ABOUT_US)
        forbidden_rejects = forbidden_rejects and not ours
    if status in (404, 410) and forbidden_rejects:
        raise Rejected(f"{what} failed: what it is about is gone from the network." + (said and f" ({said})"))
    if status in (404, 410):
        raise Unreachable(f"{what} failed: this address does not answer as a Mastodon server does.")
    raise_for_status(response, what=what, writes=writes, forbidden_rejects=forbidden_rejects)


def _object(value: Any, what: str, *, writes: bool = False) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise _unexpected(what, writes=writes)


def _objects(value: Any, what: str) -> Sequence[Mapping[str, Any]]:
    if isinstance(value, list):
        return [item for item in value if isinstance(item, Mapping)]
    raise _unexpected(what, writes=False)


def _unexpected(what: str, *, writes: bool) -> Exception:
    sentence = f"{what} failed: the server answered, but not as a Mastodon server does."
    return OutcomeUnknown(sentence) if writes else Unreachable(sentence)
