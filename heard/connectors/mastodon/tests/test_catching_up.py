"""Who we are, and catching up: no gap, nothing twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from heard.connectorkit.errors import CredentialsRefused, RateLimited, Unreachable, Unsupported
from heard.connectorkit.testing import NOW, FakeResponse, Headers, link
from heard.connectorkit.vocabulary import ActorKind, MessageGone, MessageSeen, Verb
from heard.connectors.mastodon import CONNECTOR
from heard.connectors.mastodon.client import base_url

from .played import ACCOUNT, US, ok, received, status


def texts(bodies):
    return [event.text for body in bodies for event in received(body) if isinstance(event, MessageSeen)]


class TestWhoWeAre:
    def test_the_account_its_server_and_the_servers_limits(self, server):
        me = CONNECTOR.identify(link(replace(ACCOUNT, native_id="", handle="", scope=""), server))
        # The handle's domain is the server's name in addresses, which may differ from its host.
        assert (me.native_id, me.handle, me.scope) == ("1000", "nordwind@example.org", "social.example")
        assert me.limits["statuses"]["max_characters"] == 1000

    def test_the_limits_reach_the_composer(self, server):
        me = CONNECTOR.identify(link(ACCOUNT, server))
        account = replace(ACCOUNT, limits=me.limits)
        answer: Any = CONNECTOR.supports(Verb.POST, None, ActorKind.HUMAN, account, NOW)
        assert answer.constraints.text.maximum == 1000

    def test_a_token_that_may_not_write_is_named(self, server):
        server.scopes = ["read"]
        with pytest.raises(CredentialsRefused, match="write:media, write:statuses"):
            CONNECTOR.identify(link(ACCOUNT, server))

    def test_a_server_that_does_not_tell_scopes_is_believed(self, server):
        server.answers["/api/v1/apps/verify_credentials"] = FakeResponse(401, b"{}")
        assert CONNECTOR.identify(link(ACCOUNT, server)).native_id == "1000"

    def test_a_page_that_is_no_mastodon(self, server):
        server.answers["/api/v1/accounts/verify_credentials"] = FakeResponse(404, b"<html>")
        with pytest.raises(Unreachable, match="Mastodon server"):
            CONNECTOR.identify(link(ACCOUNT, server))

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("mastodon.example", "https://mastodon.example"),
            (" https://Mastodon.Example/@nordwind ", "https://mastodon.example"),
            ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
            ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443"),
            ("@nordwind@mastodon.example", "https://mastodon.example"),
        ],
    )
    def test_what_administrators_type(self, typed, meant):
        assert base_url(typed) == meant

    @pytest.mark.parametrize(
        "typed", ["", "https://", "ftp://mastodon.example", "https://[broken", "https://a:b:c"]
    )
    def test_what_is_no_address(self, typed, server):
        account = replace(ACCOUNT, settings={"server_url": typed})
        with pytest.raises(Unsupported, match=r"https://mastodon\.example"):
            CONNECTOR.identify(link(account, server))
        assert not server.requests

    @pytest.mark.parametrize("token", ["", "a\nHost: evil.example", "tökén"])
    def test_a_damaged_token_stays_here(self, token, server):
        account = replace(ACCOUNT, secrets={"access_token": token})
        with pytest.raises(CredentialsRefused, match="copy it again"):
            CONNECTOR.identify(link(account, server))
        assert not server.requests


class TestCatchingUp:
    def everything(self, server, cursor=None, now=NOW):
        """Fetch until there is no more, as the platform does."""
        bodies: list[bytes] = []
        for _ in range(50):
            page = CONNECTOR.fetch(link(ACCOUNT, server, now=now), cursor)
            cursor = json.loads(json.dumps(page.cursor))
            bodies += page.bodies
            if not page.more:
                return bodies, cursor
        raise AssertionError("fetch never came to an end")

    def test_a_first_run_brings_the_recent_past(self, server):
        for number in range(90):
            server.says(status(str(3000 + number), content=f"<p>{number}</p>"), number + 1)
        server.statuses["2999"] = status("2999", US, "<p>ours</p>", to=())
        bodies, _ = self.everything(server)
        assert set(texts(bodies)) == {"ours", *map(str, range(90))}

    def test_a_long_first_run_watches_the_newest(self, server):
        for number in range(150):
            server.says(status(str(3000 + number)), number + 1)
        _, cursor = self.everything(server)
        assert list(cursor["watched"]) == [str(3070 + number) for number in range(80)]
        again, _ = self.everything(server, cursor, NOW + timedelta(minutes=6))
        assert not again

    def test_a_first_run_does_not_dig_for_ever(self, server):
        for number in range(400):
            server.says(status(str(3000 + number)), number + 1)
        bodies, _ = self.everything(server)
        assert len(texts(bodies)) == 200

    def test_a_first_run_stops_where_it_gets_old(self, server):
        old = (NOW - timedelta(days=60)).isoformat()
        for number in range(200):
            server.says(status(str(3000 + number), created_at=old), number + 1)
        bodies, _ = self.everything(server)
        assert len(texts(bodies)) == 40

    @pytest.mark.parametrize("page", [40, 15, 1])
    def test_after_an_outage_nothing_is_missed_and_nothing_comes_twice(self, server, page):
        server.says(status("3000", content="<p>before</p>"), 1)
        _, cursor = self.everything(server)
        for number in range(30):
            server.says(status(str(3001 + number), content=f"<p>{number}</p>"), 2 + number)
        server.page = page  # some servers give less than they are asked for
        bodies, cursor = self.everything(server, cursor)
        assert sorted(texts(bodies), key=int) == [str(number) for number in range(30)]
        again, _ = self.everything(server, cursor)
        assert not again

    def test_the_first_mention_ever_is_seen(self, server):
        _, cursor = self.everything(server)
        server.says(status("3000", content="<p>first</p>"), 1)
        bodies, _ = self.everything(server, cursor)
        assert texts(bodies) == ["first"]

    def test_what_we_say_elsewhere_comes_as_ours(self, server):
        _, cursor = self.everything(server)
        server.statuses["3100"] = status("3100", US, "<p>from the phone</p>", to=())
        bodies, _ = self.everything(server, cursor)
        (event,) = received(bodies[0])
        assert (event.text, event.author.is_us) == ("from the phone", True)

    def test_an_edit_that_nobody_told_is_found(self, server):
        server.says(status("3000", content="<p>lost</p>"), 1)
        _, cursor = self.everything(server)
        server.statuses["3000"] |= {"content": "<p>found</p>", "edited_at": "2026-03-02T09:40:00Z"}
        soon, cursor = self.everything(server, cursor, NOW + timedelta(minutes=1))
        assert not soon, "we look again every few minutes only"
        bodies, cursor = self.everything(server, cursor, NOW + timedelta(minutes=6))
        assert texts(bodies) == ["found"]
        again, _ = self.everything(server, cursor, NOW + timedelta(minutes=12))
        assert not again

    def test_a_deletion_that_nobody_told_is_found(self, server):
        server.says(status("3000"), 1)
        server.says(status("3001"), 2)
        _, cursor = self.everything(server)
        del server.statuses["3000"]
        bodies, cursor = self.everything(server, cursor, NOW + timedelta(minutes=6))
        events = [event for body in bodies for event in received(body)]
        assert events == [MessageGone("3000", NOW, "social.example")]
        again, _ = self.everything(server, cursor, NOW + timedelta(minutes=12))
        assert not again

    def test_a_list_that_leaves_somebody_out_deletes_nobody(self, server):
        server.says(status("3000"), 1)
        _, cursor = self.everything(server)
        server.answers["/api/v1/statuses"] = ok([])
        bodies, _ = self.everything(server, cursor, NOW + timedelta(minutes=6))
        assert not bodies

    def test_a_notification_that_appeared_late_is_found(self, server):
        server.says(status("3005"), 5)
        _, cursor = self.everything(server)
        server.says(status("3004", content="<p>late</p>"), 4)
        bodies, cursor = self.everything(server, cursor, NOW + timedelta(minutes=6))
        assert "late" in texts(bodies)
        again, _ = self.everything(server, cursor, NOW + timedelta(minutes=12))
        assert not again

    @pytest.mark.parametrize("code", [404, 422, 429, 500])
    def test_a_look_that_fails_stops_no_messages(self, server, code):
        server.says(status("3000"), 1)
        _, cursor = self.everything(server)
        server.answers["/api/v1/statuses"] = FakeResponse(code, b"{}")
        self.everything(server, cursor, NOW + timedelta(minutes=6))
        server.says(status("3001", content="<p>next</p>"), 2)
        bodies, _ = self.everything(server, cursor, NOW + timedelta(minutes=12))
        assert texts(bodies) == ["next"]

    def test_what_is_watched_stays_bounded(self, server):
        cursor = None
        for number in range(150):
            server.says(status(str(3000 + number)), number + 1)
            if number % 30 == 0:
                _, cursor = self.everything(server, cursor)
        _, cursor = self.everything(server, cursor)
        assert list(cursor["watched"]) == [str(3070 + number) for number in range(80)]
        assert len(cursor["remembered"]) == 80

    @pytest.mark.parametrize(
        "cursor", [{}, {"notifications": 3, "watched": [], "looked_at": "when"}, {"x": 1}]
    )
    def test_a_strange_cursor_repeats_and_does_not_fail(self, server, cursor):
        server.says(status("3000"), 1)
        bodies, _ = self.everything(server, cursor)
        assert "hello" in texts(bodies)

    def test_quotes_are_asked_for_where_they_are_known(self, server):
        CONNECTOR.fetch(link(ACCOUNT, server), None)
        assert "quote" not in " ".join(request.url for request in server.requests)
        new = replace(ACCOUNT, limits={"api_versions": {"mastodon": 7}})
        CONNECTOR.fetch(link(new, server), None)
        assert "types%5B%5D=quote" in " ".join(request.url for request in server.requests)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (FakeResponse(401, b"{}"), CredentialsRefused),
            (
                FakeResponse(403, b'{"error": "This action is outside the authorized scopes"}'),
                CredentialsRefused,
            ),
            (FakeResponse(429, b"", Headers({"Retry-After": "7"})), RateLimited),
            (FakeResponse(500, b""), Unreachable),
            (FakeResponse(302, b"", Headers({"Location": "http://10.0.0.1/"})), Unreachable),
            (FakeResponse(200, b"<html>Welcome</html>"), Unreachable),
            (FakeResponse(200, b'{"a": 1}'), Unreachable),
        ],
    )
    def test_a_server_in_trouble_moves_no_cursor(self, server, answer, error):
        server.answers["/api/v1/notifications"] = answer
        with pytest.raises(error):
            CONNECTOR.fetch(link(ACCOUNT, server), None)
