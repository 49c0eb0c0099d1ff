"""A company's account on a Mastodon server, and what customers do there by the official client."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
import threading
import uuid
from datetime import UTC, datetime
from urllib.parse import urlsplit

from heard.connectorkit.protocol import Link
from heard.connectorkit.testing import FakeVault
from heard.connectorkit.vocabulary import Account, RawDelivery, SendOrder, Source, Target, Verb
from heard.connectors.mastodon import CONNECTOR
from heard.foundation.net import AllowList, Guard, GuardedNet


@contextlib.contextmanager
def loses_the_answer(server):
    """The address of a line to ``server`` that carries the request there and never the answer back."""
    to = urlsplit(server.url)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def carry():
            near, _ = listening.accept()
            with near, socket.create_connection((to.hostname, to.port), timeout=20) as far:
                near.settimeout(20)
                request = b""
                while b"\r\n\r\n" not in request:
                    request += near.recv(65536)
                head, _, body = request.partition(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
                while len(body) < length:
                    body += near.recv(65536)
                far.sendall(head + b"\r\n\r\n" + body)
                assert far.recv(65536).startswith(b"HTTP/1.1 200"), "the server did not take it"

        carrier = threading.Thread(target=carry, daemon=True)
        carrier.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            carrier.join(20)
        assert not carrier.is_alive()


class Company:
    """Our side: a connected account, and what a platform does with its connector."""

    def __init__(self, server):
        self.net = GuardedNet(Guard(AllowList.parse("127.0.0.1")))
        nobody = Account(
            "", "", settings={"server_url": server.url}, secrets={"access_token": server.brand_token}
        )
        who = CONNECTOR.identify(self.link(account=nobody))
        self.who = who
        self.account = dataclasses.replace(
            nobody, native_id=who.native_id, handle=who.handle, scope=who.scope, limits=who.limits
        )
        self.cursor = None
        self.catch_up()

    def link(self, net=None, account=None, now=None):
        account = account or self.account
        return Link(account, net or self.net, FakeVault(account.secrets), now or datetime.now(UTC))

    def read(self, bodies, source=Source.POLL):
        return [
            event
            for body in bodies
            for event in CONNECTOR.receive(self.account, RawDelivery(source, body, datetime.now(UTC)))
        ]

    def catch_up(self, now=None):
        """Everything new, as events."""
        events = []
        for _ in range(20):
            page = CONNECTOR.fetch(self.link(now=now), self.cursor)
            self.cursor = json.loads(json.dumps(page.cursor))
            events += self.read(page.bodies)
            if not page.more:
                return events
        raise AssertionError("fetch never came to an end")

    def heard(self, native_id, events=None):
        """What we heard of one message."""
        events = self.catch_up() if events is None else events
        (event,) = [event for event in events if event.native_id == native_id]
        return event

    def answer(self, about, text="We are looking into it.", net=None, **changes):
        order = self.order(about, text, **changes)
        return CONNECTOR.send(self.link(net), order)

    def send_into_the_void(self, server, order):
        """It arrives and is carried out; we never hear of it."""
        with loses_the_answer(server) as url:
            account = dataclasses.replace(self.account, settings={"server_url": url})
            CONNECTOR.send(self.link(account=account), order)

    @staticmethod
    def order(about, text="We are looking into it.", **changes):
        target = Target(
            about.native_id,
            about.kind,
            about.visibility,
            about.author,
            id_scope=about.id_scope,
            refs=about.refs,
        )
        usual = SendOrder(
            uuid.uuid4().hex, Verb.REPLY, text, target=target, first_attempt_at=datetime.now(UTC)
        )
        return dataclasses.replace(usual, **changes)


def answers_to(customer, native_id):
    return customer.status_context(native_id).descendants
