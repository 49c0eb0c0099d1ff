"""Bluesky's addresses and methods: the only file that knows them.

Everything goes to the account's own data server (or bsky.social in front of it), which hands what is
not its own to the app view, and, asked by a header, to the chat service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heard.connectorkit.errors import Rejected, Unreachable
from heard.connectorkit.net import Response
from heard.connectorkit.protocol import Link

from .answers import Refused, SessionOver, read_answer
from .session import Session
from .syntax import at_uri

DEFAULT_SERVICE = "https://bsky.social"
WEB = "https://bsky.app"
CHAT = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
GATE = "app.bsky.feed.threadgate"
BLOCK = "app.bsky.graph.block"

PAGE_ENTRIES = 100
ANCESTORS = 100
UPLOAD_SECONDS = 60.0
_GONE = {404, 410}


def person_address(did: str) -> str:
    """Where people see this account."""
    return f"{WEB}/profile/{did}"


def post_address(did: str, rkey: str) -> str:
    """Where people see this post."""
    return f"{WEB}/profile/{did}/post/{rkey}"


class Client:
    """One account's requests. Every method raises the errors of ``answers.read_answer``."""

    def __init__(self, link: Link) -> None:
        self._link = link
        service = str(link.account.settings.get("service") or DEFAULT_SERVICE).strip().rstrip("/")
        self._xrpc = f"{service}/xrpc"
        self._session = Session(link, self.sign_in, self._refresh_session)
        self._fixed_token = ""

    # --- who we are

    def sign_in(self, identifier: str, password: str) -> dict[str, Any]:
        """A new session: ``did``, ``handle`` and the two tokens."""
        return self._ask(
            "POST", "com.atproto.server.createSession", json={"identifier": identifier, "password": password}
        )

    def with_token(self, token: str) -> Client:
        """The same, with this access token and nothing stored: for credentials under test."""
        other = Client(self._link)
        other._fixed_token = token
        return other

    def profile(self, actor: str) -> dict[str, Any]:
        """A person's profile as the app view shows it."""
        return self._read("app.bsky.actor.getProfile", {"actor": actor})

    def profiles(self, actors: Sequence[str]) -> Sequence[Any]:
        """Several profiles, at most 25 asked for; unknown ones are left out."""
        return _entries(self._read("app.bsky.actor.getProfiles", {"actors": list(actors)}), "profiles")

    def resolve(self, handle: str) -> str:
        """The identifier behind a handle; ``""`` where there is none."""
        try:
            found = self._read("com.atproto.identity.resolveHandle", {"handle": handle}).get("did")
        except Refused:
            return ""
        return found if isinstance(found, str) else ""

    # --- what is new

    def notifications(self, cursor: str) -> tuple[Sequence[Any], str]:
        """A page of notifications, newest first, and the cursor of the next (``""`` at the end)."""
        return self._page("app.bsky.notification.listNotifications", "notifications", {}, cursor)

    def own_feed(self, cursor: str) -> tuple[Sequence[Any], str]:
        """A page of what this account itself posted, replies included."""
        wanted = {"actor": self._link.account.native_id, "filter": "posts_with_replies"}
        return self._page("app.bsky.feed.getAuthorFeed", "feed", wanted, cursor)

    def posts(self, uris: Sequence[str]) -> Sequence[Any]:
        """Posts as the app view shows them, at most 25 asked for; what it does not have is left out."""
        return _entries(self._read("app.bsky.feed.getPosts", {"uris": list(uris)}), "posts")

    def thread_above(self, uri: str) -> dict[str, Any]:
        """A post with its ancestors, as many as the app view gives."""
        return self._read("app.bsky.feed.getPostThread", {"uri": uri, "depth": 0, "parentHeight": ANCESTORS})

    # --- records

    def record(self, uri: str) -> dict[str, Any] | None:
        """A record with its ``cid`` and ``value``; ``None`` where none stands there."""
        parts = at_uri(uri)
        if parts is None:
            raise Refused("This is not the address of a Bluesky record.", "InvalidRequest")
        where = {"repo": parts.authority, "collection": parts.collection, "rkey": parts.rkey}
        try:
            return self._read("com.atproto.repo.getRecord", where)
        except Refused as error:
            if error.error in {"RecordNotFound", "NotFound"}:
                return None
            raise

    def create(self, collection: str, rkey: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Write a new record of our own. A key that is taken makes the data server fail with 500."""
        return self._write(
            "com.atproto.repo.createRecord", self._place(collection, rkey) | {"record": record}
        )

    def put(
        self, collection: str, rkey: str, record: Mapping[str, Any], *, instead_of: str | None
    ) -> dict[str, Any]:
        """Write a record in place of the one with that ``cid`` (``None``: of none), else ``InvalidSwap``."""
        change = {"record": record, "swapRecord": instead_of}
        return self._write("com.atproto.repo.putRecord", self._place(collection, rkey) | change)

    def delete(self, collection: str, rkey: str) -> None:
        """Remove a record of our own; removing what is not there succeeds."""
        self._write("com.atproto.repo.deleteRecord", self._place(collection, rkey))

    def upload(self, data: bytes, content_type: str) -> dict[str, Any]:
        """Bring a file; it is thrown away there unless a record names it. Returns the reference."""
        answer = self._signed(
            "POST", "com.atproto.repo.uploadBlob", content=data, timeout_seconds=UPLOAD_SECONDS,
            headers={"content-type": content_type},
        )  # fmt: skip
        blob = answer.get("blob")
        if not isinstance(blob, dict):
            raise Unreachable("The Bluesky server took a picture without saying where it is.")
        return blob

    # --- direct messages (a service of its own, never met in a test)

    def chat_log(self, cursor: str) -> tuple[Sequence[Any], str]:
        """What happened in this account's conversations after ``cursor``, oldest first."""
        answer = self._read("chat.bsky.convo.getLog", {"cursor": cursor} if cursor else {}, headers=CHAT)
        return _entries(answer, "logs"), _cursor(answer)

    def conversations(self) -> Sequence[Any]:
        """The conversations with the latest news, at most 100, each with its last message."""
        return _entries(self._read("chat.bsky.convo.listConvos", {"limit": 100}, headers=CHAT), "convos")

    def conversation_with(self, did: str) -> str:
        """The id of the conversation with this person, begun if there was none."""
        answer = self._read("chat.bsky.convo.getConvoForMembers", {"members": [did]}, headers=CHAT)
        convo = answer.get("convo")
        found = convo.get("id") if isinstance(convo, dict) else None
        if not isinstance(found, str) or not found:
            raise Unreachable("Bluesky's chat answered without a conversation.")
        return found

    def said(self, conversation: str, cursor: str) -> tuple[Sequence[Any], str]:
        """A page of a conversation's messages, newest first."""
        return self._page(
            "chat.bsky.convo.getMessages", "messages", {"convoId": conversation}, cursor, headers=CHAT
        )

    def say(self, conversation: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a direct message; there is no key that would make a second one harmless."""
        wanted = {"convoId": conversation, "message": message}
        return self._write("chat.bsky.convo.sendMessage", wanted, headers=CHAT)

    # --- files

    def file(self, url: str, maximum_bytes: int) -> bytes:
        """A file from the network's delivery hosts; our token is not shown to them."""
        response = self._link.net.request("GET", url, maximum_bytes=maximum_bytes)
        if response.status_code in _GONE:
            raise Rejected("The file is no longer on Bluesky.")
        if response.status_code != 200:
            raise Unreachable(f"The file could not be fetched ({response.status_code}).")
        return response.content

    def blob(self, did: str, cid: str, maximum_bytes: int) -> bytes:
        """A file by its reference, from the data server that we use."""
        query = f"did={did}&cid={cid}"
        return self.file(f"{self._xrpc}/com.atproto.sync.getBlob?{query}", maximum_bytes)

    # --- how it is asked

    def _place(self, collection: str, rkey: str) -> dict[str, Any]:
        return {"repo": self._link.account.native_id, "collection": collection, "rkey": rkey}

    def _page(
        self,
        method: str,
        name: str,
        params: Mapping[str, Any],
        cursor: str,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Sequence[Any], str]:
        wanted = {**params, "limit": PAGE_ENTRIES, **({"cursor": cursor} if cursor else {})}
        answer = self._read(method, wanted, headers=headers)
        return _entries(answer, name), _cursor(answer)

    def _read(
        self, method: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        return self._signed("GET", method, params=params, headers=headers)

    def _write(
        self, method: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        return self._signed("POST", method, json=body, headers=headers, writes=True)

    def _signed(
        self, verb: str, method: str, *, headers: Mapping[str, str] | None = None, **rest: Any
    ) -> dict[str, Any]:
        token = self._fixed_token or self._session.access_token()
        try:
            return self._ask(verb, method, headers=_bearer(token, headers), **rest)
        except SessionOver:
            if self._fixed_token:
                raise
        # A server that refused the token did nothing, so asking again is safe for a write as well.
        token = self._session.renew(token)
        return self._ask(verb, method, headers=_bearer(token, headers), **rest)

    def _refresh_session(self, refresh_token: str) -> dict[str, Any]:
        return self._ask("POST", "com.atproto.server.refreshSession", headers=_bearer(refresh_token, None))

    def _ask(self, verb: str, method: str, *, writes: bool = False, **rest: Any) -> dict[str, Any]:
        response: Response = self._link.net.request(verb, f"{self._xrpc}/{method}", writes=writes, **rest)
        return read_answer(response, writes=writes)


def _bearer(token: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    return {**(headers or {}), "authorization": f"Bearer {token}"}


def _entries(answer: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = answer.get(name)
    if not isinstance(found, list):
        raise Unreachable(f"The Bluesky server answered without {name}.")
    return found


def _cursor(answer: Mapping[str, Any]) -> str:
    cursor = answer.get("cursor")
    return cursor if isinstance(cursor, str) else ""
