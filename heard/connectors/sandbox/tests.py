"""The suite every connector passes, and what is peculiar to the Sandbox."""

import json
from pathlib import Path

import pytest

from heard.connectorkit.conformance import ConnectorConformance
from heard.connectorkit.errors import Forged, Rejected, Unreachable, Unsupported
from heard.connectorkit.testing import ANNA, NOW, US, RecordedNet, account_for, link, order, target
from heard.connectorkit.vocabulary import (
    ActorKind,
    Attachment,
    AttachmentKind,
    CannotTell,
    MessageKind,
    No,
    NotFound,
    Ref,
    SendOrder,
    Sent,
    Verb,
    Visibility,
    Yes,
)

from . import CONNECTOR
from .server.push import sign

API = "https://social.example/api/v1"


class TestSandbox(ConnectorConformance):
    connector = CONNECTOR
    folder = Path(__file__).parent


def account(**settings):
    usual = account_for(CONNECTOR.manifest)
    return account_for(CONNECTOR.manifest, settings={**usual.settings, **settings})


def step(method, path, **response):
    return {"request": {"method": method, "url": API + path}, "response": response}


def post(number, text="We are looking into it.", **changes):
    return {"id": str(number), "text": text, "in_reply_to": "3001", "visibility": "public", **changes}


def own_posts(*posts, after="0", more=False):
    since = "2026-03-02T09%3A25%3A00%2B00%3A00"
    path = f"/posts?author=me&after={after}&limit=200&since={since}"
    return step("GET", path, json={"posts": list(posts), "more": more})


# -- looking ------------------------------------------------------------------------------------------


def look(exchange, *, wanted=None, **settings):
    net = RecordedNet(exchange)
    found = CONNECTOR.look_up(link(account(**settings), net), wanted or order())
    net.finished()
    return found


def test_a_post_is_found_by_its_key():
    found = look([step("GET", "/posts/by-key/key-1", json=post(8, url="https://social.example/p/8"))])
    assert found == Sent("8", url="https://social.example/p/8")


def test_a_key_that_was_never_used_was_never_posted():
    assert look([step("GET", "/posts/by-key/key-1", status=404, json={"error": "No post."})]) == NotFound()


def test_a_proxy_that_knows_no_such_page_tells_nothing():
    with pytest.raises(Unreachable, match="web page"):
        look([step("GET", "/posts/by-key/key-1", status=404, text="<html>Not found</html>")])


def test_without_keys_our_own_posts_are_looked_through():
    exchange = [
        own_posts(post(5, "Something else."), post(6, in_reply_to="9"), more=True),
        own_posts(post(7), after="6"),
    ]
    assert look(exchange, idempotency=False) == Sent("7")


def test_without_keys_a_complete_look_that_finds_nothing_is_an_answer():
    other = [post(5, "We are looking into it"), post(6, in_reply_to=None), post(7, visibility="private")]
    exchange = [own_posts(*other[:2])]
    assert look(exchange, idempotency=False) == NotFound()


def test_two_posts_that_read_alike_are_for_a_person():
    assert isinstance(look([own_posts(post(5), post(6))], idempotency=False), CannotTell)


def test_a_private_message_is_told_apart_by_who_it_went_to():
    wanted = SendOrder("key-1", Verb.DIRECT_MESSAGE, text="Hi", recipient=ANNA, first_attempt_at=NOW)
    private = {"visibility": "private", "in_reply_to": None}
    exchange = [
        own_posts(post(5, "Hi", to={"id": "2"}, **private), post(6, "Hi", to={"id": "2001"}, **private))
    ]
    assert look(exchange, wanted=wanted, idempotency=False) == Sent("6")


def test_a_channel_set_up_blind_asks_nobody():
    assert isinstance(look([], look_up="false"), CannotTell)


def test_a_deletion_is_seen_and_a_like_may_be_asked_for_again():
    gone = step("GET", "/posts/3001", status=404, json={"error": "There is no such post."})
    assert look([gone], wanted=order(verb=Verb.DELETE)) == Sent("3001")
    assert look([step("GET", "/posts/3001", json=post(3001))], wanted=order(verb=Verb.DELETE)) == NotFound()
    assert look([], wanted=order(verb=Verb.LIKE)) == NotFound()


# -- capabilities -------------------------------------------------------------------------------------


def ask(verb, about=None, actor=ActorKind.HUMAN, asking=None):
    return CONNECTOR.supports(verb, about, actor, asking or account(), NOW)


@pytest.mark.parametrize(
    ("verb", "about", "actor", "allowed"),
    [
        (Verb.REPLY, target(), ActorKind.HUMAN, True),
        (Verb.REPLY, None, ActorKind.HUMAN, False),
        (Verb.DIRECT_MESSAGE, None, ActorKind.HUMAN, True),
        (Verb.DIRECT_MESSAGE, None, ActorKind.BOT, False),
        (Verb.DIRECT_MESSAGE, target(), ActorKind.BOT, True),
        (Verb.HIDE, target(kind=MessageKind.COMMENT), ActorKind.HUMAN, True),
        (Verb.HIDE, target(kind=MessageKind.MENTION), ActorKind.HUMAN, False),
        (Verb.DELETE, target(author=US), ActorKind.HUMAN, True),
        (Verb.DELETE, target(), ActorKind.HUMAN, False),
        (Verb.BLOCK, target(), ActorKind.HUMAN, False),
        (Verb.POST, None, ActorKind.BOT, True),
    ],
)
def test_what_may_be_done(verb, about, actor, allowed):
    assert isinstance(ask(verb, about, actor), Yes if allowed else No)


def test_something_private_is_answered_in_private_only():
    private = ask(Verb.REPLY, target(visibility=Visibility.PRIVATE))
    assert private.constraints.visibilities == (Visibility.PRIVATE,)
    assert ask(Verb.REPLY, target()).constraints.visibilities == (Visibility.PUBLIC, Visibility.PRIVATE)


def test_the_servers_own_limits_are_used():
    told = account_for(CONNECTOR.manifest, limits={"text": 90, "url": 10, "media_count": 1})
    limits = ask(Verb.POST, asking=told).constraints
    assert (limits.text.maximum, limits.text.url_cost, limits.media.count) == (90, 10, 1)
    assert ask(Verb.POST).constraints.text.maximum == 500


# -- pushes, streams, media, threads ------------------------------------------------------------------


def test_a_push_with_the_right_signature_is_genuine_and_one_byte_more_is_not():
    ours = account()
    body = b'{"events": []}'
    headers = {"x-sandbox-signature": sign(ours.secrets["webhook_secret"], body)}
    CONNECTOR.verify(ours, headers, body)
    with pytest.raises(Forged):
        CONNECTOR.verify(ours, headers, body + b" ")


def test_without_a_secret_nothing_is_genuine():
    ours = account_for(CONNECTOR.manifest, secrets={"token": "hush"})
    with pytest.raises(Forged):
        CONNECTOR.verify(ours, {"x-sandbox-signature": sign("", b"{}")}, b"{}")


def test_a_challenge_is_given_back():
    assert CONNECTOR.handshake(account(), {"challenge": "abc_DEF-123"}) == b"abc_DEF-123"
    assert CONNECTOR.handshake(account(), {"challenge": "<script>"}) is None


def test_the_stream_gives_events_and_signs_of_life():
    events = [{"event": "ping", "data": "{}"}, {"event": "post", "data": '{"type": "x"}', "id": "4"}]
    net = RecordedNet([step("GET", "/stream", events=events)])
    line = CONNECTOR.stream(link(account(), net))
    assert next(line) == b""
    assert next(line) == b'{"type": "x"}'
    with pytest.raises(Unreachable):
        next(line)


def test_our_token_is_shown_to_our_own_server_only():
    attachment = Attachment("1", AttachmentKind.IMAGE, url="https://elsewhere.example/media/1")
    net = RecordedNet()
    with pytest.raises(Rejected, match="another server"):
        CONNECTOR.fetch_media(link(account(), net), attachment, 1000)
    assert not net.requests


def test_a_thread_is_one_body_and_an_empty_one_none():
    net = RecordedNet(
        [
            step("GET", "/posts/3001/context", json={"ancestors": [{"id": "1"}]}),
            step("GET", "/posts/3002/context", json={"ancestors": []}),
        ]
    )
    opened = link(account(), net)
    assert [json.loads(body) for body in CONNECTOR.context(opened, Ref("3001"))] == [
        {"ancestors": [{"id": "1"}]}
    ]
    assert CONNECTOR.context(opened, Ref("3002")) == []


# -- fetching -----------------------------------------------------------------------------------------


def test_the_first_look_goes_back_a_week_and_the_next_goes_on():
    first = "/events?after=0&limit=200&since=2026-02-23T09%3A30%3A00%2B00%3A00"
    page = {"events": [{"type": "x", "post": {}}], "last": "41", "more": True}
    nothing = {"events": [], "last": "41", "more": False}
    net = RecordedNet(
        [step("GET", first, json=page), step("GET", "/events?after=41&limit=200", json=nothing)]
    )
    opened = link(account(), net)
    one = CONNECTOR.fetch(opened, None)
    assert (len(one.bodies), one.cursor, one.more) == (1, {"after": "41"}, True)
    two = CONNECTOR.fetch(opened, one.cursor)
    assert (two.bodies, two.cursor, two.more) == ([], {"after": "41"}, False)


def test_nobody_to_write_to_is_said_before_anything_is_sent():
    net = RecordedNet()
    with pytest.raises(Unsupported):
        CONNECTOR.send(link(account(), net), SendOrder("key-1", Verb.DIRECT_MESSAGE, text="Hi"))
    assert not net.requests
