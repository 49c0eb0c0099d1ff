"""Say something once, and look whether it stands.

What we write is a record whose key is made from the order's key, so the same order can only ever be
the same record: a data server refuses to create a key twice, and reading that one key answers exactly
whether it stands. Direct messages have no key; there we look through the conversation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import Any

from heard.connectorkit.errors import (
    ConnectorError,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    Unsupported,
)
from heard.connectorkit.payload import clean, want_list, want_mapping, want_text
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    CannotTell,
    Constraints,
    LookUpResult,
    NotFound,
    SendOrder,
    Sent,
    Target,
    Verb,
)

from . import records
from .answers import Refused
from .client import BLOCK, GATE, LIKE, POST, Client
from .facets import facets_for, mentioned_handles
from .limits import HIDDEN_REPLIES
from .syntax import AtUri, parse_datetime, record_key_for, record_uri

COLLECTIONS = {Verb.POST: POST, Verb.REPLY: POST, Verb.LIKE: LIKE, Verb.BLOCK: BLOCK}
SWAP_ATTEMPTS = 3
CHAT_PAGES = 5
# Our clock and the chat's may differ by this much.
CLOCK_SKEW = timedelta(seconds=5)


def check_order(order: SendOrder, constraints: Constraints) -> None:
    """Refuse what would otherwise be dropped on the way; raises ``Unsupported``."""
    if order.subject:
        raise Unsupported("A message on Bluesky has no subject line.")
    if constraints.visibilities and order.visibility not in (None, *constraints.visibilities):
        raise Unsupported("Bluesky does not offer this audience.")
    media = constraints.media
    if len(order.files) > media.count:
        raise Unsupported(f"Bluesky takes at most {media.count} pictures here.")
    for file in order.files:
        if not any(fnmatch(file.content_type.lower(), kind) for kind in media.types):
            raise Unsupported("Bluesky takes pictures only.")
        if len(file.data) > media.maximum_bytes:
            raise Unsupported(f"A picture is larger than Bluesky allows ({media.maximum_bytes:,} bytes).")


class Sending:
    """Carries out one order at a time over one link."""

    def __init__(self, link: Link, client: Client) -> None:
        self._us = link.account.native_id
        self._now = link.now
        self._client = client

    def send(self, order: SendOrder) -> Sent:
        """Say it. The order has been checked against what ``supports`` answers."""
        do: Mapping[Verb, Callable[[SendOrder], Sent]] = {
            Verb.HIDE: self._hide,
            Verb.DELETE: self._delete,
            Verb.DIRECT_MESSAGE: self._whisper,
        }
        return do.get(order.verb, self._write)(order)

    def look_up(self, order: SendOrder) -> LookUpResult:
        """Whether it stands: exactly, but for direct messages."""
        look: Mapping[Verb, Callable[[SendOrder], LookUpResult]] = {
            Verb.HIDE: self._look_at_gate,
            Verb.DELETE: self._look_at_deleted,
            Verb.DIRECT_MESSAGE: lambda asked: self._look_into_chat(asked, self._conversation(asked)),
        }
        return look.get(order.verb, self._look_at_record)(order)

    # --- records that are ours to create

    def _write(self, order: SendOrder) -> Sent:
        if order.attempt > 1:
            standing = self._look_at_record(order)
            if isinstance(standing, Sent):
                return standing
            if isinstance(standing, CannotTell):
                raise Rejected(standing.reason)
        record = self._record_of(order, order.first_attempt_at or self._now)
        uri = self._place_of(order)
        try:
            cid = self._created(uri, record)
        except OutcomeUnknown:
            # A key that is taken makes the server fail like any fault: only looking tells them apart.
            standing = self._look_quietly(order)
            if isinstance(standing, Sent):
                return standing
            if isinstance(standing, CannotTell):
                raise Rejected(standing.reason) from None
            raise
        return records.sent(str(uri), cid, record)

    def _created(self, uri: AtUri, record: Mapping[str, Any]) -> str:
        answer = self._client.create(uri.collection, uri.rkey, record)
        if answer.get("uri") != str(uri):
            raise OutcomeUnknown("The Bluesky server did not say what became of it.")
        return want_text(answer, "cid")

    def _record_of(self, order: SendOrder, at: datetime) -> dict[str, Any]:
        target = order.target
        if order.verb is Verb.BLOCK and target:
            return records.block(target.author.native_id, at)
        if order.verb is Verb.LIKE and target:
            return records.like(self._references(target)[0], at)
        text = clean(order.text)
        parent, root = self._references(target) if target and order.verb is Verb.REPLY else (None, None)
        facets = self._facets(text)
        pictures = [
            records.picture(self._client.upload(file.data, file.content_type), file) for file in order.files
        ]
        return records.post(text, at, facets=facets, parent=parent, root=root, pictures=pictures)

    def _facets(self, text: str) -> list[dict[str, Any]]:
        dids = {handle: self._client.resolve(handle) for handle in mentioned_handles(text)}
        return facets_for(text, dids)

    def _references(self, target: Target) -> tuple[dict[str, str], dict[str, str]]:
        """The post that this is about and the top of its thread, each as the version we saw."""
        refs = dict(target.refs)
        is_reply = target.root is not None and target.root.native_id != target.native_id
        if not refs.get("cid") or (is_reply and not refs.get("root_cid")):
            refs = self._refs_from_network(target)
        parent = records.reference(target.native_id, refs["cid"])
        if not refs.get("root_cid"):
            return parent, parent
        return parent, records.reference(refs["root_uri"], refs["root_cid"])

    def _refs_from_network(self, target: Target) -> dict[str, str]:
        found = [post for post in self._client.posts([target.native_id]) if isinstance(post, Mapping)]
        if not found or not want_text(found[0], "cid"):
            raise Rejected("The post that this is about is no longer there.")
        root = want_mapping(want_mapping(want_mapping(found[0], "record"), "reply"), "root")
        return {
            "cid": want_text(found[0], "cid"),
            "root_uri": want_text(root, "uri"),
            "root_cid": want_text(root, "cid"),
        }

    def _place_of(self, order: SendOrder) -> AtUri:
        return AtUri(self._us, COLLECTIONS[order.verb], record_key_for(order.key))

    def _look_at_record(self, order: SendOrder) -> LookUpResult:
        uri = str(self._place_of(order))
        found = self._client.record(uri)
        if found is None:
            return NotFound()
        record = want_mapping(found, "value")
        if not records.says(order, record):
            return CannotTell("Something else stands on Bluesky under the key of this message.")
        return records.sent(uri, want_text(found, "cid"), record)

    def _look_quietly(self, order: SendOrder) -> LookUpResult:
        with contextlib.suppress(ConnectorError):
            return self._look_at_record(order)
        return NotFound()

    # --- the gate of a thread, and taking back

    def _hide(self, order: SendOrder) -> Sent:
        reply, root = self._hidden_and_root(order)
        for _ in range(SWAP_ATTEMPTS):
            cid, before = self._gate(root)
            hidden = [uri for uri in want_list(before or {}, "hiddenReplies") if isinstance(uri, str)]
            if reply in hidden:
                return self._hiding(root, cid)
            if len(hidden) >= HIDDEN_REPLIES:
                raise Rejected(f"Bluesky hides at most {HIDDEN_REPLIES} replies below one post.")
            gate = records.gate(str(root), [*hidden, reply], order.first_attempt_at or self._now, before)
            try:
                # Only in place of what we read: an app on somebody's phone changes the same record.
                answer = self._client.put(GATE, root.rkey, gate, instead_of=cid or None)
            except Refused as error:
                if error.error != "InvalidSwap":
                    raise
            else:
                return self._hiding(root, want_text(answer, "cid"))
        raise Unreachable("Somebody else is changing this thread's settings at the moment.")

    def _look_at_gate(self, order: SendOrder) -> LookUpResult:
        reply, root = self._hidden_and_root(order)
        cid, gate = self._gate(root)
        return self._hiding(root, cid) if reply in want_list(gate or {}, "hiddenReplies") else NotFound()

    @staticmethod
    def _hidden_and_root(order: SendOrder) -> tuple[str, AtUri]:
        root = record_uri(order.target.root.native_id) if order.target and order.target.root else None
        if order.target is None or root is None:
            raise Unsupported("Only a reply below a post can be hidden.")
        return order.target.native_id, root

    def _gate(self, root: AtUri) -> tuple[str, Mapping[str, Any] | None]:
        found = self._client.record(str(AtUri(self._us, GATE, root.rkey)))
        return (want_text(found, "cid"), want_mapping(found, "value")) if found else ("", None)

    def _hiding(self, root: AtUri, cid: str) -> Sent:
        return Sent(
            native_id=str(AtUri(self._us, GATE, root.rkey)),
            refs={"cid": cid} if cid else {},
            sent_at=self._now,
        )

    def _delete(self, order: SendOrder) -> Sent:
        uri = self._own(order)
        self._client.delete(uri.collection, uri.rkey)
        return Sent(native_id=str(uri), sent_at=self._now)

    def _look_at_deleted(self, order: SendOrder) -> LookUpResult:
        uri = str(self._own(order))
        return NotFound() if self._client.record(uri) else Sent(native_id=uri, sent_at=self._now)

    def _own(self, order: SendOrder) -> AtUri:
        uri = record_uri(order.target.native_id) if order.target else None
        if uri is None or uri.authority != self._us:
            raise Unsupported("Only this account's own posts can be deleted.")
        return uri

    # --- direct messages

    def _whisper(self, order: SendOrder) -> Sent:
        conversation = self._conversation(order)
        if order.attempt > 1:
            looked = self._look_into_chat(order, conversation)
            if isinstance(looked, Sent):
                return looked
            if isinstance(looked, CannotTell):
                raise OutcomeUnknown(looked.reason)
        text = clean(order.text)
        message: dict[str, Any] = {"text": text}
        facets = self._facets(text)
        if facets:
            message["facets"] = facets
        answer = self._client.say(conversation, message)
        if not want_text(answer, "id"):
            raise OutcomeUnknown("Bluesky's chat did not say what became of the message.")
        return _said(answer, conversation)

    def _conversation(self, order: SendOrder) -> str:
        if order.target and order.target.thread_key:
            return order.target.thread_key
        person = order.recipient or (order.target.author if order.target else None)
        if person is None:
            raise Unsupported("A direct message needs somebody to go to.")
        return self._client.conversation_with(person.native_id)

    def _look_into_chat(self, order: SendOrder, conversation: str) -> LookUpResult:
        since = (order.first_attempt_at or self._now) - CLOCK_SKEW
        candidates, cursor = [], ""
        for _ in range(CHAT_PAGES):
            page, cursor = self._client.said(conversation, cursor)
            messages = [item for item in page if isinstance(item, Mapping)]
            recent = [item for item in messages if (parse_datetime(item.get("sentAt")) or since) >= since]
            candidates += [item for item in recent if self._is_ours(item, clean(order.text))]
            if len(recent) < len(messages) or not messages or not cursor:
                break
        else:
            return CannotTell("Too much was said in this conversation since to find the message.")
        if len(candidates) > 1:
            return CannotTell("The same text stands in this conversation more than once.")
        return _said(candidates[0], conversation) if candidates else NotFound()

    def _is_ours(self, message: Mapping[str, Any], text: str) -> bool:
        return want_text(want_mapping(message, "sender"), "did") == self._us and message.get("text") == text


def _said(message: Mapping[str, Any], conversation: str) -> Sent:
    return Sent(
        native_id=want_text(message, "id"),
        id_scope=conversation,
        sent_at=parse_datetime(message.get("sentAt")),
    )
