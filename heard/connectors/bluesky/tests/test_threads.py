"""Threads and files."""

from __future__ import annotations

import base64

import pytest

from heard.connectorkit.errors import Rejected
from heard.connectorkit.testing import FakeVault, RecordedNet, full_url, link
from heard.connectorkit.vocabulary import Attachment, AttachmentKind, Ref, Source
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.session import PASSWORD

from .played import ANNA, CID, US, XRPC, notification, opened, our_account, read, reply


def test_a_thread_cut_off_above_brings_its_root_by_name(server):
    root, parent = (
        f"at://{US}/app.bsky.feed.post/3root22222222",
        f"at://{ANNA}/app.bsky.feed.post/3par222222222",
    )
    replied = {"root": {"uri": root, "cid": CID}, "parent": {"uri": parent, "cid": CID}}
    top = notification(2)
    last = {**notification(1), "record": {"$type": "app.bsky.feed.post", "text": "last", "reply": replied}}
    server.answers["app.bsky.feed.getPostThread"] = {"thread": {"post": last, "parent": {"post": top}}}
    named = {
        "uri": root,
        "cid": CID,
        "author": {"did": US, "handle": "nordwind.test"},
        "record": {"text": "root"},
    }
    server.answers["app.bsky.feed.getPosts"] = {"posts": [named]}
    bodies = CONNECTOR.context(opened(server, FakeVault({PASSWORD: "right"})), Ref(last["uri"]))
    events = [event for body in bodies for event in read(body, source=Source.CONTEXT)]
    assert [event.text for event in events] == ["last", "number 2", "root"]


def test_a_thread_nobody_has_is_empty_and_nonsense_is_not_asked_for(server):
    server.answers["app.bsky.feed.getPostThread"] = lambda _: reply(400, {"error": "NotFound"})
    line = opened(server, FakeVault({PASSWORD: "right"}))
    assert CONNECTOR.context(line, Ref(notification(1)["uri"])) == []
    asked = len(server.requests)
    assert CONNECTOR.context(line, Ref("3lmsg22222222", "3lconvo222222")) == []
    assert len(server.requests) == asked


def test_a_file_is_fetched_without_showing_our_token():
    exchange = [
        {
            "request": {"method": "GET", "url": "https://cdn.example/a"},
            "response": {"base64": base64.b64encode(b"bytes").decode()},
        }
    ]
    net = RecordedNet(exchange)
    picture = Attachment("x", AttachmentKind.IMAGE, url="https://cdn.example/a")
    assert CONNECTOR.fetch_media(link(our_account(), net), picture, 100) == b"bytes"
    assert "authorization" not in net.requests[0].headers


def test_a_file_without_an_address_is_asked_of_the_data_server():
    url = full_url(f"{XRPC}com.atproto.sync.getBlob?did={ANNA}&cid=bafkrei", None)
    net = RecordedNet([{"request": {"method": "GET", "url": url}, "response": {"status": 404, "text": ""}}])
    with pytest.raises(Rejected):
        CONNECTOR.fetch_media(
            link(our_account(), net), Attachment(f"{ANNA}/bafkrei", AttachmentKind.IMAGE), 100
        )
    with pytest.raises(Rejected):
        CONNECTOR.fetch_media(
            link(our_account(), RecordedNet()), Attachment("x/&a=b", AttachmentKind.IMAGE), 100
        )
