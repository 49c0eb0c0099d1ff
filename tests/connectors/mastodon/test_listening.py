"""A Mastodon server: edits, outages, threads, pictures, and what is done beside answering."""

from __future__ import annotations

import struct
import uuid
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from mastodon import Mastodon

from heard.connectorkit.errors import Rejected, Unreachable
from heard.connectorkit.vocabulary import (
    MessageGone,
    MessageSeen,
    NotFound,
    OutFile,
    Ref,
    SendOrder,
    Sent,
    Source,
    Verb,
)
from heard.connectors.mastodon import CONNECTOR

from .company import answers_to

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]


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
