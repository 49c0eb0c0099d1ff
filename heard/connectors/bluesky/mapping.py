"""Bluesky's deliveries in our words: pure functions, tolerant of anything inside a readable delivery.

A delivery is an answer of the network, in one of five shapes (two may come together):

    notifications   a page of notifications, and beside it ``posts``: the same posts as the app view
                    shows them, with the addresses of pictures and what we may do with them
    feed            a page of what our own account posted
    thread          a post with its ancestors
    convos, logs    direct messages: conversations as they stand, then what happened since,
                    and beside it ``profiles`` of who spoke

What is there but cannot be read becomes an ``UnknownEvent``, so that one odd record does not keep
forty others from their readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from heard.connectorkit.errors import Unreadable
from heard.connectorkit.payload import (
    need_mapping,
    parse_json,
    want_bool,
    want_list,
    want_mapping,
    want_text,
)
from heard.connectorkit.vocabulary import (
    Account,
    Author,
    Event,
    MessageGone,
    MessageKind,
    MessageSeen,
    RawDelivery,
    Ref,
    UnknownEvent,
    Visibility,
)

from .attachments import attachments_of
from .client import POST, person_address, post_address
from .syntax import AtUri, is_did, parse_datetime, record_uri

SHAPES = ("notifications", "feed", "thread", "posts", "convos", "logs")
OF_A_MESSAGE = {"mention", "reply", "quote"}
_MENTION = "app.bsky.richtext.facet#mention"
_DEEPEST_THREAD = 200


class NotAMessage(ValueError):
    """An entry without what a message must have."""


def events_of(account: Account, delivery: RawDelivery) -> list[Event]:
    """Every event of one delivery, each message once; raises ``Unreadable``."""
    body = need_mapping(parse_json(delivery.body), "The delivery")
    if not any(isinstance(body.get(shape), list | dict) for shape in SHAPES):
        raise Unreadable("The delivery is none of the answers that Bluesky gives.")
    reader = _Reader(account, delivery.received_at, body)
    return list(reader.events())


class _Reader:
    """Reads one delivery for one account."""

    def __init__(self, account: Account, received_at: datetime, body: Mapping[str, Any]) -> None:
        self._us = account.native_id
        self._our_handle = account.handle
        self._received_at = received_at.astimezone(UTC)
        self._body = body
        self._posts = {want_text(post, "uri"): post for post in _mappings(body, "posts")}
        self._people = {want_text(person, "did"): person for person in _mappings(body, "profiles")}

    def events(self) -> Iterator[Event]:
        for item in want_list(self._body, "notifications"):
            yield self._notification(item)
        for item in want_list(self._body, "feed"):
            yield self._own_entry(item)
        yield from self._thread(self._body.get("thread"))
        if "notifications" not in self._body:
            for item in want_list(self._body, "posts"):
                yield self._or_unknown(item, "post", self._post)
        for item in want_list(self._body, "convos"):
            yield from self._conversation(item)
        for item in want_list(self._body, "logs"):
            yield self._logged(item)

    def _or_unknown(self, item: object, kind: str, read: Any) -> Event:
        if isinstance(item, Mapping):
            try:
                event: Event = read(item)
            except NotAMessage:
                pass
            else:
                return event
        return UnknownEvent(f"unreadable {kind}", item)

    # --- what is public

    def _notification(self, item: object) -> Event:
        reason = want_text(item, "reason") if isinstance(item, Mapping) else ""
        if reason and reason not in OF_A_MESSAGE:
            return UnknownEvent(reason[:64], item)
        return self._or_unknown(item, "notification", self._said_to_us)

    def _said_to_us(self, item: Mapping[str, Any]) -> Event:
        view = self._posts.get(want_text(item, "uri"), {})
        raw = {"notification": item, "post": view} if view else {"notification": item}
        to_us = want_text(item, "reason") in {"mention", "quote"}
        return self._post({**item, **view}, raw=raw, to_us=to_us)

    def _own_entry(self, item: object) -> Event:
        if isinstance(item, Mapping) and item.get("reason"):
            return UnknownEvent("own repost", item)
        return self._or_unknown(item, "post", lambda entry: self._post(want_mapping(entry, "post")))

    def _thread(self, node: object) -> Iterator[Event]:
        for _ in range(_DEEPEST_THREAD):
            if not isinstance(node, Mapping):
                return
            if want_bool(node, "notFound"):
                gone = record_uri(node.get("uri"))
                if gone:
                    yield MessageGone(str(gone), self._received_at)
            elif "post" in node:
                yield self._or_unknown(node.get("post"), "post", self._post)
            node = node.get("parent")

    def _post(self, view: Mapping[str, Any], raw: Any = None, *, to_us: bool = False) -> MessageSeen:
        uri, record = record_uri(view.get("uri")), want_mapping(view, "record")
        if uri is None or uri.collection != POST or record.get("$type", POST) != POST:
            raise NotAMessage
        author = self._author(uri.authority, want_mapping(view, "author"), view)
        reply = want_mapping(record, "reply")
        parent, root = _strong(reply, "parent"), _strong(reply, "root")
        to_us = to_us or self._mentions_us(record) or self._quotes_us(record)
        return MessageSeen(
            native_id=str(uri),
            canonical_id=str(uri),
            kind=_kind(author, parent, root, to_us=to_us, us=self._us),
            visibility=Visibility.PUBLIC,
            author=author,
            text=want_text(record, "text"),
            sent_at=self._sent_at(record.get("createdAt"), view.get("indexedAt")),
            url=post_address(uri.authority, uri.rkey),
            language=_language(record),
            parent=Ref(str(parent[0])) if parent else None,
            root=Ref(str(root[0])) if root else None,
            mentions_us=to_us and not author.is_us,
            attachments=attachments_of(uri.authority, record, view),
            refs=_refs(view, root),
            raw=raw if raw is not None else view,
        )

    def _author(self, did: str, profile: Mapping[str, Any], said: Mapping[str, Any]) -> Author:
        labels = [*_mappings(profile, "labels"), *_mappings(said, "labels")]
        # Only a person's own word counts: anybody may run a labeller.
        bot = any(label.get("val") == "bot" and label.get("src") == did for label in labels)
        return Author(
            native_id=did,
            handle=want_text(profile, "handle") or (self._our_handle if did == self._us else ""),
            name=want_text(profile, "displayName"),
            url=person_address(did),
            avatar_url=_web(want_text(profile, "avatar")),
            is_us=did == self._us,
            is_bot=bot,
        )

    def _mentions_us(self, record: Mapping[str, Any]) -> bool:
        features = (f for facet in _mappings(record, "facets") for f in _mappings(facet, "features"))
        return any(f.get("$type") == _MENTION and f.get("did") == self._us for f in features)

    def _quotes_us(self, record: Mapping[str, Any]) -> bool:
        quoted = want_mapping(want_mapping(record, "embed"), "record")
        uri = record_uri(quoted.get("uri")) or record_uri(want_mapping(quoted, "record").get("uri"))
        return uri is not None and uri.authority == self._us

    def _sent_at(self, claimed: object, indexed: object) -> datetime:
        """The earlier of what the author claims and what the app view saw, as Bluesky itself sorts."""
        return min((at for at in map(parse_datetime, (claimed, indexed)) if at), default=self._received_at)

    # --- what is private

    def _conversation(self, item: object) -> Iterator[Event]:
        if not isinstance(item, Mapping):
            yield UnknownEvent("unreadable conversation", item)
            return
        for person in _mappings(item, "members"):
            self._people.setdefault(want_text(person, "did"), person)
        if item.get("lastMessage"):
            yield self._or_unknown(
                item.get("lastMessage"),
                "direct message",
                lambda message: self._direct_message(message, want_text(item, "id")),
            )

    def _logged(self, item: object) -> Event:
        kind = want_text(item, "$type").rpartition("#")[2] if isinstance(item, Mapping) else ""
        read = {"logCreateMessage": self._created, "logDeleteMessage": self._deleted}.get(kind)
        if read is None:
            return UnknownEvent(kind[:64] or "unreadable log", item)
        return self._or_unknown(item, "direct message", read)

    def _created(self, item: Mapping[str, Any]) -> Event:
        return self._direct_message(want_mapping(item, "message"), want_text(item, "convoId"))

    def _deleted(self, item: Mapping[str, Any]) -> Event:
        message = want_text(want_mapping(item, "message"), "id")
        if not message:
            raise NotAMessage
        return MessageGone(message, self._received_at, want_text(item, "convoId"))

    def _direct_message(self, message: Mapping[str, Any], conversation: str) -> MessageSeen:
        sender = want_text(want_mapping(message, "sender"), "did")
        native_id = want_text(message, "id")
        if not native_id or not conversation or not is_did(sender):
            raise NotAMessage
        return MessageSeen(
            native_id=native_id,
            id_scope=conversation,
            kind=MessageKind.DIRECT_MESSAGE,
            visibility=Visibility.PRIVATE,
            author=self._author(sender, self._people.get(sender, {}), {}),
            text=want_text(message, "text"),
            sent_at=self._sent_at(message.get("sentAt"), None),
            thread_key=conversation,
            attachments=attachments_of(sender, message, message),
            raw=message,
        )


def _kind(
    author: Author,
    parent: tuple[AtUri, str] | None,
    root: tuple[AtUri, str] | None,
    *,
    to_us: bool,
    us: str,
) -> MessageKind:
    """Out of the record alone, so that every way on which it comes says the same."""
    above = [found[0].authority for found in (parent, root) if found]
    if author.is_us:
        return MessageKind.COMMENT if above else MessageKind.POST
    if us in above:
        return MessageKind.COMMENT
    if to_us:
        return MessageKind.MENTION
    return MessageKind.COMMENT if above else MessageKind.POST


def _strong(reply: Mapping[str, Any], name: str) -> tuple[AtUri, str] | None:
    reference = want_mapping(reply, name)
    uri = record_uri(reference.get("uri"))
    return (uri, want_text(reference, "cid")) if uri else None


def _refs(view: Mapping[str, Any], root: tuple[AtUri, str] | None) -> dict[str, str]:
    """What it takes to answer, and what speaks against it."""
    refs = {"cid": want_text(view, "cid")}
    if root:
        refs |= {"root_uri": str(root[0]), "root_cid": root[1]}
    if want_bool(want_mapping(view, "viewer"), "replyDisabled"):
        refs["reply_disabled"] = "yes"
    if want_bool(want_mapping(want_mapping(view, "author"), "viewer"), "blockedBy"):
        refs["blocked_by"] = "yes"
    return {name: value for name, value in refs.items() if value}


def _language(record: Mapping[str, Any]) -> str:
    named = [text for text in want_list(record, "langs") if isinstance(text, str)]
    return named[0] if named and len(named[0]) <= 35 and named[0].replace("-", "").isalnum() else ""


def _mappings(value: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return [item for item in want_list(value, key) if isinstance(item, Mapping)]


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""
