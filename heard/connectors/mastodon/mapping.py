"""Mastodon's payloads to our vocabulary, and back. Pure: no net, no clock.

Four shapes of delivery come in, told apart by what they are:

- a list: statuses of our own account, or notifications, as the server paged them;
- ``{"event", "payload"}``: one event of the user stream, in the form of Mastodon's WebSocket frames;
- ``{"status", "ancestors"}``: a status with what stands above it (made by ``connector.context``);
- ``{"looked_again", "gone"}``: what changed among the statuses we watch (made by ``catching_up``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from heard.connectorkit.errors import Unreadable
from heard.connectorkit.payload import (
    need_mapping,
    need_text,
    parse_json,
    want_bool,
    want_instant,
    want_list,
    want_mapping,
    want_text,
)
from heard.connectorkit.text import html_to_text
from heard.connectorkit.vocabulary import (
    Account,
    Attachment,
    AttachmentKind,
    Author,
    Event,
    MessageGone,
    MessageKind,
    MessageSeen,
    RawDelivery,
    Ref,
    Sent,
    UnknownEvent,
    Visibility,
)

from .compose import local_name

VISIBILITIES: Mapping[str, Visibility] = {
    "public": Visibility.PUBLIC,
    "unlisted": Visibility.UNLISTED,
    "private": Visibility.FOLLOWERS,
    "direct": Visibility.PRIVATE,
}
NETWORK_VISIBILITIES: Mapping[Visibility, str] = {ours: theirs for theirs, ours in VISIBILITIES.items()}
_ATTACHMENT_KINDS: Mapping[str, AttachmentKind] = {
    "image": AttachmentKind.IMAGE,
    "gifv": AttachmentKind.VIDEO,
    "video": AttachmentKind.VIDEO,
    "audio": AttachmentKind.AUDIO,
}
#: Notifications that carry a message for us; the others (favourites, follows, …) are kept as unknown.
TELLING_NOTIFICATIONS = ("mention", "status", "poll", "update", "quote")
_LONGEST_THREAD_KEY = 200


def scope_of(account: Account) -> str:
    """The space in which this server's ids are unique: its host."""
    return account.scope or host_of(str(account.settings.get("server_url", "")))


def host_of(url: str) -> str:
    """Host (and port, where one is named) in lower case; ``""`` where there is none."""
    try:
        return urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def domain_of(account: Account) -> str:
    """The part after ``@`` in the handles of this server's own people; it may differ from its host."""
    return account.handle.rpartition("@")[2] if "@" in account.handle else scope_of(account)


def full_handle(acct: str, domain: str) -> str:
    """``anna`` on our own server becomes ``anna@our.server``; a remote one is full already."""
    return acct if "@" in acct or not domain or not acct else f"{acct}@{domain}"


def events_of(account: Account, delivery: RawDelivery) -> Sequence[Event]:
    """Everything one delivery says; raises ``Unreadable``."""
    payload = parse_json(delivery.body)
    if isinstance(payload, list):
        return [event for item in payload for event in _item(account, delivery, item)]
    body = need_mapping(payload, "The delivery")
    if "event" in body:
        return list(_streamed(account, delivery, body))
    if "ancestors" in body:
        return list(_thread(account, delivery, body))
    if "looked_again" in body:
        return list(_looked_again(account, delivery, body))
    if "content" in body or "type" in body:
        return list(_item(account, delivery, body))
    raise Unreadable("The delivery is neither a list, nor a stream event, nor a thread.")


def _item(account: Account, delivery: RawDelivery, item: Any) -> Iterator[Event]:
    """One entry of a page. A broken one is kept as unknown, so that it does not hide its neighbours."""
    if not isinstance(item, Mapping):
        yield UnknownEvent(kind="broken", raw=item)
        return
    if "content" in item:
        yield from _status_or_broken(account, delivery, item)
        return
    kind = want_text(item, "type")
    if not kind:
        yield UnknownEvent(kind="broken", raw=item)
        return
    status = item.get("status")
    if kind in TELLING_NOTIFICATIONS and isinstance(status, Mapping):
        yield from _status_or_broken(account, delivery, status)
    else:
        yield UnknownEvent(kind=f"notification.{kind[:80]}", raw=item)


def _status_or_broken(
    account: Account, delivery: RawDelivery, status: Mapping[str, Any], root: Ref | None = None
) -> Iterator[Event]:
    if isinstance(status.get("reblog"), Mapping):
        # A boost repeats somebody's words; the words themselves come to us as what they are.
        yield UnknownEvent(kind="boost", raw=status)
        return
    try:
        yield message_seen(account, status, delivery.received_at, root)
    except Unreadable:
        yield UnknownEvent(kind="broken", raw=status)


def _streamed(account: Account, delivery: RawDelivery, body: Mapping[str, Any]) -> Iterator[Event]:
    name = need_text(body, "event", "The stream event")
    if name == "delete":
        gone = want_text(body, "payload").strip()
        if not gone:
            raise Unreadable("A deletion names no status.")
        yield MessageGone(native_id=gone, at=delivery.received_at, id_scope=scope_of(account))
        return
    payload = body.get("payload")
    if isinstance(payload, str) and name in ("update", "status.update", "notification"):
        payload = parse_json(payload.encode("utf-8", "replace"))
    if name == "notification":
        yield from _item(account, delivery, need_mapping(payload, "The notification"))
    elif name in ("update", "status.update"):
        status = need_mapping(payload, "The status")
        if concerns_us(account, status):
            yield from _status_or_broken(account, delivery, status)
    else:
        yield UnknownEvent(kind=f"stream.{name[:80]}", raw=body)


def _thread(account: Account, delivery: RawDelivery, body: Mapping[str, Any]) -> Iterator[Event]:
    ancestors = [item for item in want_list(body, "ancestors") if isinstance(item, Mapping)]
    root = None
    if ancestors and not ancestors[0].get("in_reply_to_id"):
        root = _ref(account, ancestors[0], "id")
    status = body.get("status")
    for item in (*ancestors, *([status] if isinstance(status, Mapping) else [])):
        yield from _status_or_broken(account, delivery, item, root)


def _looked_again(account: Account, delivery: RawDelivery, body: Mapping[str, Any]) -> Iterator[Event]:
    for status in want_list(body, "looked_again"):
        if isinstance(status, Mapping):
            yield from _status_or_broken(account, delivery, status)
    for gone in want_list(body, "gone"):
        if isinstance(gone, str) and gone:
            yield MessageGone(native_id=gone, at=delivery.received_at, id_scope=scope_of(account))


def concerns_us(account: Account, status: Mapping[str, Any]) -> bool:
    """Ours, to us or about us. The home timeline also holds what people we follow say to others."""
    if isinstance(status.get("reblog"), Mapping):
        return False
    ours = account.native_id
    return (
        _id(want_mapping(status, "account"), "id") == ours
        or _id(status, "in_reply_to_account_id") == ours
        or _mentions_us(account, status)
    )


def _mentions_us(account: Account, status: Mapping[str, Any]) -> bool:
    """By name, or by quoting what we said (Mastodon 4.5)."""
    quoted = want_mapping(want_mapping(status, "quote"), "quoted_status")
    people = [want_mapping(quoted, "account"), *_mentions(status)]
    return any(_id(person, "id") == account.native_id for person in people)


def message_seen(
    account: Account, status: Mapping[str, Any], received_at: datetime, root: Ref | None = None
) -> MessageSeen:
    """A status as a message; raises ``Unreadable`` without an id or an author.

    ``received_at`` stands in for a time of writing that is missing or impossible.
    """
    native_id = need_text(status, "id", "A status")
    author = author_of(account, need_mapping(status.get("account"), "The author of a status"))
    visibility = VISIBILITIES.get(want_text(status, "visibility"), Visibility.PRIVATE)
    edited_at = want_instant(status.get("edited_at"))
    parent = _ref(account, status, "in_reply_to_id")
    mentions_us = _mentions_us(account, status)
    return MessageSeen(
        native_id=native_id,
        id_scope=scope_of(account),
        canonical_id=want_text(status, "uri"),
        kind=_kind(account, status, author, visibility, mentions_us=mentions_us),
        visibility=visibility,
        author=author,
        text=_text(account, status),
        subject=want_text(status, "spoiler_text"),
        sent_at=want_instant(status.get("created_at")) or received_at,
        url=want_text(status, "url"),
        language=want_text(status, "language"),
        version=sortable(edited_at) if edited_at else "",
        edited_at=edited_at,
        parent=parent,
        root=root if parent else None,
        thread_key=_thread_key(account, status, author) if visibility is Visibility.PRIVATE else "",
        mentions_us=mentions_us,
        attachments=_attachments(status),
        refs={"acct": want_text(want_mapping(status, "account"), "acct")},
        raw=status,
    )


def _kind(
    account: Account, status: Mapping[str, Any], author: Author, visibility: Visibility, *, mentions_us: bool
) -> MessageKind:
    if visibility is Visibility.PRIVATE:
        return MessageKind.DIRECT_MESSAGE
    answers_us = _id(status, "in_reply_to_account_id") == account.native_id
    if author.is_us or answers_us or not mentions_us:
        return MessageKind.COMMENT if status.get("in_reply_to_id") else MessageKind.POST
    return MessageKind.MENTION


def _text(account: Account, status: Mapping[str, Any]) -> str:
    domain = domain_of(account)
    known: dict[str, str] = {}
    for mention in _mentions(status):
        acct, url = want_text(mention, "acct"), want_text(mention, "url")
        if acct and url:
            # People of our own server keep their short name, as the server itself writes it.
            known[url] = "@" + local_name(acct, domain)
    return html_to_text(want_text(status, "content"), known)


def _mentions(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mention for mention in want_list(status, "mentions") if isinstance(mention, Mapping)]


def _thread_key(account: Account, status: Mapping[str, Any], author: Author) -> str:
    """Who is in it, apart from us: Mastodon's API names no conversation with a status."""
    people = {author.native_id, *(_id(mention, "id") for mention in _mentions(status))}
    others = sorted(people - {account.native_id, ""})
    key = "direct:" + ("+".join(others) or f"alone:{_id(status, 'id')}")
    if len(key) <= _LONGEST_THREAD_KEY:
        return key
    return "direct:" + hashlib.sha256(key.encode()).hexdigest()


def author_of(account: Account, person: Mapping[str, Any]) -> Author:
    """An account of this server, or one it knows from another; raises ``Unreadable`` without an id."""
    native_id = need_text(person, "id", "The author of a status")
    return Author(
        native_id=native_id,
        handle=full_handle(want_text(person, "acct"), domain_of(account)),
        name=want_text(person, "display_name"),
        scope=scope_of(account),
        url=want_text(person, "url"),
        avatar_url=want_text(person, "avatar"),
        is_us=bool(account.native_id) and native_id == account.native_id,
        is_bot=want_bool(person, "bot"),
    )


def _attachments(status: Mapping[str, Any]) -> list[Attachment]:
    found = []
    for item in want_list(status, "media_attachments"):
        if not isinstance(item, Mapping):
            continue
        url = want_text(item, "url") or want_text(item, "remote_url")
        native_id = want_text(item, "id") or url
        if native_id:
            kind = _ATTACHMENT_KINDS.get(want_text(item, "type"), AttachmentKind.UNKNOWN)
            found.append(Attachment(native_id, kind, url=url, alt=want_text(item, "description")))
    return found


def _ref(account: Account, status: Mapping[str, Any], key: str) -> Ref | None:
    native_id = _id(status, key)
    return Ref(native_id=native_id, id_scope=scope_of(account)) if native_id else None


def _id(mapping: Mapping[str, Any], key: str) -> str:
    """An id, or ``""``. Mastodon writes strings; servers that only resemble it may write numbers."""
    try:
        return need_text(mapping, key, "An id")
    except Unreadable:
        return ""


def sortable(instant: datetime) -> str:
    """UTC with six decimals: two edits within one second still sort."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def sent_of(account: Account, status: Mapping[str, Any]) -> Sent:
    """What the server says of a status that we wrote; raises ``Unreadable`` without an id."""
    return Sent(
        native_id=need_text(status, "id", "The new status"),
        id_scope=scope_of(account),
        canonical_id=want_text(status, "uri"),
        url=want_text(status, "url"),
        sent_at=want_instant(status.get("created_at")),
    )


def stream_body(event: str, data: str) -> bytes:
    """One event of the stream as a delivery."""
    return json.dumps({"event": event, "payload": data}).encode()


def worth_keeping(account: Account, event: str, data: str) -> bool:
    """Whether a stream event is for us; what cannot be read is kept, to be found out about later."""
    if event not in ("update", "status.update"):
        return True
    try:
        status = parse_json(data.encode("utf-8", "replace"))
    except Unreadable:
        return True
    return not isinstance(status, Mapping) or concerns_us(account, status)
