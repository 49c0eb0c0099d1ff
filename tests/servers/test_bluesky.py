"""Bluesky's own servers do what our tests rely on, asked through the official client."""

from __future__ import annotations

import time

import pytest
from atproto.exceptions import AtProtocolError

from .bluesky import PASSWORD


def test_a_post_reaches_the_app_view_within_seconds(bluesky_server):
    anna = bluesky_server.create_account("anna")
    said = anna.send_post("My parcel is lost.")
    deadline = time.monotonic() + 20
    while not anna.app.bsky.feed.get_posts({"uris": [said.uri]}).posts:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_wrong_password_is_refused(bluesky_server):
    anna = bluesky_server.create_account("anna")
    with pytest.raises(AtProtocolError):
        anna.com.atproto.server.create_session({"identifier": anna.me.handle, "password": "wrong"})
    assert anna.com.atproto.server.create_session({"identifier": anna.me.handle, "password": PASSWORD})
