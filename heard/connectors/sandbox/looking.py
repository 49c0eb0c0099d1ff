"""Whether something of ours stands on the Sandbox: by its key, else among our own recent posts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from heard.connectorkit.payload import want_list, want_mapping, want_text
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    CannotTell,
    LookUpResult,
    NotFound,
    SendOrder,
    Sent,
    Verb,
    Visibility,
)

from . import mapping
from .client import Client
from .manifest import is_on

#: Clocks differ; our posts are looked through from this long before the first attempt.
CLOCKS_DIFFER = timedelta(minutes=5)
MOST_PAGES = 50


def look_up(link: Link, order: SendOrder, *, with_key: bool) -> LookUpResult:
    """Find what ``order`` may have left behind."""
    if not is_on(link.account.settings.get("look_up", True)):
        return CannotTell("This channel is set up so that nobody can look.")
    client = Client(link)
    if order.verb in (Verb.LIKE, Verb.HIDE, Verb.DELETE):
        return _look_for_act(client, order)
    if with_key:
        found = client.by_key(order.key)
        return NotFound() if found is None else mapping.sent(found)
    return _look_through(client, link, order)


def _look_for_act(client: Client, order: SendOrder) -> LookUpResult:
    """A deletion can be seen; a like or a hiding not, but asking for it twice does no harm."""
    target = order.target
    if order.verb is Verb.DELETE and target is not None and client.find(target.native_id) is None:
        return Sent(native_id=target.native_id)
    return NotFound()


def _look_through(client: Client, link: Link, order: SendOrder) -> LookUpResult:
    since = (order.first_attempt_at or link.now) - CLOCKS_DIFFER
    after = "0"
    alike: list[Sent] = []
    for _ in range(MOST_PAGES):
        page = client.own_posts(after, since)
        posts = [post for post in want_list(page, "posts") if isinstance(post, Mapping)]
        alike += [mapping.sent(post) for post in posts if _is_it(post, order)]
        if not posts or page.get("more") is not True:
            return _verdict(alike)
        after = want_text(posts[-1], "id", after)
    return CannotTell("There are too many posts of ours to look through.")


def _verdict(alike: list[Sent]) -> LookUpResult:
    if len(alike) > 1:
        return CannotTell("Several posts of ours read exactly alike.")
    return alike[0] if alike else NotFound()


def _is_it(post: Mapping[str, Any], order: SendOrder) -> bool:
    """The same words, in the same place, to the same person."""
    if want_text(post, "text") != order.text:
        return False
    if want_text(post, "in_reply_to") != (order.target.native_id if order.target else ""):
        return False
    private = want_text(post, "visibility") == Visibility.PRIVATE.value
    if order.verb is Verb.DIRECT_MESSAGE and not private:
        return False
    if private and order.recipient is not None:
        return want_text(want_mapping(post, "to"), "id") == order.recipient.native_id
    return True
