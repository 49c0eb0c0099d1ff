"""What may be asked, and what becomes of it."""

from __future__ import annotations

import dataclasses

import pytest

from heard.connectorkit.errors import OutcomeUnknown, RateLimited, Rejected, Unreachable, Unsupported
from heard.connectorkit.plain import from_plain, to_plain
from heard.connectorkit.testing import NOW, FakeVault, RecordedNet, link
from heard.connectorkit.vocabulary import (
    ActorKind,
    Author,
    MessageKind,
    No,
    OutFile,
    Ref,
    SendOrder,
    Target,
    Verb,
    Visibility,
    Yes,
)
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.session import PASSWORD

from .played import ANNA, CHAT, CID, US, opened, our_account, reply


def target(**changes):
    usual = Target(
        native_id=f"at://{ANNA}/app.bsky.feed.post/3n2vzj53qmc26",
        kind=MessageKind.COMMENT,
        visibility=Visibility.PUBLIC,
        author=Author(ANNA, "anna.test"),
        root=Ref(f"at://{US}/app.bsky.feed.post/3n2vziaaaas26"),
        refs={"cid": CID, "root_uri": f"at://{US}/app.bsky.feed.post/3n2vziaaaas26", "root_cid": CID},
    )
    return dataclasses.replace(usual, **changes)


def may(verb, about, **setting):
    answer = CONNECTOR.supports(verb, about, ActorKind.HUMAN, our_account(settings=setting), NOW)
    return isinstance(answer, Yes), answer


@pytest.mark.parametrize(
    ("verb", "yes", "no"),
    [
        (Verb.REPLY, target(), target(visibility=Visibility.PRIVATE)),
        (Verb.REPLY, target(), target(refs={"cid": CID, "reply_disabled": "yes"})),
        (Verb.REPLY, target(), target(refs={"cid": CID, "blocked_by": "yes"})),
        (Verb.LIKE, target(), target(native_id="3lmsg22222222", visibility=Visibility.PRIVATE)),
        (Verb.HIDE, target(), target(root=None)),
        (Verb.HIDE, target(), target(root=Ref(f"at://{ANNA}/app.bsky.feed.post/3n2vziaaaas26"))),
        (Verb.DELETE, target(native_id=f"at://{US}/app.bsky.feed.post/3n2vziaaaas26"), target()),
        (Verb.BLOCK, target(), target(author=Author(US, "nordwind.test", is_us=True))),
    ],
)
def test_the_message_decides(verb, yes, no):
    assert may(verb, yes)[0]
    assert not may(verb, no)[0]
    assert not may(verb, None)[0]


def test_direct_messages_follow_the_switch():
    for word in ("on", "true", "True", True, "1"):
        assert may(Verb.DIRECT_MESSAGE, target(), direct_messages=word)[0]
    for word in ("", "off", "false", False, "0"):
        allowed, answer = may(Verb.DIRECT_MESSAGE, target(), direct_messages=word)
        assert not allowed
        assert answer.remedy


def test_limits_are_those_of_the_network():
    constraints = may(Verb.POST, None)[1].constraints
    assert (constraints.text.maximum, constraints.text.maximum_bytes) == (300, 3000)
    assert (constraints.media.count, constraints.media.maximum_bytes) == (4, 2_000_000)


PICTURE = OutFile("a.png", "image/png", b"x", "A picture")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "About your order"},
        {"visibility": Visibility.FOLLOWERS},
        {"files": (PICTURE,) * 5},
        {"files": (OutFile("a.pdf", "application/pdf", b"x"),)},
        {"files": (OutFile("a.png", "image/png", b"x" * 2_000_001),)},
        {"verb": Verb.DIRECT_MESSAGE, "files": (PICTURE,), "target": target(), "visibility": None},
    ],
)
def test_nothing_is_dropped_in_silence(changes):
    usual = SendOrder("k", Verb.POST, "Hello", visibility=Visibility.PUBLIC)
    net = RecordedNet()
    with pytest.raises(Unsupported):
        CONNECTOR.send(link(our_account(settings=CHAT), net), dataclasses.replace(usual, **changes))
    assert not net.requests


def test_a_full_gate_says_so(server):
    gate = {
        "uri": "x",
        "cid": CID,
        "value": {"hiddenReplies": [f"at://{ANNA}/app.bsky.feed.post/{n}" for n in range(300)]},
    }
    server.answers["com.atproto.repo.getRecord"] = gate
    with pytest.raises(Rejected, match="300"):
        CONNECTOR.send(
            opened(server, FakeVault({PASSWORD: "right"})), SendOrder("k", Verb.HIDE, target=target())
        )


def test_a_gate_that_keeps_changing_is_tried_again_later(server):
    server.answers["com.atproto.repo.getRecord"] = {"uri": "x", "cid": CID, "value": {"hiddenReplies": []}}
    server.answers["com.atproto.repo.putRecord"] = lambda _: reply(400, {"error": "InvalidSwap"})
    with pytest.raises(Unreachable):
        CONNECTOR.send(
            opened(server, FakeVault({PASSWORD: "right"})), SendOrder("k", Verb.HIDE, target=target())
        )
    assert len(server.asked("putRecord")) == 3


def test_an_answer_that_says_nothing_is_looked_into(server):
    server.answers["com.atproto.repo.createRecord"] = {}
    server.answers["com.atproto.repo.getRecord"] = lambda _: reply(400, {"error": "RecordNotFound"})
    order = SendOrder("k", Verb.POST, "Hello", first_attempt_at=NOW)
    with pytest.raises(OutcomeUnknown):
        CONNECTOR.send(opened(server, FakeVault({PASSWORD: "right"})), order)
    assert server.asked("getRecord")


def test_no_error_repeats_what_was_written(server):
    secret = "my card number is 4111"
    server.answers["com.atproto.repo.createRecord"] = lambda _: reply(
        400, {"error": "InvalidRequest", "message": f"Invalid record: {secret}"}
    )
    with pytest.raises(Rejected) as caught:
        CONNECTOR.send(opened(server, FakeVault({PASSWORD: "right"})), SendOrder("k", Verb.POST, secret))
    assert secret not in str(caught.value)
    assert "InvalidRequest" in caught.value.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-reset": "1795364779", "date": "Sun, 22 Nov 2026 16:21:40 GMT"}, 279),
        ({"ratelimit-reset": "1795364779", "date": "Sun, 22 Nov 2026 18:00:00 GMT"}, 1),
        ({"retry-after": "17"}, 17),
        ({}, 60),
    ],
)
def test_a_pause_is_as_long_as_the_network_says(server, headers, seconds):
    server.answers["app.bsky.notification.listNotifications"] = lambda _: reply(429, {}, **headers)
    with pytest.raises(RateLimited) as caught:
        CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    assert caught.value.retry_after_seconds == seconds


def test_orders_written_as_plain_values_are_understood():
    order = SendOrder("k", Verb.REPLY, "Hello", target=target(), files=(PICTURE,), first_attempt_at=NOW)
    assert from_plain(SendOrder, to_plain(order)) == order


def test_no_with_a_remedy_is_for_people():
    answer = may(Verb.DIRECT_MESSAGE, target())[1]
    assert isinstance(answer, No)
    assert "administrator" in answer.remedy
