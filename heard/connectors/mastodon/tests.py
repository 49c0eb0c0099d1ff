"""What is peculiar to Mastodon, and the suite that every connector passes."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.conformance import ConnectorConformance, check_events
from heard.connectorkit.counting import count
from heard.connectorkit.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
    Unreadable,
    Unsupported,
)
from heard.connectorkit.plain import from_plain
from heard.connectorkit.testing import (
    NOW,
    FakeResponse,
    FakeServerEvent,
    Headers,
    RecordedNet,
    Request,
    account_for,
    full_url,
    link,
    read_json,
    target,
)
from heard.connectorkit.testing import order as order_like
from heard.connectorkit.vocabulary import (
    ActorKind,
    Attachment,
    AttachmentKind,
    Author,
    CannotTell,
    MessageGone,
    MessageKind,
    MessageSeen,
    No,
    NotFound,
    OutFile,
    RawDelivery,
    Ref,
    SendOrder,
    Sent,
    Source,
    UnknownEvent,
    Verb,
    Visibility,
    Yes,
)

from . import CONNECTOR
from .client import base_url
from .compose import addressed, can_be_mentioned, mentioned, says_the_same
from .connector import MastodonConnector

FOLDER = Path(__file__).parent
CONTRACT = FOLDER.parents[3] / "shared" / "specs" / "mastodon-openapi-4.7.json"
HOST = "https://social.example"
PATIENT = MastodonConnector(sleep=lambda seconds: None)
ACCOUNT = account_for(CONNECTOR.manifest, handle="nordwind@social.example", scope="social.example")

US = {"id": "1000", "acct": "nordwind", "username": "nordwind", "url": f"{HOST}/@nordwind"}
ANNA = {
    "id": "2001",
    "acct": "anna@village.example",
    "username": "anna",
    "url": "https://village.example/@anna",
}
BILAL = {"id": "2002", "acct": "bilal", "username": "bilal", "url": f"{HOST}/@bilal"}


class TestMastodon(ConnectorConformance):
    connector = PATIENT
    folder = FOLDER

    @property
    def account(self):
        return ACCOUNT


def status(native_id, who=ANNA, content="<p>hello</p>", to=(US,), **changes):
    """A status as the server writes it."""
    usual = {
        "id": native_id,
        "created_at": NOW.isoformat(),
        "edited_at": None,
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "visibility": "public",
        "spoiler_text": "",
        "content": content,
        "account": who,
        "mentions": list(to),
        "media_attachments": [],
        "reblog": None,
        "uri": f"{HOST}/statuses/{native_id}",
        "url": f"{HOST}/@{who['username']}/{native_id}",
    }
    return {**usual, **changes}


def notification(native_id, about, **changes):
    return {
        "id": native_id,
        "type": "mention",
        "created_at": about["created_at"],
        "account": about["account"],
        "status": about,
        **changes,
    }


def received(payload, source=Source.POLL):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return list(CONNECTOR.receive(ACCOUNT, RawDelivery(source, body, NOW)))


class Server:
    """A Mastodon in memory, as far as we ask it: also the ``Net`` that leads to it."""

    def __init__(self):
        self.notifications: list[dict[str, Any]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        self.scopes: Any = ["read", "write"]
        self.page = 40
        self.favourited: set[str] = set()
        self.blocking: set[str] = set()
        self.answers: dict[str, FakeResponse] = {}
        self.events_to_send: list[FakeServerEvent] = []
        self.requests: list[Request] = []
        self.configuration: dict[str, Any] = {"statuses": {"max_characters": 1000}}

    def says(self, about, number):
        """Somebody mentions us."""
        self.statuses[about["id"]] = about
        self.notifications.append(notification(str(number), about))

    def request(self, method, url, *, headers=None, params=None, json=None, data=None, files=None, **more):
        address = full_url(url, params)
        path = urlsplit(url).path
        self.requests.append(
            Request(
                method,
                address,
                Headers(headers),
                json,
                data,
                None,
                tuple(files or ()),
                more.get("writes", False),
            )
        )
        if path in self.answers:
            return self.answers[path]
        return self._answer(method, path, params or {}, json)

    def _answer(self, method, path, params, body):
        if path == "/api/v1/accounts/verify_credentials":
            return ok({**US, "display_name": "Nordwind", "avatar": f"{HOST}/a.png"})
        if path == "/api/v1/apps/verify_credentials":
            return ok({"name": "Heard", "scopes": self.scopes})
        if path == "/api/v2/instance":
            return ok(
                {
                    "domain": "example.org",
                    "configuration": self.configuration,
                    "api_versions": {"mastodon": 10},
                }
            )
        if path == "/api/v1/notifications":
            return ok(self._page(self.notifications, params))
        if path == "/api/v1/accounts/1000/statuses":
            ours = [item for item in self.statuses.values() if item["account"]["id"] == "1000"]
            return ok(self._page(ours, params))
        if path == "/api/v1/accounts/relationships":
            return ok([{"id": who, "blocking": who in self.blocking} for who in params["id[]"]])
        if path == "/api/v1/statuses" and method == "GET":
            assert len(params["id[]"]) <= 20, "Mastodon refuses more"
            return ok([self.statuses[one] for one in params["id[]"] if one in self.statuses])
        return self._about_one(path)

    def _about_one(self, path):
        match = re.fullmatch(r"/api/v1/statuses/(\w+)(/context)?", path)
        if not match or match[1] not in self.statuses:
            return FakeResponse(404, b'{"error": "Record not found"}')
        found = self.statuses[match[1]]
        if not match[2]:
            return ok({**found, "favourited": match[1] in self.favourited})
        above: list[dict[str, Any]] = []
        while found["in_reply_to_id"] in self.statuses:
            found = self.statuses[found["in_reply_to_id"]]
            above.insert(0, found)
        below = [item for item in self.statuses.values() if item["in_reply_to_id"] == match[1]]
        return ok({"ancestors": above, "descendants": below})

    def _page(self, items, params):
        newest = sorted(items, key=lambda item: int(item["id"]), reverse=True)
        if "min_id" in params:
            above = [item for item in newest if int(item["id"]) > int(params["min_id"])]
            return above[-self.page :]
        if "max_id" in params:
            newest = [item for item in newest if int(item["id"]) < int(params["max_id"])]
        return newest[: self.page]

    @contextmanager
    def events(self, url, *, headers=None, **more):
        self.requests.append(Request("GET", url, Headers(headers)))

        def lines():
            yield from self.events_to_send
            raise Unreachable("The stream fell silent.")

        yield lines()


def ok(value, code=200):
    return FakeResponse(code, json.dumps(value).encode(), Headers({"Content-Type": "application/json"}))


@pytest.fixture
def server():
    return Server()


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


class TestStream:
    def listened(self, server, account=ACCOUNT):
        bodies: list[bytes] = []
        stream = CONNECTOR.stream(link(account, server))
        with pytest.raises(Unreachable, match="silent"):
            bodies.extend(stream)
        return bodies

    def test_mentions_edits_and_deletions_come_as_they_happen(self, server):
        said = status("3000")
        server.events_to_send = [
            FakeServerEvent("notification", json.dumps(notification("1", said))),
            FakeServerEvent("status.update", json.dumps({**said, "edited_at": "2026-03-02T10:00:00Z"})),
            FakeServerEvent("delete", "3000"),
        ]
        events = [event for body in self.listened(server) if body for event in received(body, Source.STREAM)]
        assert [type(event) for event in events] == [MessageSeen, MessageSeen, MessageGone]
        assert events[0].version < events[1].version

    def test_the_line_shows_life_at_once(self, server):
        assert self.listened(server) == [b""]

    def test_what_others_say_to_others_is_not_kept(self, server):
        home = status("3000", BILAL, to=(ANNA,))
        server.events_to_send = [FakeServerEvent("update", json.dumps(home))]
        assert self.listened(server) == [b"", b""]

    def test_what_cannot_be_read_is_kept(self, server):
        server.events_to_send = [FakeServerEvent("update", "{not json")]
        body = self.listened(server)[-1]
        with pytest.raises(Unreadable):
            received(body, Source.STREAM)

    @pytest.mark.parametrize(
        ("named", "used"),
        [
            ("wss://streaming.example", "https://streaming.example"),
            ("https://streaming.example/", "https://streaming.example"),
            ("", HOST),
            ("ws://streaming.example", HOST),  # never less protected than the server itself
            ("wss://user@streaming.example", HOST),
            ("wss://[broken", HOST),
            ("javascript:alert(1)", HOST),
        ],
    )
    def test_the_server_may_stream_elsewhere(self, server, named, used):
        self.listened(server, replace(ACCOUNT, limits={"urls": {"streaming": named}}))
        assert server.requests[0].url == f"{used}/api/v1/streaming/user"
        assert server.requests[0].headers["authorization"] == "Bearer hush-access_token-7f3a"


class TestReading:
    def test_a_text_in_html_keeps_its_lines_and_links(self):
        (event,) = received(
            [status("1", content='<p>a<br>b</p><p><a href="https://x.example/y">here</a></p>')]
        )
        assert event.text == "a\nb\n\nhere (https://x.example/y)"

    @pytest.mark.parametrize(
        ("visibility", "ours"),
        [
            ("public", Visibility.PUBLIC),
            ("unlisted", Visibility.UNLISTED),
            ("private", Visibility.FOLLOWERS),
            ("direct", Visibility.PRIVATE),
            ("something new", Visibility.PRIVATE),
            (None, Visibility.PRIVATE),
        ],
    )
    def test_visibility_is_never_taken_for_wider_than_it_is(self, visibility, ours):
        (event,) = received([status("1", visibility=visibility)])
        assert event.visibility is ours

    def test_both_sides_of_a_private_exchange_share_its_key(self):
        theirs, ours = received(
            [status("1", ANNA, visibility="direct"), status("2", US, to=(ANNA,), visibility="direct")]
        )
        other = received([status("3", BILAL, visibility="direct")])[0]
        assert theirs.thread_key == ours.thread_key != other.thread_key

    def test_the_order_of_people_does_not_matter(self):
        one, two = received(
            [
                status("1", ANNA, to=(US, BILAL), visibility="direct"),
                status("2", BILAL, to=(ANNA, US), visibility="direct"),
            ]
        )
        assert one.thread_key == two.thread_key

    def test_an_edit_sorts_after_what_it_edits(self):
        versions = [
            received([status("1", edited_at=at)])[0].version
            for at in (None, "2026-03-02T10:00:00Z", "2026-03-02T10:00:00.001Z", "2026-03-02T13:00:00+01:00")
        ]
        assert versions == sorted(versions)
        assert len(set(versions)) == 4

    def test_the_same_status_reads_the_same_however_it_came(self):
        said = status("3000")
        ways = [
            received([notification("1", said)])[0],
            received({"event": "notification", "payload": json.dumps(notification("1", said))})[0],
            received({"event": "update", "payload": json.dumps(said)})[0],
            received({"status": said, "ancestors": []})[0],
            received({"looked_again": [said], "gone": []})[0],
        ]
        assert all(way == ways[0] for way in ways)

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=300))
    def test_any_content_becomes_a_text_that_can_be_stored(self, content):
        events = received([status("1", content=content)])
        check_events(events)
        assert isinstance(events[0], MessageSeen)

    @settings(max_examples=100, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(sorted(status("1"))),
            st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
            max_size=4,
        )
    )
    def test_a_status_with_strange_fields_is_a_message_or_broken(self, strange):
        events = received([{**status("1"), **strange}])
        check_events(events)
        assert all(isinstance(event, MessageSeen | UnknownEvent) for event in events)

    @settings(max_examples=50, deadline=None)
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_any_date_is_kept(self, at):
        (event,) = received([status("1", created_at=at.isoformat())])
        assert event.sent_at == at

    def test_a_date_beyond_the_calendar_is_replaced(self):
        (event,) = received([status("1", created_at="9999-12-31T23:59:59-14:00")])
        assert event.sent_at == NOW

    def test_sixty_four_kilobytes_of_accents(self):
        (event,) = received([status("1", content="<p>e" + "\u0301" * 65_536 + "</p>")])
        assert len(event.text) == 65_537


class TestSupports:
    def ask(self, verb, about=None, actor=ActorKind.HUMAN, account=ACCOUNT):
        return CONNECTOR.supports(verb, about, actor, account, NOW)

    @pytest.mark.parametrize("seen_by", Visibility)
    def test_an_answer_never_reaches_more_people(self, seen_by):
        from_widest = list(Visibility)
        offered = self.ask(Verb.REPLY, target(visibility=seen_by)).constraints.visibilities
        assert offered[0] is seen_by
        assert all(from_widest.index(one) >= from_widest.index(seen_by) for one in offered)

    def test_a_direct_message_says_that_it_is_not_private(self):
        answer = self.ask(Verb.DIRECT_MESSAGE, target())
        assert answer.constraints.visibilities == (Visibility.PRIVATE,)
        assert any("not encrypted" in warning for warning in answer.constraints.warnings)

    def test_an_automated_answer_says_so(self):
        human, bot = self.ask(Verb.REPLY, target()), self.ask(Verb.REPLY, target(), ActorKind.BOT)
        assert len(bot.constraints.warnings) == len(human.constraints.warnings) + 1

    def test_only_our_own_posts_can_be_deleted(self):
        ours = target(author=Author("1000", "nordwind@social.example", is_us=True))
        assert isinstance(self.ask(Verb.DELETE, ours), Yes)
        assert isinstance(self.ask(Verb.DELETE, target()), No)

    def test_nobody_can_be_hidden_and_there_is_a_remedy(self):
        answer = self.ask(Verb.HIDE, target())
        assert isinstance(answer, No)
        assert "block" in answer.remedy

    def test_the_mention_put_in_front_is_kept_free(self):
        about = target(author=Author("2001", "anna@village.example"))
        limit = self.ask(Verb.REPLY, about).constraints.text
        longest = "x" * limit.maximum
        order = SendOrder("k", Verb.REPLY, longest, target=about, visibility=Visibility.PUBLIC)
        said = words_sent(order)
        assert count(said, replace(limit, maximum=500)).used == 500

    def test_a_token_that_may_not_like_is_known_before(self):
        account = replace(ACCOUNT, limits={"scopes": ["read", "write:statuses", "write:media"]})
        answer = self.ask(Verb.LIKE, target(), account=account)
        assert isinstance(answer, No)
        assert "write:favourites" in answer.reason
        assert isinstance(self.ask(Verb.REPLY, target(), account=account), Yes)

    @pytest.mark.parametrize("limits", [{}, {"statuses": None}, {"statuses": {"max_characters": "many"}}])
    def test_limits_we_were_not_told_are_the_usual_ones(self, limits):
        text = self.ask(Verb.POST, account=replace(ACCOUNT, limits=limits)).constraints.text
        assert (text.maximum, text.url_cost, text.mention_local_only) == (500, 23, True)


def words_sent(order):
    """What leaves as the status's text."""
    net = RecordedNet(
        [{"request": {"method": "POST", "url": f"{HOST}/api/v1/statuses"}, "response": {"json": {"id": "1"}}}]
    )
    CONNECTOR.send(link(ACCOUNT, net), order)
    return net.requests[0].json["status"]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "handle", "sent"),
        [
            ("hello", "anna@village.example", "@anna@village.example hello"),
            ("hello", "bilal@social.example", "@bilal hello"),
            ("hi @Anna@Village.example", "anna@village.example", "hi @Anna@Village.example"),
            ("hi @bilal.", "bilal@social.example", "hi @bilal."),
            # Somebody else with the same name, and an address in a text, are not a mention of her.
            ("hi @anna", "anna@village.example", "@anna@village.example hi @anna"),
            ("mail me@anna.example", "anna@village.example", "@anna@village.example mail me@anna.example"),
            ("nul\x00", "bilal@social.example", "@bilal nul"),
        ],
    )
    def test_whom_it_is_for_stands_in_it_once(self, text, handle, sent):
        assert addressed(text, handle, "social.example") == sent

    @pytest.mark.parametrize("handle", ["", "a b", "a @b", "a\n@b", "a@b@c", "a@b/c"])
    def test_a_handle_that_is_more_than_one_mention_is_refused(self, handle):
        assert not can_be_mentioned(handle)

    @given(st.from_regex(r"[a-z0-9_]{1,12}(@[a-z]{2,9}\.example)?", fullmatch=True), st.text(max_size=80))
    def test_the_person_is_always_mentioned(self, handle, text):
        said = addressed(text, handle, "social.example")
        assert handle in mentioned(said) or handle.removesuffix("@social.example") in mentioned(said)

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ("@anna@village.example It is\n\n\nhere", "@anna It is here"),
            ("*really* sorry", "really sorry"),
            ("https://example.com/x ok", "https://example.com/x ok"),
            ("👍", "👍"),
        ],
    )
    def test_a_server_may_rewrite_what_we_said(self, ours, theirs):
        assert says_the_same(ours, theirs)

    @pytest.mark.parametrize(("ours", "theirs"), [("yes", "no"), ("👍", "👎"), ("", "x"), ("a 1", "a 2")])
    def test_something_else_is_something_else(self, ours, theirs):
        assert not says_the_same(ours, theirs)


class TestLookingUp:
    def order(self, **changes):
        usual = order_like(
            text="It leaves today.",
            target=target(author=Author("2001", "anna@village.example")),
            first_attempt_at=NOW,
        )
        return replace(usual, **changes)

    def ours(self, native_id, seconds, text="@anna It leaves today.", parent="3001", **changes):
        at = (NOW + timedelta(seconds=seconds)).isoformat()
        return status(
            native_id, US, f"<p>{text}</p>", to=(ANNA,), created_at=at, in_reply_to_id=parent, **changes
        )

    def look(self, server, order):
        return CONNECTOR.look_up(link(ACCOUNT, server, now=NOW + timedelta(minutes=30)), order)

    def test_what_stands_there_is_found(self, server):
        server.statuses = {"4001": self.ours("4001", 2), "4002": self.ours("4002", 60, "later", parent=None)}
        found = self.look(server, self.order())
        assert isinstance(found, Sent)
        assert found.native_id == "4001"

    def test_what_is_not_there_is_not_found(self, server):
        server.statuses = {
            "4000": self.ours("4000", -4000),
            "4001": self.ours("4001", 5, "another matter", parent="3333"),
        }
        assert self.look(server, self.order()) == NotFound()

    def test_the_same_words_to_somebody_else_are_not_it(self, server):
        server.statuses = {"4001": self.ours("4001", 2, parent="3002")}
        assert self.look(server, self.order()) == NotFound()

    def test_another_answer_to_the_same_message_is_for_a_person_to_judge(self, server):
        server.statuses = {"4001": self.ours("4001", 2, "something quite different")}
        assert isinstance(self.look(server, self.order()), CannotTell)

    def test_a_post_is_found_among_posts(self, server):
        server.statuses = {"4001": self.ours("4001", 2, "Line 4 runs again.", parent=None)}
        order = self.order(verb=Verb.POST, target=None, text="Line 4 runs again.")
        assert self.look(server, order).native_id == "4001"

    def test_it_is_found_behind_many_others(self, server):
        server.statuses = {
            str(5000 + n): self.ours(str(5000 + n), 10 + n, "x", parent=None) for n in range(100)
        }
        server.statuses["4001"] = self.ours("4001", 2)
        assert self.look(server, self.order()).native_id == "4001"

    def test_more_than_can_be_looked_through_is_no_answer(self, server):
        server.statuses = {
            str(5000 + n): self.ours(str(5000 + n), 10 + n, "x", parent=None) for n in range(300)
        }
        assert isinstance(self.look(server, self.order()), CannotTell)

    def test_without_a_first_attempt_everything_is_looked_through(self, server):
        server.statuses = {"4001": self.ours("4001", -90_000)}
        assert self.look(server, self.order(first_attempt_at=None)).native_id == "4001"

    @pytest.mark.parametrize("done", [True, False])
    def test_whether_a_like_a_block_or_a_deletion_was_done(self, server, done):
        server.statuses = {"3001": status("3001")}
        if done:
            server.favourited.add("3001")
            server.blocking.add("2001")
        for verb in (Verb.LIKE, Verb.BLOCK):
            found = self.look(server, self.order(verb=verb))
            assert isinstance(found, Sent if done else NotFound), verb
        if done:
            server.statuses = {}
        assert isinstance(self.look(server, self.order(verb=Verb.DELETE)), Sent if done else NotFound)

    def test_a_server_that_does_not_say_is_no_answer(self, server):
        server.answers["/api/v1/accounts/relationships"] = FakeResponse(403, b"{}")
        assert isinstance(self.look(server, self.order(verb=Verb.BLOCK)), CannotTell)


class TestSending:
    def test_a_file_that_is_never_ready_posts_nothing(self):
        waits: list[float] = []
        file = OutFile("a.png", "image/png", b"x", "alt")
        asked = {"method": "GET", "url": f"{HOST}/api/v1/media/7"}
        exchange = [
            {
                "request": {"method": "POST", "url": f"{HOST}/api/v2/media"},
                "response": {"status": 202, "json": {"id": "7"}},
            },
            *[{"request": asked, "response": {"status": 206, "json": {"id": "7"}}}] * 15,
        ]
        net = RecordedNet(exchange)
        order = order_like(verb=Verb.POST, target=None, files=(file,))
        with pytest.raises(Unreachable, match="nothing was posted"):
            MastodonConnector(sleep=waits.append).send(link(ACCOUNT, net), order)
        net.finished()
        assert sum(waits) == 15

    def test_a_lost_answer_to_a_post_is_unknown_and_to_an_upload_is_not(self):
        lost = {
            "request": {"method": "POST", "url": f"{HOST}/api/v1/statuses"},
            "response": {"lost": "after"},
        }
        with pytest.raises(OutcomeUnknown):
            CONNECTOR.send(link(ACCOUNT, RecordedNet([lost])), order_like())

    def test_a_direct_message_needs_a_person(self):
        order = order_like(verb=Verb.DIRECT_MESSAGE, target=None, visibility=None)
        with pytest.raises(Unsupported, match="somebody"):
            CONNECTOR.send(link(ACCOUNT, RecordedNet()), order)

    def test_a_direct_message_to_ourselves_is_refused(self):
        me = Author("1000", "nordwind@social.example", is_us=True)
        order = order_like(verb=Verb.DIRECT_MESSAGE, target=None, visibility=None, recipient=me)
        with pytest.raises(Unsupported, match="ourselves"):
            CONNECTOR.send(link(ACCOUNT, RecordedNet()), order)


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


@cache
def contract():
    if not CONTRACT.exists():
        pytest.skip("mastodon-openapi-4.7.json is not beside the checkout (../shared/specs)")
    return json.loads(CONTRACT.read_text(encoding="utf-8"))


def operation(method, path):
    """The operation of the contract that a path belongs to; literal segments win over parameters."""
    found = []
    for template, methods in contract()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if method.lower() in methods and re.fullmatch(pattern, path):
            found.append((template.count("{"), template))
    assert found, f"the contract knows no {method} {path}"
    template = min(found)[1]
    return contract()["paths"][template][method.lower()]


def properties(schema):
    """Every property name that a schema allows."""
    if "$ref" in schema:
        return properties(contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    names = set(schema.get("properties", {}))
    for group in ("oneOf", "anyOf", "allOf"):
        for part in schema.get(group, []):
            names |= properties(part)
    return names


def requests_we_make():
    """One of everything: all fixtures, and what they do not hold."""
    made: list[Request] = []
    for case in sorted((FOLDER / "fixtures" / "sent").iterdir()):
        net = RecordedNet(read_json(case / "exchange.json"))
        order = from_plain(SendOrder, read_json(case / "order.json"))
        PATIENT.send(link(ACCOUNT, net), order)
        made += net.requests
    server = Server()
    server.statuses = {"2999": status("2999", US), "3001": status("3001", in_reply_to_id="2999")}
    server.says(server.statuses["3001"], 1)
    opened = link(ACCOUNT, server)
    CONNECTOR.identify(opened)
    page = CONNECTOR.fetch(opened, None)
    del server.statuses["2999"]
    CONNECTOR.fetch(link(ACCOUNT, server, now=NOW + timedelta(hours=1)), page.cursor)
    CONNECTOR.context(opened, Ref("3001"))
    with pytest.raises(Unreachable):
        list(CONNECTOR.stream(opened))
    for verb in (Verb.REPLY, Verb.LIKE, Verb.BLOCK, Verb.DELETE):
        CONNECTOR.look_up(opened, order_like(verb=verb))
    return made + server.requests


@pytest.mark.contract
class TestContract:
    """Each request we make is one that Mastodon's API describes, with parameters it knows."""

    def test_every_request_is_in_the_contract(self):
        contract()
        operations = set()
        for request in requests_we_make():
            parts = urlsplit(request.url)
            found = operation(request.method, parts.path)
            operations.add(found["operationId"])
            allowed = {item["name"] for item in found.get("parameters", []) if item["in"] == "query"}
            asked = {name.removesuffix("[]") for name, _ in parse_qsl(parts.query)}
            assert asked <= allowed, f"{request.method} {parts.path}: unknown {asked - allowed}"
            body = {*(request.json or {}), *(request.data or {}), *request.files}
            assert body <= self.body_of(found), f"{request.method} {parts.path}: unknown fields in {body}"
            headers = {item["name"] for item in found.get("parameters", []) if item["in"] == "header"}
            assert ("Idempotency-Key" in headers) == ("idempotency-key" in request.headers)
        assert len(operations) >= 16, "the contract saw fewer kinds of request than we make"

    @staticmethod
    def body_of(found):
        content = found.get("requestBody", {}).get("content", {})
        return set().union(*(properties(kind["schema"]) for kind in content.values()))

    def test_what_we_write_is_of_the_declared_type(self):
        known = contract()["components"]["schemas"]["StatusVisibilityEnum"]["enum"]
        bodies = [r.json for r in requests_we_make() if r.method == "POST" and r.json]
        assert bodies
        assert all(body["visibility"] in known for body in bodies)

    def test_the_notifications_we_ask_for_exist(self):
        known = contract()["components"]["schemas"]["NotificationTypeEnum"]["enum"]
        server = Server()
        CONNECTOR.fetch(link(replace(ACCOUNT, limits={"api_versions": {"mastodon": 10}}), server), None)
        asked = parse_qsl(urlsplit(server.requests[-1].url).query)
        types = {value for name, value in asked if name == "types[]"}
        assert types
        assert types <= set(known)

    def test_our_own_payloads_have_only_fields_of_the_contract(self):
        schemas = contract()["components"]["schemas"]
        # The other cases hold what we read and little else; this one is whole.
        (item,) = read_json(FOLDER / "fixtures" / "received" / "mention" / "payload.json")
        about = item["status"]
        assert set(item) <= set(schemas["Notification"]["properties"])
        assert set(about) <= set(schemas["Status"]["properties"])
        assert set(schemas["Status"]["required"]) <= set(about)
        assert set(about["account"]) <= set(schemas["Account"]["properties"])
