"""Mastodon, and servers that speak its API: orchestration only.

``client`` knows the URLs, ``mapping`` the payloads, ``answers`` what may be asked, ``catching_up``
how to read what is new, ``sending`` how to say something and how to find it again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from heard.connectorkit.errors import CredentialsRefused, Rejected, Unreachable, Unsupported
from heard.connectorkit.payload import clean, want_mapping, want_text
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Attachment,
    Constraints,
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
    WhoAmI,
)

from . import answers, sending
from .about import MANIFEST, NEEDED_SCOPES
from .catching_up import catch_up
from .client import Client, base_url
from .mapping import events_of, full_handle, host_of, stream_body, worth_keeping

_TICK_THEM = "Tick them on the application's page under Development, and copy its new access token."


class MastodonConnector:
    """Keeps nothing between calls. ``sleep`` waits while a server prepares an uploaded file."""

    manifest = MANIFEST

    def __init__(self, sleep: sending.Sleep = time.sleep) -> None:
        self._sleep = sleep

    def identify(self, link: Link) -> WhoAmI:
        """Whose token it is, what it may do, and the server's limits."""
        client = Client(link.net, link.account)
        me = client.whoami()
        scopes = client.scopes()
        missing = [scope for scope in NEEDED_SCOPES if scopes and not answers.covers(scopes, scope)]
        if missing:
            names = ", ".join(missing)
            raise CredentialsRefused(f"The access token lacks permissions: {names}. {_TICK_THEM}")
        instance = client.instance()
        native_id = clean(want_text(me, "id"))
        if not native_id:
            raise Unreachable("Signing in failed: the server does not say whose token this is.")
        scope = host_of(base_url(str(link.account.settings.get("server_url", ""))))
        domain = host_of(want_text(instance, "domain")) or scope
        return WhoAmI(
            native_id=native_id,
            handle=full_handle(clean(want_text(me, "acct") or want_text(me, "username")), domain),
            name=clean(want_text(me, "display_name")),
            scope=scope,
            url=clean(want_text(me, "url")),
            avatar_url=clean(want_text(me, "avatar")),
            limits={
                **want_mapping(instance, "configuration"),
                "api_versions": want_mapping(instance, "api_versions"),
                "scopes": list(scopes),
            },
        )

    def receive(self, account: Account, delivery: RawDelivery) -> Sequence[Event]:
        """Statuses, notifications, stream events, threads; see ``mapping``."""
        return events_of(account, delivery)

    def fetch(self, link: Link, cursor: Mapping[str, Any] | None) -> Page:
        """New notifications and own posts, and now and then what changed; see ``catching_up``."""
        return catch_up(Client(link.net, link.account), link.account, cursor, link.now)

    def supports(
        self,
        verb: Verb,
        target: Target | None,
        actor: ActorKind,
        account: Account,
        now: datetime,  # noqa: ARG002 - nothing on Mastodon closes with time
    ) -> Answer:
        """See ``answers``."""
        return answers.answer(verb, target, actor, account)

    def send(self, link: Link, order: SendOrder) -> Sent:
        """Say it, with ``order.key`` as Mastodon's idempotency key."""
        constraints = self._allowed(link, order)
        sending.check(link.account, order, constraints)
        client = Client(link.net, link.account)
        if order.verb in sending.WRITING:
            return sending.say(client, link.account, order, constraints, self._sleep)
        if order.target is None:
            raise Unsupported("There is no message to do this with.")
        return sending.act(client, link.account, order, order.target)

    def _allowed(self, link: Link, order: SendOrder) -> Constraints:
        answer = self.supports(order.verb, order.target, ActorKind.HUMAN, link.account, link.now)
        if isinstance(answer, No):
            raise Unsupported(answer.reason)
        return answer.constraints

    def stream(self, link: Link) -> Iterator[bytes]:
        """The user stream. What people we follow say to others passes as a sign of life."""
        with Client(link.net, link.account).user_stream() as events:
            yield b""
            for event in events:
                keep = event.data and worth_keeping(link.account, event.event, event.data)
                yield stream_body(event.event, event.data) if keep else b""

    def look_up(self, link: Link, order: SendOrder) -> LookUpResult:
        """Through our own posts since the first attempt, or at the thing itself."""
        return sending.find(Client(link.net, link.account), link.account, order, link.now)

    def context(self, link: Link, ref: Ref) -> Sequence[bytes]:
        """One body: the status and its ancestors. What others said below it stays where it is."""
        client = Client(link.net, link.account)
        status = client.status(ref.native_id)
        if status is None:
            raise Rejected("The post is gone from the network.")
        ancestors = client.ancestors(ref.native_id) if status.get("in_reply_to_id") else []
        return [json.dumps({"status": status, "ancestors": list(ancestors)}).encode()]

    def fetch_media(self, link: Link, attachment: Attachment, maximum_bytes: int) -> bytes:
        """The file at the attachment's address."""
        if not attachment.url:
            raise Rejected("The server has not finished preparing this attachment, or it is gone.")
        return Client(link.net, link.account).media(attachment.url, maximum_bytes)
