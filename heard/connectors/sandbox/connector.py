"""The Sandbox as Heard speaks it: orchestration; URLs are in ``client``, translation in ``mapping``."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit.errors import Forged, Unreachable, Unsupported
from heard.connectorkit.http import json_body
from heard.connectorkit.payload import want_list
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Attachment,
    Event,
    LookUpResult,
    No,
    Page,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Target,
    Verb,
    Visibility,
    WhoAmI,
)

from . import mapping
from .capabilities import supports
from .client import Client
from .looking import look_up
from .manifest import MANIFEST, is_on

#: How far a first back-fill reaches.
RECENT = timedelta(days=7)
ACTS = (Verb.LIKE, Verb.HIDE, Verb.DELETE)
_CHALLENGE = re.compile(r"[\w-]{8,64}", re.ASCII)


class SandboxConnector:
    """Implements ``Connector`` and all its abilities."""

    manifest = MANIFEST

    def identify(self, link: Link) -> WhoAmI:
        """Ask the server whose token this is, and what it allows."""
        return mapping.who_am_i(Client(link).me())

    def repeats_safely(self, account: Account, order: SendOrder) -> bool:
        """Words only under a key; liking, hiding and deleting twice is doing it once."""
        return order.verb in ACTS or _hands_keys_over(account)

    def receive(self, account: Account, delivery: RawDelivery) -> Sequence[Event]:
        """Translate a page, a push, one event of the stream, or a thread's top."""
        return mapping.events(account, delivery.body)

    def fetch(self, link: Link, cursor: Mapping[str, Any] | None) -> Page:
        """What we were told after the cursor; without one, in the last week."""
        after = str((cursor or {}).get("after", "0"))
        response = Client(link).events(after, None if cursor else link.now - RECENT)
        page = json_body(response, what="Fetching what is new")
        told = want_list(page, "events") if isinstance(page, Mapping) else []
        last = str(page.get("last") or after) if isinstance(page, Mapping) else after
        more = isinstance(page, Mapping) and page.get("more") is True and last != after
        return Page(bodies=[response.content] if told else [], cursor={"after": last}, more=more)

    def supports(
        self, verb: Verb, target: Target | None, actor: ActorKind, account: Account, now: datetime
    ) -> Answer:
        """See ``capabilities``."""
        del now
        return supports(verb, target, actor, account)

    def send(self, link: Link, order: SendOrder) -> Sent:
        """Say it once: with our key where the channel is set up to hand it over."""
        answer = self.supports(order.verb, order.target, ActorKind.HUMAN, link.account, link.now)
        if isinstance(answer, No):
            raise Unsupported(answer.reason)
        client = Client(link)
        if order.verb in ACTS:
            return _act(client, order)
        body = _body(order)
        if order.files:
            body["attachments"] = [_upload(client, order, number) for number in range(len(order.files))]
        if _hands_keys_over(link.account):
            body["idempotency_key"] = order.key
        return mapping.sent(client.post(body))

    def look_up(self, link: Link, order: SendOrder) -> LookUpResult:
        """See ``looking``."""
        return look_up(link, order, with_key=_hands_keys_over(link.account))

    def verify(self, account: Account, headers: Mapping[str, str], body: bytes) -> None:
        """Check the HMAC over the raw bytes; without a secret nothing is genuine."""
        secret = account.secrets.get("webhook_secret", "")
        given = headers.get("x-sandbox-signature", "")
        right = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
        same = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
        if not (secret and same):
            raise Forged("The signature of the delivery does not hold.")

    def handshake(self, account: Account, query: Mapping[str, str]) -> bytes | None:
        """Give the challenge back."""
        del account
        challenge = query.get("challenge", "")
        return challenge.encode() if _CHALLENGE.fullmatch(challenge) else None

    def stream(self, link: Link) -> Iterator[bytes]:
        """Events as they happen, from now on; pings are signs of life."""
        for kind, data in Client(link).stream():
            yield data.encode() if kind == "post" else b""

    def context(self, link: Link, ref: Ref) -> Sequence[bytes]:
        """The thread above a post, in one body."""
        response = Client(link).context(ref.native_id)
        body = json_body(response, what="Fetching the thread")
        above = want_list(body, "ancestors") if isinstance(body, Mapping) else []
        return [response.content] if above else []

    def fetch_media(self, link: Link, attachment: Attachment, maximum_bytes: int) -> bytes:
        """The attachment's bytes, asked for with our token."""
        return Client(link).media(attachment.url, maximum_bytes)


def _hands_keys_over(account: Account) -> bool:
    """A setting, so that both kinds of network can be tried."""
    return is_on(account.settings.get("idempotency", True))


def _body(order: SendOrder) -> dict[str, Any]:
    """What is posted. A private answer to something public goes to its author."""
    body: dict[str, Any] = {"text": order.text}
    target = order.target
    if order.verb is Verb.POST:
        body["visibility"] = "public"
        return body
    private = order.verb is Verb.DIRECT_MESSAGE or (target and target.visibility is Visibility.PRIVATE)
    private = private or order.visibility is Visibility.PRIVATE
    body["visibility"] = "private" if private else "public"
    if target is not None:
        body["in_reply_to"] = target.native_id
    if private:
        person = order.recipient or (target.author if target else None)
        if person is None:
            raise Unsupported("There is nobody to write to.")
        if not person.is_us:  # in an exchange of ours the network knows who the other one is
            body["to"] = person.native_id
    return body


def _upload(client: Client, order: SendOrder, number: int) -> str:
    answer = client.upload(order.files[number])
    found = answer.get("id") if isinstance(answer, Mapping) else None
    if not isinstance(found, str):
        raise Unreachable("The server took the file and did not say under which id.")
    return found


def _act(client: Client, order: SendOrder) -> Sent:
    """Things that may be done twice without harm."""
    if order.target is None:
        raise Unsupported("There is nothing to do this to.")
    post = order.target.native_id
    if order.verb is Verb.DELETE:
        client.act("DELETE", f"posts/{post}", "Deleting")
    else:
        word = "Liking" if order.verb is Verb.LIKE else "Hiding"
        client.act("POST", f"posts/{post}/{order.verb.value}", word)
    return Sent(native_id=post)
