"""The stream, and what a notification becomes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.conformance import check_events
from heard.connectorkit.errors import Unreachable, Unreadable
from heard.connectorkit.testing import NOW, FakeServerEvent, link
from heard.connectorkit.vocabulary import MessageGone, MessageSeen, Source, UnknownEvent, Visibility
from heard.connectors.mastodon import CONNECTOR

from .played import ACCOUNT, ANNA, BILAL, HOST, US, notification, received, status


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
