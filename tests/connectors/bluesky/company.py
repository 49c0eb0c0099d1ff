"""A company's account on Bluesky's own servers, and what customers do there by the official client."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from atproto import Client, client_utils, models

from heard.connectorkit.protocol import Link
from heard.connectorkit.testing import FakeVault
from heard.connectorkit.vocabulary import (
    Account,
    MessageSeen,
    RawDelivery,
    SendOrder,
    Sent,
    Source,
    Target,
    Verb,
)
from heard.connectors.bluesky import CONNECTOR
from heard.foundation.net import AllowList, Guard, GuardedNet

PATIENCE_SECONDS = 60.0


class Company:
    """Our side: a connected account, and what a platform does with its connector."""

    def __init__(self, server, client: Client) -> None:
        self.client = client
        self.asked: list[str] = []
        self.net = GuardedNet(
            Guard(AllowList.parse("localhost")), on_exchange=lambda done: self.asked.append(done.path)
        )
        self.settings = {"service": server.url, "handle": client.me.handle}
        self.secrets = {"app_password": server.app_password(client)}
        nobody = Account("", "", settings=self.settings, secrets=self.secrets)
        self.who = CONNECTOR.identify(self.link(nobody, FakeVault(self.secrets)))
        self.account = Account(
            self.who.native_id, self.who.handle, settings=self.settings, secrets=self.who.secrets
        )
        self.vault = FakeVault(self.who.secrets)
        self.cursor = None

    def link(self, account: Account | None = None, vault: FakeVault | None = None) -> Link:
        return Link(account or self.account, self.net, vault or self.vault, datetime.now(UTC))

    def listen(self) -> list:
        """Everything new, as one look of the platform's poller brings it."""
        events = []
        for _ in range(20):
            page = CONNECTOR.fetch(self.link(), self.cursor)
            self.cursor = page.cursor
            events += [event for body in page.bodies for event in self.read(body)]
            if not page.more:
                return events
        raise AssertionError("fetch never came to an end")

    def read(self, body: bytes, source: Source = Source.POLL) -> list:
        return list(CONNECTOR.receive(self.account, RawDelivery(source, body, datetime.now(UTC))))

    def wait_for(self, wanted) -> list:
        """Look until ``wanted`` (a set of ids, or a question to an event) was met; all events till then."""
        met = (lambda event: event.native_id in wanted) if isinstance(wanted, set | str) else wanted
        needed = len(wanted) if isinstance(wanted, set) else 1
        deadline = time.monotonic() + PATIENCE_SECONDS
        events = []
        while sum(1 for event in events if isinstance(event, MessageSeen) and met(event)) < needed:
            assert time.monotonic() < deadline, f"not heard within {PATIENCE_SECONDS} s; heard: {events}"
            events += self.listen()
            time.sleep(0.1)
        return events

    def wait_for_one(self, native_id: str) -> MessageSeen:
        events = self.wait_for({native_id})
        return next(event for event in events if getattr(event, "native_id", "") == native_id)

    def send(self, verb: Verb, key: str, target: MessageSeen | None = None, text: str = "", **more) -> Sent:
        return CONNECTOR.send(self.link(), self.order(verb, key, target, text, **more))

    def look_up(self, verb: Verb, key: str, target: MessageSeen | None = None, text: str = "", **more):
        return CONNECTOR.look_up(self.link(), self.order(verb, key, target, text, **more))

    @staticmethod
    def order(verb: Verb, key: str, target: MessageSeen | None = None, text: str = "", **more) -> SendOrder:
        more.setdefault("first_attempt_at", datetime.now(UTC))
        return SendOrder(key=key, verb=verb, text=text, target=target and target_of(target), **more)


def target_of(message: MessageSeen) -> Target:
    return Target(
        native_id=message.native_id,
        kind=message.kind,
        visibility=message.visibility,
        author=message.author,
        canonical_id=message.canonical_id,
        root=message.root,
        refs=message.refs,
    )


def strong(sent) -> models.ComAtprotoRepoStrongRef.Main:
    cid = sent.refs["cid"] if isinstance(sent, Sent) else sent.cid
    uri = sent.native_id if isinstance(sent, Sent) else sent.uri
    return models.ComAtprotoRepoStrongRef.Main(uri=uri, cid=cid)


def below(root, parent=None) -> models.AppBskyFeedPost.ReplyRef:
    return models.AppBskyFeedPost.ReplyRef(root=strong(root), parent=strong(parent or root))


def eventually(question):
    """What ``question`` answers, once it is true: the app view lags."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < deadline, "the app view never showed it"
        time.sleep(0.1)
    return answer


def sees(who: Client, uri: str):
    """The post, once this person's app shows it. Nobody can answer earlier, and an answer that the app
    view indexes before what it answers gives no notification."""
    return eventually(lambda: who.app.bsky.feed.get_posts({"uris": [uri]}).posts)[0]


def mention(who: Client, company: Company, text: str = "my order is late 😡"):
    words = client_utils.TextBuilder().mention(f"@{company.account.handle}", company.account.native_id)
    return who.send_post(words.text(f" {text}"))
