"""Reports a mail system sends about a mail of ours: it bounced (RFC 3464), or it was read (RFC 8098)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from heard.connectorkit.vocabulary import Receipt, ReceiptState

from .addresses import is_address, message_id
from .charsets import decode, one_line
from .headers import Headers, decode_words, read_headers, split_head
from .structure import Part

LONGEST_REASON = 500
_MOST_RECIPIENTS = 20

_GROUP_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
#: What an enhanced status code (RFC 3463) means to who wrote the mail; the longest prefix wins.
_MEANINGS = {
    "5.1": "there is no such address",
    "5.1.8": "the receiving server does not accept our address as a sender",
    "5.2": "the mailbox does not take it",
    "5.2.1": "the mailbox is closed",
    "5.2.2": "the mailbox is full",
    "5.2.3": "the mail is too large for the mailbox",
    "5.3.4": "the mail is too large for the receiving server",
    "5.4": "the receiving server could not be found",
    "5.6": "the receiving server cannot read the mail",
    "5.7": "the receiving server refuses it by its rules",
    "4.2.2": "the mailbox is full",
    "4.4": "the receiving server could not be reached for days",
    "4.7": "the receiving server put it off for days",
}


def receipts(mail: Part, at: datetime) -> Sequence[Receipt]:
    """What a report says of mails of ours; empty where the mail is no report or names none of ours."""
    report = mail.parameters.get("report-type").lower()
    if mail.content_type != "multipart/report" or not mail.is_multipart:
        return ()
    if report == "delivery-status":
        return list(_delivery(mail, at))
    if report == "disposition-notification":
        return list(_disposition(mail, at))
    return ()


def _delivery(mail: Part, at: datetime) -> Iterator[Receipt]:
    original = _original_id(mail)
    status = _child(mail, "message/delivery-status", "message/global-delivery-status")
    if not original or status is None:
        return
    groups = _groups(status)
    actions = {group.first("action").split(";")[0].strip().lower() for group in groups}
    failed = [group for group in groups if group.first("action").lower().strip().startswith("failed")]
    if failed:
        reason = one_line(" ".join(map(_reason, failed[:_MOST_RECIPIENTS])), LONGEST_REASON)
        yield Receipt(original, ReceiptState.FAILED, at, reason=reason)
    elif actions & {"delivered", "relayed", "expanded"}:
        yield Receipt(original, ReceiptState.DELIVERED, at)


def _disposition(mail: Part, at: datetime) -> Iterator[Receipt]:
    note = _child(mail, "message/disposition-notification", "message/global-disposition-notification")
    if note is None:
        return
    fields = read_headers(note.data())
    original = message_id(fields.first("original-message-id"))
    if original and "displayed" in fields.first("disposition").rpartition(";")[2].lower():
        yield Receipt(original, ReceiptState.READ, at)


def _child(mail: Part, *content_types: str) -> Part | None:
    return next((part for part in mail.walk() if part.content_type in content_types), None)


def _groups(status: Part) -> list[Headers]:
    """The groups of fields about one recipient each (the first group is about the mail)."""
    return [read_headers(group) for group in _GROUP_END.split(status.data().strip(), maxsplit=200)]


def _original_id(mail: Part) -> str:
    kinds = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
    returned = _child(mail, *kinds)
    if returned is not None:
        found = message_id(split_head(returned.data())[0].first("message-id"))
        if found:
            return found
    # Exim and Exchange say so in the report's own head, too.
    for name in ("x-failed-message-id", "original-message-id", "in-reply-to"):
        found = message_id(mail.headers.first(name))
        if found:
            return found
    return ""


def _reason(group: Headers) -> str:
    """One sentence: to whom, why in plain words, and what the server said."""
    recipient = _typed(group.first("final-recipient") or group.first("original-recipient"))
    said = _typed(group.first("diagnostic-code"))
    status = group.first("status") or next(iter(_STATUS.findall(said)), "")
    whom = recipient if is_address(recipient) else "the recipient"
    because = f" (“{said}”)" if said else f" (status {status})" if status else ""
    return f"It did not reach {whom}: {_meaning(status)}{because}."


def _meaning(status: str) -> str:
    found = _STATUS.search(status)
    parts = found[0].split(".") if found else []
    for length in (3, 2):
        meaning = _MEANINGS.get(".".join(parts[:length]))
        if meaning:
            return meaning
    return "the receiving server refused it"


def _typed(value: str) -> str:
    """The value behind its type (``rfc822; anna@b.example``)."""
    text = decode_words(value.partition(";")[2] or value)
    return one_line(decode(text.encode("utf-8", "replace")), 300)
