"""A session that is kept, renewed and lost; who we are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from heard.connectorkit.errors import CredentialsRefused, OutcomeUnknown, Unreachable
from heard.connectorkit.testing import FakeVault, RecordedNet, link
from heard.connectorkit.vocabulary import SendOrder, Verb
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.session import ACCESS, PASSWORD, REFRESH

from .played import US, XRPC, Server, opened, our_account, reply


def test_a_kept_session_is_used_without_signing_in(server):
    vault = FakeVault({PASSWORD: "right", **server.tokens})
    CONNECTOR.fetch(opened(server, vault), None)
    assert not server.asked("Session")
    assert vault.kept == []


def test_the_new_pair_is_kept_before_it_is_used(server):
    class Dies(FakeVault):
        def keep(self, secrets):
            super().keep(secrets)
            raise KeyboardInterrupt

    vault = Dies({PASSWORD: "right", ACCESS: "spent", REFRESH: server.refresh})
    with pytest.raises(KeyboardInterrupt):
        CONNECTOR.fetch(opened(server, vault), None)
    assert server.requests[-1][0].endswith("refreshSession")
    assert vault.current() == {PASSWORD: "right", **server.tokens}


def test_many_at_once_spend_one_refresh_token():
    everybody = threading.Barrier(8)

    class Crowded(Server):
        """Refuses the spent token only when everybody stands there with it."""

        def request(self, method, url, *, headers=None, **rest):
            if (headers or {}).get("authorization") == "Bearer spent":
                everybody.wait(10)
            return super().request(method, url, headers=headers, **rest)

    server = Crowded()
    vault = FakeVault({PASSWORD: "right", ACCESS: "spent", REFRESH: server.refresh})
    with ThreadPoolExecutor(8) as pool:
        looks = [pool.submit(CONNECTOR.fetch, opened(server, vault), None) for _ in range(8)]
        assert all(look.result(30).cursor for look in looks)
    assert len(server.asked("refreshSession")) == 1
    assert not server.asked("createSession")


def test_a_refused_refresh_token_costs_one_sign_in(server):
    vault = FakeVault({PASSWORD: "right", ACCESS: "spent", REFRESH: "spent as well"})
    CONNECTOR.fetch(opened(server, vault), None)
    assert len(server.asked("createSession")) == 1
    assert vault.current() == {PASSWORD: "right", **server.tokens}


def test_a_withdrawn_app_password_asks_for_a_new_connection(server):
    vault = FakeVault({PASSWORD: "withdrawn", ACCESS: "spent", REFRESH: "spent as well"})
    with pytest.raises(CredentialsRefused, match="app password"):
        CONNECTOR.fetch(opened(server, vault), None)
    assert vault.kept == []


def test_a_lock_of_the_vault_is_held_while_refreshing(server):
    class Watched(FakeVault):
        held = False

        @contextmanager
        def lock(self):
            with super().lock():
                self.held = True
                yield
                self.held = False

        def keep(self, secrets):
            assert self.held
            super().keep(secrets)

    vault = Watched({PASSWORD: "right"})
    CONNECTOR.fetch(opened(server, vault), None)
    assert len(vault.kept) == 1


def test_a_refresh_whose_answer_is_lost_leaves_a_message_unsent_not_unknown(server):
    calls = []

    class Losing(Server):
        def request(self, method, url, *, writes=False, **rest):
            calls.append((url.removeprefix(XRPC), writes))
            if url.endswith("refreshSession"):
                raise OutcomeUnknown("Lost.") if writes else Unreachable("Lost.")
            return reply(400, {"error": "ExpiredToken", "message": "Token has expired"})

    vault = FakeVault({PASSWORD: "right", ACCESS: "spent", REFRESH: "refresh"})
    with pytest.raises(Unreachable):
        CONNECTOR.send(opened(Losing(), vault), SendOrder("k", Verb.POST, "Hello"))
    assert calls == [("com.atproto.repo.createRecord", True), ("com.atproto.server.refreshSession", False)]


def test_identify_hands_back_the_session_and_keeps_the_password(server):
    server.answers["app.bsky.actor.getProfile"] = {
        "displayName": "Nordwind",
        "avatar": "https://cdn.example/a",
    }
    nobody = our_account(
        native_id="", handle="", secrets={PASSWORD: "right"}, settings={"handle": " @Nordwind.Test "}
    )
    who = CONNECTOR.identify(link(nobody, server))
    assert (who.native_id, who.handle, who.name) == (US, "nordwind.test", "Nordwind")
    assert who.secrets == {PASSWORD: "right", **server.tokens}


def test_a_profile_that_nobody_knows_yet_is_no_obstacle(server):
    server.answers["app.bsky.actor.getProfile"] = lambda _: reply(400, {"error": "InvalidRequest"})
    nobody = our_account(native_id="", handle="", secrets={PASSWORD: "right"})
    assert CONNECTOR.identify(link(nobody, server)).native_id == US


@pytest.mark.parametrize("handle", ["", "nordwind", "care@nordwind.test", "did:plc", "x" * 300 + ".test"])
def test_what_is_no_handle_is_said_before_anything_is_asked(handle):
    net = RecordedNet()
    with pytest.raises(CredentialsRefused, match="handle"):
        CONNECTOR.identify(link(our_account(native_id="", settings={"handle": handle}), net))
    assert not net.requests


def test_direct_messages_are_tried_before_they_are_promised(server):
    server.answers["chat.bsky.convo.getLog"] = lambda _: reply(
        400, {"error": "InvalidToken", "message": "Bad token scope"}
    )
    nobody = our_account(native_id="", secrets={PASSWORD: "right"}, settings={"direct_messages": "true"})
    with pytest.raises(CredentialsRefused, match="Direct messages need"):
        CONNECTOR.identify(link(nobody, server))
