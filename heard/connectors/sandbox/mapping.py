"""The Sandbox's payloads in our vocabulary; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heard.connectorkit.errors import OutcomeUnknown, Unreachable, Unreadable
from heard.connectorkit.payload import (
    need_instant,
    need_mapping,
    need_text,
    parse_json,
    want_bool,
    want_instant,
    want_int,
    want_list,
    want_mapping,
    want_text,
)
from heard.connectorkit.vocabulary import (
    Account,
    Attachment,
    AttachmentKind,
    Author,
    Event,
    MessageGone,
    MessageKind,
    MessageSeen,
    Ref,
    Sent,
    UnknownEvent,
    Visibility,
    WhoAmI,
)

_SEEN = ("post.created", "post.edited")
_GONE = "post.deleted"


def who_am_i(body: Any) -> WhoAmI:
    """The account of the token; raises ``Unreachable`` when the answer is no account."""
    try:
        me = need_mapping(body, "The account")
        return WhoAmI(
            native_id=need_text(me, "id", "The account"),
            handle=need_text(me, "handle", "The account"),
            name=want_text(me, "name"),
            url=want_text(me, "url"),
            limits=dict(want_mapping(me, "limits")),
        )
    except Unreadable as error:
        raise Unreachable(f"The server answered strangely: {error.message}") from error


def sent(body: Any) -> Sent:
    """What now stands there; raises ``OutcomeUnknown`` when the answer does not say."""
    try:
        post = need_mapping(body, "The post")
        return Sent(
            native_id=need_text(post, "id", "The post"),
            url=want_text(post, "url"),
            sent_at=want_instant(post.get("created_at")),
        )
    except Unreadable as error:
        raise OutcomeUnknown(f"The server answered strangely: {error.message}") from error


def events(account: Account, body: bytes) -> Sequence[Event]:
    """The events in a delivery: a page or a push, one of the stream, or a thread's ancestors."""
    payload = need_mapping(parse_json(body), "The delivery")
    if isinstance(payload.get("events"), list):
        return [_event(account, need_mapping(item, "An event")) for item in payload["events"]]
    if isinstance(payload.get("ancestors"), list):
        return [_message(account, need_mapping(item, "A post")) for item in payload["ancestors"]]
    if "type" in payload:
        return [_event(account, payload)]
    raise Unreadable("The delivery holds neither events nor a thread.")


def _event(account: Account, item: Mapping[str, Any]) -> Event:
    kind = need_text(item, "type", "An event")
    if kind in _SEEN:
        return _message(account, need_mapping(item.get("post"), "The post of an event"))
    if kind == _GONE:
        post = need_mapping(item.get("post"), "The post of an event")
        at = need_instant(item.get("at"), "The time of an event")
        return MessageGone(native_id=need_text(post, "id", "The post of an event"), at=at)
    return UnknownEvent(kind=kind, raw=item)


def _message(account: Account, post: Mapping[str, Any]) -> MessageSeen:
    visibility = _visibility(post)
    mentions = [
        need_text(need_mapping(item, "A mention"), "id", "A mention") for item in want_list(post, "mentions")
    ]
    parent, root = want_text(post, "in_reply_to"), want_mapping(post, "root")
    return MessageSeen(
        native_id=need_text(post, "id", "A post"),
        kind=_kind(account, visibility, post, mentions),
        visibility=visibility,
        author=_author(account, post),
        text=want_text(post, "text"),
        sent_at=need_instant(post.get("created_at"), "The time of a post"),
        url=want_text(post, "url"),
        language=want_text(post, "language"),
        version=f"{want_int(post, 'version') or 1:08d}",
        edited_at=want_instant(post.get("edited_at")),
        parent=Ref(parent) if parent else None,
        # A private exchange has no post on top, even where it began under one.
        root=Ref(want_text(root, "id"))
        if want_text(root, "id") and visibility is Visibility.PUBLIC
        else None,
        thread_key=want_text(post, "thread"),
        mentions_us=account.native_id in mentions,
        recipients=tuple(filter(None, [want_text(want_mapping(post, "to"), "handle")])),
        attachments=[
            _attachment(need_mapping(item, "An attachment")) for item in want_list(post, "attachments")
        ],
        client_key=want_text(post, "idempotency_key"),
        raw=post,
    )


def _visibility(post: Mapping[str, Any]) -> Visibility:
    """What is not said to be public is taken for private: the careful mistake."""
    return Visibility.PUBLIC if post.get("visibility") == "public" else Visibility.PRIVATE


def _kind(
    account: Account, visibility: Visibility, post: Mapping[str, Any], mentions: Sequence[str]
) -> MessageKind:
    if visibility is Visibility.PRIVATE:
        return MessageKind.DIRECT_MESSAGE
    if want_text(want_mapping(post, "root"), "author_id") == account.native_id:
        return MessageKind.COMMENT
    if account.native_id in mentions:
        return MessageKind.MENTION
    return MessageKind.COMMENT if want_text(post, "in_reply_to") else MessageKind.POST


def _author(account: Account, post: Mapping[str, Any]) -> Author:
    writer = need_mapping(post.get("author"), "The author of a post")
    native_id = need_text(writer, "id", "The author of a post")
    return Author(
        native_id=native_id,
        handle=need_text(writer, "handle", "The author of a post"),
        name=want_text(writer, "name"),
        url=want_text(writer, "url"),
        is_us=native_id == account.native_id,
        is_bot=want_bool(writer, "is_bot"),
    )


def _attachment(item: Mapping[str, Any]) -> Attachment:
    kind = want_text(item, "type")
    known = {entry.value: entry for entry in AttachmentKind}
    return Attachment(
        native_id=need_text(item, "id", "An attachment"),
        kind=known.get("file" if kind == "application" else kind, AttachmentKind.UNKNOWN),
        url=want_text(item, "url"),
        name=want_text(item, "name"),
        content_type=want_text(item, "content_type"),
        alt=want_text(item, "alt"),
        size_bytes=want_int(item, "size_bytes"),
    )
