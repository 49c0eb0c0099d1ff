"""Threads and files."""

from __future__ import annotations

import pytest

from heard.connectorkit.errors import Rejected, Unreachable
from heard.connectorkit.testing import RecordedNet, link
from heard.connectorkit.vocabulary import Attachment, AttachmentKind, MessageKind, Ref, Source
from heard.connectors.mastodon import CONNECTOR

from .played import ACCOUNT, ANNA, BILAL, received, status


class TestContextAndMedia:
    def test_the_thread_above_comes_with_its_root(self, server):
        server.statuses = {
            "1": status("1", BILAL, "<p>top</p>", to=()),
            "2": status("2", ANNA, "<p>middle</p>", to=(), in_reply_to_id="1"),
            "3": status("3", BILAL, "<p>asked</p>", in_reply_to_id="2"),
            "4": status("4", ANNA, "<p>below, of no concern</p>", to=(), in_reply_to_id="3"),
        }
        (body,) = CONNECTOR.context(link(ACCOUNT, server), Ref("3"))
        events = received(body, Source.CONTEXT)
        assert [event.text for event in events] == ["top", "middle", "asked"]
        assert [event.root and event.root.native_id for event in events] == [None, "1", "1"]
        assert [event.kind for event in events] == [
            MessageKind.POST,
            MessageKind.COMMENT,
            MessageKind.MENTION,
        ]

    def test_a_thread_that_is_gone_says_so(self, server):
        with pytest.raises(Rejected, match="gone"):
            CONNECTOR.context(link(ACCOUNT, server), Ref("404"))

    def fetch(self, exchange, url="https://files.example/1.jpg", most=100):
        net = RecordedNet(exchange)
        data = CONNECTOR.fetch_media(link(ACCOUNT, net), Attachment("1", AttachmentKind.IMAGE, url=url), most)
        return data, net

    def test_a_file_comes_without_our_token_going_out(self):
        data, net = self.fetch(
            [
                {
                    "request": {"method": "GET", "url": "https://files.example/1.jpg"},
                    "response": {"status": 302, "headers": {"Location": "/real/1.jpg"}},
                },
                {
                    "request": {"method": "GET", "url": "https://files.example/real/1.jpg"},
                    "response": {"text": "picture"},
                },
            ]
        )
        assert data == b"picture"
        assert not any("authorization" in request.headers for request in net.requests)

    def test_a_file_that_is_too_large_is_not_read(self):
        step = {
            "request": {"method": "GET", "url": "https://files.example/1.jpg"},
            "response": {"text": "x" * 200},
        }
        with pytest.raises(Unreachable, match="larger"):
            self.fetch([step])

    @pytest.mark.parametrize(("code", "error"), [(404, Rejected), (403, Rejected), (500, Unreachable)])
    def test_a_file_that_does_not_come(self, code, error):
        step = {
            "request": {"method": "GET", "url": "https://files.example/1.jpg"},
            "response": {"status": code},
        }
        with pytest.raises(error):
            self.fetch([step])

    def test_a_file_that_is_sent_around_in_circles(self):
        step = {
            "request": {"method": "GET", "url": "https://files.example/1.jpg"},
            "response": {"status": 302, "headers": {"Location": "https://files.example/1.jpg"}},
        }
        with pytest.raises(Unreachable, match="address to address"):
            self.fetch([step] * 4)

    def test_an_attachment_without_an_address(self):
        with pytest.raises(Rejected):
            self.fetch([], url="")
