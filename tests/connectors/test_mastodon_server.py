"""A Mastodon server, Mastodon's Python client as the customer, our connector in between."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
import struct
import threading
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from mastodon import Mastodon

from heard.connectorkit.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from heard.connectorkit.protocol import Link
from heard.connectorkit.testing import FakeVault
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    MessageGone,
    MessageKind,
    MessageSeen,
    NotFound,
    OutFile,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Source,
    Target,
    Verb,
    Visibility,
)
from heard.connectors.mastodon import CONNECTOR
from heard.foundation.net import AllowList, Guard, GuardedNet

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

STATUSES = {"methods": ["POST"], "path": "/api/v1/statuses"}


class Impatient:
    """The guarded net with less patience, so that a slow server is told from a dead test."""

    def __init__(self, net, seconds):
        self._net = net
        self._seconds = seconds

    def request(self, method, url, **more):
        more["timeout_seconds"] = self._seconds
        return self._net.request(method, url, **more)


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


@pytest.fixture
def company(mastodon_server):
    company = Company(mastodon_server)
    yield company
    company.net.close()


@pytest.fixture
def customer(mastodon_server):
    return Mastodon(
        access_token=mastodon_server.customer_token,
        api_base_url=mastodon_server.url,
        ratelimit_method="throw",
    )


def answers_to(customer, native_id):
    return customer.status_context(native_id).descendants


def test_the_account_is_recognised_with_its_servers_limits(company):
    assert company.who.handle.startswith("brand@")
    assert company.who.name == "Brand"
    answer = CONNECTOR.supports(Verb.POST, None, ActorKind.HUMAN, company.account, datetime.now(UTC))
    assert answer.constraints.text.maximum == 500
    assert answer.constraints.media.count == 4


def test_a_customer_asks_and_reads_our_answer(company, customer):
    said = customer.status_post("@brand my parcel is lost, see https://example.com/track/1")
    heard = company.heard(said.id)
    assert (heard.kind, heard.visibility) == (MessageKind.MENTION, Visibility.PUBLIC)
    assert heard.text == "@brand my parcel is lost, see https://example.com/track/1"
    assert heard.author.handle.startswith("customer@")
    sent = company.answer(heard)
    (answer,) = answers_to(customer, said.id)
    assert (answer.id, answer.visibility, answer.account.acct) == (sent.native_id, "public", "brand")
    assert "We are looking into it." in answer.content
    # The customer is told: without the mention nobody would be.
    assert sent.native_id in [note.status.id for note in customer.notifications(types=["mention"])]
    echo = company.heard(sent.native_id)
    assert echo.author.is_us
    assert echo.parent.native_id == said.id
    # And the answer to our answer is a comment on what we said.
    again = customer.status_post("@brand thank you", in_reply_to_id=sent.native_id)
    assert company.heard(again.id).kind is MessageKind.COMMENT


def test_the_stream_tells_at_once_what_polling_tells_later(company, customer):
    bodies, seen = [], threading.Event()
    problems = []

    def listen():
        try:
            for body in CONNECTOR.stream(company.link()):
                bodies.append(body)
                seen.set()
                if len([body for body in bodies if body]) == 2:
                    return
        except Unreachable as problem:
            problems.append(problem)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert seen.wait(10), "the line never showed life"
    said = customer.status_post("@brand are you there?")
    sent = company.answer(company.heard(said.id), "Yes.")
    listener.join(20)
    company.net.close()
    assert not listener.is_alive(), f"the stream told {len(bodies)} things only"
    assert not problems
    mention, echo = company.read([body for body in bodies if body], Source.STREAM)
    assert (mention.native_id, echo.native_id) == (said.id, sent.native_id)
    assert echo.author.is_us


def test_stream_and_poll_say_the_same_of_one_message(company, customer):
    said = customer.status_post("@brand the same?")
    polled = company.heard(said.id)
    (thread,) = CONNECTOR.context(company.link(), Ref(said.id))
    (seen,) = company.read([thread], Source.CONTEXT)
    assert dataclasses.replace(seen, raw=None) == dataclasses.replace(polled, raw=None)


def test_a_direct_message_is_answered_in_private(company, customer):
    said = customer.status_post("@brand my number is 4417", visibility="direct")
    heard = company.heard(said.id)
    assert (heard.kind, heard.visibility) == (MessageKind.DIRECT_MESSAGE, Visibility.PRIVATE)
    sent = company.answer(heard, "Thank you.")
    (answer,) = answers_to(customer, said.id)
    assert (answer.id, answer.visibility) == (sent.native_id, "direct")
    assert company.heard(sent.native_id).thread_key == heard.thread_key


def test_a_public_matter_moves_into_private(company, customer):
    said = customer.status_post("@brand you charged me twice")
    sent = company.answer(company.heard(said.id), "What is your number?", verb=Verb.DIRECT_MESSAGE)
    (answer,) = answers_to(customer, said.id)
    assert (answer.id, answer.visibility) == (sent.native_id, "direct")


def test_an_unlisted_question_gets_no_public_answer(company, customer):
    said = customer.status_post("@brand quietly", visibility="unlisted")
    company.answer(company.heard(said.id))
    (answer,) = answers_to(customer, said.id)
    assert answer.visibility == "unlisted"


def test_the_same_order_twice_is_one_answer(company, customer):
    said = customer.status_post("@brand once?")
    order = company.order(company.heard(said.id))
    first = CONNECTOR.send(company.link(), order)
    again = CONNECTOR.send(company.link(), dataclasses.replace(order, attempt=2))
    assert first.native_id == again.native_id
    assert len(answers_to(customer, said.id)) == 1


def test_a_lost_answer_is_found_by_looking(company, customer, mastodon_server):
    said = customer.status_post("@brand did it arrive?")
    order = company.order(company.heard(said.id), "It did.")
    assert CONNECTOR.look_up(company.link(), order) == NotFound()
    with pytest.raises(OutcomeUnknown):
        company.send_into_the_void(mastodon_server, order)
    (answer,) = answers_to(customer, said.id)
    found = CONNECTOR.look_up(company.link(), order)
    assert isinstance(found, Sent)
    assert found.native_id == answer.id


def test_a_server_that_takes_too_long_leaves_the_outcome_open(company, customer, mastodon_server):
    said = customer.status_post("@brand slowly")
    order = company.order(company.heard(said.id), "In a moment.")
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "latency", "delay_ms": 1500}})
    with pytest.raises(OutcomeUnknown):
        CONNECTOR.send(company.link(Impatient(company.net, 0.5)), order)
    # Whatever it became, a second try with the same key leaves exactly one answer.
    sent = CONNECTOR.send(company.link(), dataclasses.replace(order, attempt=2))
    assert [answer.id for answer in answers_to(customer, said.id)] == [sent.native_id]
    assert CONNECTOR.look_up(company.link(), order).native_id == sent.native_id


def test_a_post_is_found_by_looking(company, mastodon_server):
    order = SendOrder(uuid.uuid4().hex, Verb.POST, f"Line 4 runs again. {uuid.uuid4().hex}")
    order = dataclasses.replace(order, first_attempt_at=datetime.now(UTC))
    with pytest.raises(OutcomeUnknown):
        company.send_into_the_void(mastodon_server, order)
    found = CONNECTOR.look_up(company.link(), order)
    assert isinstance(found, Sent)
    other = dataclasses.replace(order, text="Something else.")
    assert CONNECTOR.look_up(company.link(), other) == NotFound()


def test_a_broken_answer_to_a_write_leaves_the_outcome_open(company, customer, mastodon_server):
    said = customer.status_post("@brand garbled")
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "malformed"}})
    with pytest.raises(OutcomeUnknown):
        company.answer(company.heard(said.id))


@pytest.mark.parametrize(
    ("status", "error"), [(500, OutcomeUnknown), (502, OutcomeUnknown), (503, Unreachable)]
)
def test_a_server_with_a_fault(company, customer, mastodon_server, status, error):
    said = customer.status_post("@brand broken?")
    heard = company.heard(said.id)
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "status", "status": status}})
    with pytest.raises(error):
        company.answer(heard)
    company.answer(heard)  # and the fault was the only reason
    assert len(answers_to(customer, said.id)) == 1


def test_the_network_asks_us_to_wait(company, customer, mastodon_server):
    said = customer.status_post("@brand too fast")
    heard = company.heard(said.id)
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "ratelimit"}})
    with pytest.raises(RateLimited) as caught:
        company.answer(heard)
    assert caught.value.retry_after_seconds == 300
    mastodon_server.fault(
        {
            "match": {"path": "/api/v1/notifications"},
            "effect": {"type": "ratelimit", "headers": {"Retry-After": "7"}},
        }
    )
    with pytest.raises(RateLimited) as caught:
        company.catch_up()
    assert caught.value.retry_after_seconds == 7


def test_a_token_that_is_not_taken(company):
    account = dataclasses.replace(company.account, secrets={"access_token": "nope"})
    for ask in (CONNECTOR.identify, lambda link: CONNECTOR.fetch(link, None)):
        with pytest.raises(CredentialsRefused):
            ask(company.link(account=account))
    with pytest.raises(CredentialsRefused):
        next(CONNECTOR.stream(company.link(account=account)))


def test_too_long_a_text_is_refused_with_the_servers_words(company, customer):
    said = customer.status_post("@brand tell me everything")
    with pytest.raises(Rejected, match="500"):
        company.answer(company.heard(said.id), "x" * 600)
    assert not answers_to(customer, said.id)


def test_an_edit_and_a_deletion_that_the_stream_did_not_tell(company, customer):
    edited = customer.status_post("@brand lost")
    deleted = customer.status_post("@brand a mistake")
    company.catch_up()
    customer.status_update(edited.id, "@brand found again")
    customer.status_delete(deleted.id)
    events = company.catch_up(now=datetime.now(UTC) + timedelta(minutes=6))
    seen = {event.native_id: event for event in events}
    assert seen[edited.id].text == "@brand found again"
    assert seen[edited.id].version
    assert isinstance(seen[deleted.id], MessageGone)


def test_an_outage_leaves_no_gap_and_no_duplicate(company, customer):
    company.catch_up()
    said = [customer.status_post(f"@brand number {number}").id for number in range(55)]
    events = [event for event in company.catch_up() if isinstance(event, MessageSeen)]
    assert sorted(event.native_id for event in events) == sorted(said)
    assert not company.catch_up()


def test_a_picture_is_posted_with_its_description(company, customer):
    picture = OutFile("dot.png", "image/png", png(), alt="A red square")
    order = SendOrder(uuid.uuid4().hex, Verb.POST, "Look", files=(picture,))
    sent = CONNECTOR.send(company.link(), order)
    (media,) = customer.status(sent.native_id).media_attachments
    assert (media.type, media.description) == ("image", "A red square")
    attachment = company.heard(sent.native_id).attachments[0]
    assert attachment.alt == "A red square"
    assert CONNECTOR.fetch_media(company.link(), attachment, 1_000_000)
    with pytest.raises(Unreachable, match="larger"):
        CONNECTOR.fetch_media(company.link(), attachment, 10)


def test_like_and_delete_and_whether_they_were_done(company, customer):
    said = customer.status_post("@brand well done")
    heard = company.heard(said.id)
    like = company.order(heard, "", verb=Verb.LIKE)
    assert CONNECTOR.look_up(company.link(), like) == NotFound()
    CONNECTOR.send(company.link(), like)
    assert customer.status(said.id).favourites_count == 1
    assert isinstance(CONNECTOR.look_up(company.link(), like), Sent)
    sent = company.answer(heard)
    delete = company.order(company.heard(sent.native_id), "", verb=Verb.DELETE)
    assert CONNECTOR.look_up(company.link(), delete) == NotFound()
    CONNECTOR.send(company.link(), delete)
    CONNECTOR.send(company.link(), delete)  # twice is harmless
    assert not answers_to(customer, said.id)
    assert isinstance(CONNECTOR.look_up(company.link(), delete), Sent)


def test_an_answer_to_what_is_gone_is_refused(company, customer):
    said = customer.status_post("@brand never mind")
    heard = company.heard(said.id)
    customer.status_delete(said.id)
    with pytest.raises(Rejected):
        company.answer(heard, "", verb=Verb.LIKE)
    with pytest.raises(Rejected, match="gone"):
        CONNECTOR.context(company.link(), Ref(said.id))


def test_a_thread_comes_with_its_top(company, customer):
    top = customer.status_post("Line 4 again")
    below = customer.status_post("so late", in_reply_to_id=top.id)
    asked = customer.status_post("@brand why?", in_reply_to_id=below.id)
    (body,) = CONNECTOR.context(company.link(), Ref(asked.id))
    events = company.read([body], Source.CONTEXT)
    assert [event.native_id for event in events] == [top.id, below.id, asked.id]
    assert {event.root.native_id for event in events if event.parent} == {top.id}


def test_a_block_and_whether_it_was_done(company, customer):
    """Last, and undone: the other tests need the customer."""
    said = customer.status_post("@brand rude words")
    block = company.order(company.heard(said.id), "", verb=Verb.BLOCK)
    assert CONNECTOR.look_up(company.link(), block) == NotFound()
    brand = Mastodon(access_token=company.account.secrets["access_token"], api_base_url=customer.api_base_url)
    try:
        CONNECTOR.send(company.link(), block)
        assert isinstance(CONNECTOR.look_up(company.link(), block), Sent)
    finally:
        brand.account_unblock(customer.me().id)


def png():
    rows = b"".join(b"\0" + b"\xff\0\0" * 8 for _ in range(8))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
