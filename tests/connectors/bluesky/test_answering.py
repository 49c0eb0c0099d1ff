"""Bluesky's own servers: a customer is heard and answered, once."""

from __future__ import annotations

import dataclasses
import struct
import zlib

import pytest

from heard.connectorkit.errors import Rejected
from heard.connectorkit.vocabulary import MessageKind, NotFound, OutFile, Ref, Sent, Verb
from heard.connectors.bluesky import CONNECTOR

from .company import below, eventually, mention, sees

pytestmark = [
    pytest.mark.timeout(300),  # of which the first test spends some on starting the servers
    # The official client hands httpx the bytes of a picture in a way that httpx is giving up.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]


def png(width: int, height: int, shade: int = 255) -> bytes:
    rows = b"".join(b"\0" + bytes([shade, 0, 0]) * width for _ in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_customer_mentions_us_and_reads_our_answer_in_the_thread(company, anna):
    said = mention(anna, company)
    heard = company.wait_for_one(said.uri)
    assert heard.kind is MessageKind.MENTION
    assert heard.mentions_us
    assert heard.author.handle == anna.me.handle
    assert heard.text == f"@{company.account.handle} my order is late 😡"
    assert company.listen() == []

    sent = company.send(Verb.REPLY, "answer-1", heard, "We are looking into it.")

    def answers():
        replies = anna.get_post_thread(said.uri).thread.replies or []
        return [(reply.post.uri, reply.post.author.handle, reply.post.record.text) for reply in replies]

    assert eventually(answers) == [(sent.native_id, company.account.handle, "We are looking into it.")]
    echo = company.wait_for_one(sent.native_id)
    assert echo.author.is_us
    assert echo.canonical_id == sent.canonical_id
    assert echo.refs == sent.refs
    assert echo.url == sent.url
    assert echo.parent == Ref(said.uri)


def test_the_same_key_twice_is_one_record(company, anna):
    heard = company.wait_for_one(mention(anna, company).uri)
    first = company.send(Verb.REPLY, "once", heard, "We are looking into it.")
    again = company.send(Verb.REPLY, "once", heard, "We are looking into it.")
    third = company.send(Verb.REPLY, "once", heard, "We are looking into it.", attempt=2)
    other = company.send(Verb.REPLY, "another", heard, "We are looking into it.")
    assert first.native_id == again.native_id == third.native_id != other.native_id
    assert first.refs == again.refs == third.refs
    records = company.client.com.atproto.repo.list_records(
        {"repo": company.account.native_id, "collection": "app.bsky.feed.post"}
    ).records
    assert {record.uri for record in records} == {first.native_id, other.native_id}


def test_a_key_taken_by_another_text_is_said_so(company):
    company.send(Verb.POST, "once", text="We are open.")
    with pytest.raises(Rejected):
        company.send(Verb.POST, "once", text="We are closed.")


def test_looking_up_tells_exactly_whether_it_stands(company, anna):
    heard = company.wait_for_one(mention(anna, company).uri)
    assert company.look_up(Verb.REPLY, "look", heard, "Hello") == NotFound()
    sent = company.send(Verb.REPLY, "look", heard, "Hello")
    found = company.look_up(Verb.REPLY, "look", heard, "Hello")
    assert isinstance(found, Sent)
    assert (found.native_id, found.refs, found.url) == (sent.native_id, sent.refs, sent.url)
    assert company.look_up(Verb.REPLY, "never sent", heard, "Hello") == NotFound()


def test_pictures_go_out_with_their_descriptions_and_come_in_with_their_bytes(company, anna):
    files = [
        OutFile("shop.png", "image/png", png(64, 48), "A red shop window"),
        OutFile("door.png", "image/png", png(48, 64, 99), "A door"),
    ]
    sent = company.send(Verb.POST, "pictures", text="Our new shop", files=files)
    shown = sees(anna, sent.native_id)
    assert [image.alt for image in shown.embed.images] == ["A red shop window", "A door"]
    assert [(i.aspect_ratio.width, i.aspect_ratio.height) for i in shown.embed.images] == [(64, 48), (48, 64)]

    said = anna.send_image("look", png(30, 20), "a red box", reply_to=below(sent))
    heard = company.wait_for_one(said.uri)
    assert heard.kind is MessageKind.COMMENT
    picture = heard.attachments[0]
    assert (picture.alt, picture.content_type) == ("a red box", "image/png")
    assert len(CONNECTOR.fetch_media(company.link(), picture, 2_000_000)) > 50
    without_address = dataclasses.replace(picture, url="")
    assert CONNECTOR.fetch_media(company.link(), without_address, 2_000_000) == png(30, 20)


@pytest.mark.parametrize("text", ["x" * 301, "👨‍👩‍👧‍👦" * 300], ids=["graphemes", "bytes"])
def test_too_long_is_rejected_and_the_longest_is_not(company, text):
    with pytest.raises(Rejected, match="too long"):
        company.send(Verb.POST, "long", text=text)
    assert company.look_up(Verb.POST, "long", text=text) == NotFound()
    assert company.send(Verb.POST, "fits", text=text[:-1] if text[0] == "x" else "👨‍👩‍👧‍👦" * 120)


def test_links_mentions_and_tags_of_ours_are_marked(company, anna):
    text = f"Grüße 👋 @{anna.me.handle}, see https://example.com/a_(b)). #Hilfe! @nobody.test"
    sent = company.send(Verb.POST, "facets", text=text)

    def notified():
        notes = anna.app.bsky.notification.list_notifications({"limit": 10}).notifications
        return [note for note in notes if note.reason == "mention"]

    note = eventually(notified)[0]
    assert note.uri == sent.native_id
    marked = [
        (text.encode()[facet.index.byte_start : facet.index.byte_end].decode(), facet.features[0])
        for facet in note.record.facets
    ]
    assert [words for words, _ in marked] == [f"@{anna.me.handle}", "https://example.com/a_(b)", "#Hilfe"]
    assert marked[0][1].did == anna.me.did
