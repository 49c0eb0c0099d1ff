"""Saying it, and looking whether it was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit.errors import OutcomeUnknown, Unreachable, Unreadable, Unsupported
from heard.connectorkit.payload import want_instant, want_text
from heard.connectorkit.vocabulary import (
    Account,
    CannotTell,
    Constraints,
    LookUpResult,
    MediaLimit,
    NotFound,
    OutFile,
    SendOrder,
    Sent,
    Target,
    Verb,
)

from .answers import handle_of
from .client import Client
from .compose import addressed, can_be_mentioned, says_the_same
from .mapping import NETWORK_VISIBILITIES, domain_of, message_seen, scope_of, sent_of

WRITING = (Verb.REPLY, Verb.DIRECT_MESSAGE, Verb.POST)
#: How long we wait for a server to prepare an uploaded file, in steps of a second.
UPLOAD_TRIES = 15
#: How far a server's clock may be off, and how many pages of our own posts are looked through.
CLOCK_SLACK = timedelta(minutes=2)
LOOK_UP_PAGES = 5

Sleep = Callable[[float], None]


def check(account: Account, order: SendOrder, constraints: Constraints) -> None:
    """Refuse, before any request, what ``supports`` did not offer; raises ``Unsupported``."""
    if order.verb not in WRITING:
        return
    if order.visibility is not None and order.visibility not in constraints.visibilities:
        raise Unsupported("This audience is not offered here: an answer never reaches more people.")
    if not order.text.strip() and not order.files:
        raise Unsupported("There is nothing to say: no text and no attachment.")
    person = _person(order)
    if order.verb is Verb.DIRECT_MESSAGE and (not person or not can_be_mentioned(person)):
        raise Unsupported("A direct message needs somebody whose handle can be mentioned.")
    if order.recipient is not None and order.recipient.native_id == account.native_id:
        raise Unsupported("A direct message to ourselves would be seen by nobody.")
    _check_files(order.files, constraints.media)


def _check_files(files: Sequence[OutFile], limit: MediaLimit) -> None:
    if len(files) > limit.count:
        raise Unsupported(f"This server takes {limit.count} attachments at most.")
    for file in files:
        if not any(_is_type(file.content_type, kind) for kind in limit.types):
            raise Unsupported("This server does not take attachments of this type.")
        if len(file.data) > limit.maximum_bytes:
            megabytes = limit.maximum_bytes / 1_000_000
            raise Unsupported(f"This server takes attachments of up to {megabytes:.1f} MB.")


def _is_type(given: str, allowed: str) -> bool:
    return given.lower() == allowed.lower() or (
        allowed.endswith("/*") and given.lower().startswith(allowed[:-1].lower())
    )


def say(client: Client, account: Account, order: SendOrder, constraints: Constraints, sleep: Sleep) -> Sent:
    """Publish a reply, a direct message or a post."""
    body: dict[str, Any] = {
        "status": words(account, order),
        "visibility": NETWORK_VISIBILITIES[order.visibility or constraints.visibilities[0]],
    }
    if order.target is not None and order.verb is not Verb.POST:
        body["in_reply_to_id"] = order.target.native_id
    if order.subject.strip():
        body["spoiler_text"] = order.subject.replace("\x00", "")
    if order.files:
        body["media_ids"] = [_upload(client, file, sleep) for file in order.files]
    status = client.post(body, order.key)
    try:
        return sent_of(account, status)
    except Unreadable as error:
        raise OutcomeUnknown("The server took the post but did not say under which id.") from error


def words(account: Account, order: SendOrder) -> str:
    """The text as it is sent: with whom it is for in front."""
    person = _person(order)
    if order.verb is Verb.POST or not person or not can_be_mentioned(person):
        return order.text.replace("\x00", "")
    return addressed(order.text, person, domain_of(account))


def _person(order: SendOrder) -> str:
    if order.recipient is not None and order.verb is Verb.DIRECT_MESSAGE:
        return order.recipient.handle
    return handle_of(order.target) if order.target is not None else ""


def _upload(client: Client, file: OutFile, sleep: Sleep) -> str:
    native_id, ready = client.upload(file)
    for _ in range(UPLOAD_TRIES):
        if ready:
            return native_id
        sleep(1.0)
        ready = client.upload_is_ready(native_id)
    if ready:
        return native_id
    # Nothing was published, so the whole order may be tried again later.
    raise Unreachable("The server is still preparing the attachment; nothing was posted yet.")


def act(client: Client, account: Account, order: SendOrder, target: Target) -> Sent:
    """Like, block or delete: what they change is named by what they are about."""
    if order.verb is Verb.LIKE:
        client.favourite(target.native_id)
    elif order.verb is Verb.BLOCK:
        client.block(target.author.native_id)
        return Sent(native_id=target.author.native_id, id_scope=scope_of(account))
    else:
        client.delete(target.native_id)
    return Sent(native_id=target.native_id, id_scope=scope_of(account), canonical_id=target.canonical_id)


def find(client: Client, account: Account, order: SendOrder, now: datetime) -> LookUpResult:
    """Look whether ``order`` stands on the network."""
    if order.verb in WRITING:
        return _find_words(client, account, order, now)
    if order.target is None:
        return CannotTell("There is no message to look at.")
    return _find_act(client, account, order, order.target)


def _find_act(client: Client, account: Account, order: SendOrder, target: Target) -> LookUpResult:
    if order.verb is Verb.BLOCK:
        done = client.is_blocking(target.author.native_id)
        native_id = target.author.native_id
    else:
        status = client.status(target.native_id)
        native_id = target.native_id
        if order.verb is Verb.DELETE:
            done = status is None
        else:
            liked = None if status is None else status.get("favourited")
            done = liked if isinstance(liked, bool) else None
    if done is None:
        return CannotTell("The server does not say whether this was done.")
    return Sent(native_id=native_id, id_scope=scope_of(account)) if done else NotFound()


def _find_words(client: Client, account: Account, order: SendOrder, now: datetime) -> LookUpResult:
    """Through our own posts, newest first, back to before the first attempt."""
    since = order.first_attempt_at - CLOCK_SLACK if order.first_attempt_at else None
    parent = order.target.native_id if order.target is not None and order.verb is not Verb.POST else ""
    text = words(account, order)
    oldest = ""
    similar = False
    for _ in range(LOOK_UP_PAGES):
        _, entries = client.own_statuses(account.native_id, max_id=oldest)
        for status in entries:
            written = want_instant(status.get("created_at"))
            if since and written and written < since:
                return _not_found(similar=similar)
            if want_text(status, "in_reply_to_id") == parent:
                if _is_ours(account, status, text, now):
                    return sent_of(account, status)
                similar = similar or bool(parent)
        oldest = want_text(entries[-1], "id") if entries else ""
        if not oldest:
            return _not_found(similar=similar)
    return CannotTell("The account wrote more since then than can be looked through.")


def _is_ours(account: Account, status: Mapping[str, Any], text: str, now: datetime) -> bool:
    try:
        return says_the_same(text, message_seen(account, status, now).text)
    except Unreadable:
        return False


def _not_found(*, similar: bool) -> LookUpResult:
    if similar:
        # Some servers rewrite what they are given: better ask a person than answer twice.
        return CannotTell("There is another answer to the same message, which may be this one.")
    return NotFound()
