"""A delivery to events: pure, tolerant, bounded. ``receive`` is the door."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from heard.connectorkit.vocabulary import (
    Account,
    Attachment,
    Author,
    Event,
    MessageKind,
    MessageSeen,
    RawDelivery,
    Visibility,
)
from heard.connectors.email.settings import keeps_sent_beside_received, own_addresses

from .addresses import (
    NO_ID_DOMAIN,
    Mailbox,
    addresses_of,
    mailboxes,
    message_id,
    message_ids,
    written_at,
)
from .automatic import is_automatic
from .content import omitted_attachments, read_content
from .envelope import Envelope, unpack
from .headers import Headers
from .reports import receipts
from .structure import Part, take_apart

__all__ = ["KEY_HEADER", "receive"]

#: Our own idempotency key in what we send: some providers replace the Message-ID, none this.
KEY_HEADER = "X-Heard-Key"
LONGEST_SUBJECT = 1_000
MOST_RECIPIENTS = 500
#: How much of ``References`` travels in ``refs``: the first and the newest are what threading needs.
MOST_REFERENCES_BACK = 10
_LONGEST_KEPT_HEADERS = 65_536
_LONGEST_KEY = 200
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,119}")


def receive(account: Account, delivery: RawDelivery) -> Sequence[Event]:
    """The events in one delivery: a mail, or the receipts that a report stands for.

    Raises ``Unreadable`` where the body is no mail at all; everything that is one gives events.
    """
    envelope = unpack(delivery.body)
    mail = take_apart(envelope.rfc822)
    at = written_at(mail.headers.first("date"), envelope.internal_at, delivery.received_at)
    if not envelope.sent:
        found = receipts(mail, at)
        if found:
            return list(found)
    return [_message(account, envelope, mail, at)]


def _message(account: Account, envelope: Envelope, mail: Part, at: datetime) -> MessageSeen:
    headers = mail.headers
    ours = own_addresses(account)
    sender, is_us = _sender(headers, ours, envelope, mixed=keeps_sent_beside_received(account))
    subject = headers.words("subject", LONGEST_SUBJECT)
    automatic = not is_us and is_automatic(headers, sender.address, subject, ours)
    content = read_content(mail)
    key = headers.first(KEY_HEADER.lower())[:_LONGEST_KEY] if is_us else ""
    own_id = message_id(headers.first("message-id")) or _missing_id(headers, content.text)
    if envelope.sent and _KEY.fullmatch(key):
        # A provider that gives what it files an id of its own still files what we sent under ours.
        own_id = message_id(f"<{key}@{sender.key.rpartition('@')[2]}>") or own_id
    references = message_ids(headers.first("references"))
    in_reply_to = message_ids(headers.first("in-reply-to"))[:1]
    to = mailboxes(headers.first("to"))
    recipients = addresses_of([*to, *mailboxes(headers.first("cc"))])[:MOST_RECIPIENTS]
    return MessageSeen(
        native_id=str(envelope.uid) if envelope.uid else own_id,
        id_scope=envelope.id_scope,
        canonical_id=own_id,
        kind=MessageKind.EMAIL,
        visibility=Visibility.PRIVATE,
        author=_author(account, sender, is_us=is_us),
        text=content.text,
        html=content.html,
        subject=subject,
        sent_at=at,
        language=_language(headers),
        thread_key=[*references, *in_reply_to, own_id][0],
        thread_refs=tuple(dict.fromkeys([*references, *in_reply_to])),
        automatic=automatic,
        recipients=recipients,
        attachments=_files(content.attachments, envelope),
        refs=_refs(
            message_id=own_id,
            in_reply_to="".join(in_reply_to),
            references=" ".join([*references[:1], *references[1:][-MOST_REFERENCES_BACK:]]),
            reply_to=_answer_to(headers, sender, to, ours, is_us=is_us),
            automatic="yes" if automatic else "",
        ),
        client_key=key,
        raw=_raw(envelope, headers),
    )


def _sender(
    headers: Headers, ours: frozenset[str], envelope: Envelope, *, mixed: bool
) -> tuple[Mailbox, bool]:
    """Who wrote it, and whether that is us.

    Only what lies in the Sent folder is ours, whatever it says (``mixed``: received and sent mail share a
    folder, and only there does the sender tell). In an inbox anybody can write in our name, and a form on
    the company's site does: it is the customer's mail, and Reply-To says whose. A copy of what we sent
    is known by its Message-ID.
    """
    named = ("from", "sender", "reply-to", "return-path")
    found = (box for name in named for box in mailboxes(headers.first(name)))
    sender = next(found, Mailbox("", headers.words("from", 200)))
    if envelope.sent or sender.key not in ours:
        return sender, envelope.sent
    others = [box for box in mailboxes(headers.first("reply-to")) if box.key not in ours]
    return (others[0], False) if others else (sender, mixed)


def _author(account: Account, sender: Mailbox, *, is_us: bool) -> Author:
    if is_us:
        name = sender.name or account.name
        native_id = account.native_id or sender.key
        return Author(native_id or "us", sender.address or account.handle, name, is_us=True)
    return Author(sender.key or "unknown", sender.address, sender.name)


def _answer_to(
    headers: Headers, sender: Mailbox, to: Sequence[Mailbox], ours: frozenset[str], *, is_us: bool
) -> str:
    """Where an answer goes: to Reply-To, else to the author; after a mail of ours, to whom we wrote."""
    if is_us:
        return next((box.address for box in to if box.key not in ours), "")
    wished = next((box.address for box in mailboxes(headers.first("reply-to")) if box.key not in ours), "")
    return wished or sender.address


def _refs(**found: str) -> dict[str, str]:
    """What an answer needs to know of this mail."""
    return {name: value for name, value in found.items() if value}


def _missing_id(headers: Headers, text: str) -> str:
    """An id for a mail without one: the same for every copy of it, in whatever folder."""
    parts = [headers.first(name) for name in ("from", "to", "date", "subject")]
    told = "\x1f".join([*parts, text]).encode("utf-8", "replace")
    return f"<{hashlib.sha256(told).hexdigest()[:40]}@{NO_ID_DOMAIN}>"


def _language(headers: Headers) -> str:
    primary = headers.first("content-language").partition(",")[0].partition("-")[0].strip().lower()
    return primary if primary.isascii() and primary.isalpha() and len(primary) in (2, 3) else ""


def _files(attachments: Sequence[Attachment], envelope: Envelope) -> Sequence[Attachment]:
    return (*attachments, *omitted_attachments(envelope.omitted, envelope.size_bytes))


def _raw(envelope: Envelope, headers: Headers) -> Mapping[str, Any]:
    """The mail's head as it came; its texts and files are kept beside it already."""
    kept: list[list[str]] = []
    length = 0
    for name, value in headers.pairs:
        length += len(name) + len(value)
        if length > _LONGEST_KEPT_HEADERS:
            break
        kept.append([name, value])
    place = {"folder": envelope.folder, "uidvalidity": envelope.uidvalidity, "uid": envelope.uid}
    return {**place, "headers": kept}
