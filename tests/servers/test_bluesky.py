"""Bluesky's own servers do what our tests rely on, asked through the official client."""

from __future__ import annotations

import json
import time

import pytest
from atproto.exceptions import AtProtocolError

from . import bluesky as starting
from . import bluesky_install
from .bluesky import PASSWORD, bluesky
from .process import Missing


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(starting, "need_node", lambda: "node")
    monkeypatch.setattr(bluesky_install, "HOME", tmp_path)


def test_what_is_missing_is_named_with_what_to_do(nothing_installed, monkeypatch):
    with pytest.raises(Missing, match="python -m tests"), bluesky():
        pass
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Missing, match="Node is not installed"), bluesky():
        pass


def test_another_version_than_the_pinned_one_does_not_count(nothing_installed, tmp_path):
    pinned = {"@atproto/dev-env": "0.3.215", "@atproto/pds": "0.4.217"}
    (tmp_path / "node_modules/better-sqlite3/build/Release").mkdir(parents=True)
    (tmp_path / "node_modules/better-sqlite3/build/Release/better_sqlite3.node").touch()
    for name, version in pinned.items():
        (tmp_path / "node_modules" / name).mkdir(parents=True)
        manifest = tmp_path / "node_modules" / name / "package.json"
        assert not bluesky_install.installed()
        manifest.write_text(json.dumps({"version": version}))
    assert bluesky_install.installed()
    manifest.write_text(json.dumps({"version": "0.0.1"}))
    assert not bluesky_install.installed()


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
