"""A mailbox of ours, and what is played of mail servers."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace

from heard.connectorkit.conformance import check_events
from heard.connectorkit.errors import Unreachable
from heard.connectorkit.testing import NOW, RecordedNet, link, order, target
from heard.connectorkit.vocabulary import (
    Account,
    Author,
    MessageKind,
    MessageSeen,
    RawDelivery,
    Source,
    Verb,
    Visibility,
)
from heard.connectors.email import CONNECTOR
from heard.connectors.email.mapping.envelope import Envelope, pack

US = "care@nordwind.example"


ANNA = Author("anna@customer.example", "anna@customer.example", "Anna Berg")


def receive(mail: bytes | str, account: Account | None = None, **envelope):
    raw = mail if isinstance(mail, bytes) else mail.encode()
    body = pack(Envelope(raw, **envelope)) if envelope else raw
    events = CONNECTOR.receive(account or mailbox(), RawDelivery(Source.POLL, body, NOW))
    check_events(events)
    return events


def one(mail: bytes | str, **envelope) -> MessageSeen:
    (event,) = receive(mail, **envelope)
    assert isinstance(event, MessageSeen)
    return event


def mailbox(**changes) -> Account:
    settings = {
        "address": US,
        "display_name": "Nordwind",
        "imap_host": "127.0.0.1",
        "imap_security": "none",
        "smtp_host": "127.0.0.1",
        "smtp_security": "none",
        **changes.pop("settings", {}),
    }
    secrets = changes.pop("secrets", {"password": "pw"})
    return Account(US, US, "Nordwind", settings=settings, secrets=secrets, **changes)


def write(**changes):
    """A new mail to Anna, unless changed."""
    usual = {"verb": Verb.DIRECT_MESSAGE, "target": None, "recipient": ANNA, "subject": "Your parcel"}
    return order(**{**usual, **changes})


def answer(**refs):
    """An answer to Anna's mail."""
    about = target(
        kind=MessageKind.EMAIL,
        visibility=Visibility.PRIVATE,
        author=ANNA,
        subject="Where is it?",
        canonical_id="<2@customer.example>",
        refs={"message_id": "<2@customer.example>", "reply_to": "anna@home.example", **refs},
    )
    return order(target=about)


class LoopbackNet(RecordedNet):
    """Sockets to loopback; requests from a record."""

    def __init__(self, exchange=(), authority=None):
        super().__init__(exchange)
        self._authority = authority

    def socket(self, host, port, *, tls, timeout_seconds=20.0):
        assert host in ("127.0.0.1", "localhost"), f"a socket to {host}"
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout_seconds)
        except OSError as error:
            raise Unreachable(f"{host} cannot be reached.") from error
        return self.start_tls(plain, host) if tls else plain

    def start_tls(self, plain, host):
        try:
            return ssl.create_default_context(cafile=self._authority).wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            raise Unreachable(f"{host} cannot be reached safely.") from error


def line(post=None, store=None, account=None, net=None, **changes):
    account = account or mailbox(**changes)
    ports = {"smtp_port": post.port if post else 1, "imap_port": store.port if store else 1}
    settings = {**ports, **account.settings}
    return link(replace(account, settings=settings), net or LoopbackNet())
