"""What may be asked, the words that leave, and looking for what may have left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit.counting import count
from heard.connectorkit.errors import OutcomeUnknown, Unreachable, Unsupported
from heard.connectorkit.testing import NOW, FakeResponse, RecordedNet, link, target
from heard.connectorkit.testing import order as order_like
from heard.connectorkit.vocabulary import (
    ActorKind,
    Author,
    CannotTell,
    No,
    NotFound,
    OutFile,
    SendOrder,
    Sent,
    Verb,
    Visibility,
    Yes,
)
from heard.connectors.mastodon import CONNECTOR
from heard.connectors.mastodon.compose import addressed, can_be_mentioned, mentioned, says_the_same
from heard.connectors.mastodon.connector import MastodonConnector

from .played import ACCOUNT, ANNA, HOST, US, status


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
