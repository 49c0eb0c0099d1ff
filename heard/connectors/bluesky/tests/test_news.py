"""What is new: notifications and the chat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heard.connectorkit.errors import Unreachable, Unreadable
from heard.connectorkit.testing import NOW, FakeVault
from heard.connectorkit.vocabulary import MessageKind
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.session import PASSWORD
from heard.connectors.bluesky.syntax import format_datetime

from .played import ANNA, CHAT, CID, US, notification, opened, read, reply

OTHER = "did:plc:somebodysomebodysomebody"


def test_new_notifications_come_with_the_posts_as_they_are_shown(server):
    notes = [notification(number) for number in range(60)] + [notification(99, "like")]
    asked = []

    def posts(given):
        asked.append(given["uris"])
        return reply(
            200,
            {
                "posts": [
                    {**note, "viewer": {"replyDisabled": True}}
                    for note in notes
                    if note["uri"] in given["uris"]
                ]
            },
        )

    server.answers["app.bsky.notification.listNotifications"] = {"notifications": notes}
    server.answers["app.bsky.feed.getPosts"] = posts
    page = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    events = [event for body in page.bodies for event in read(body)]
    assert [len(uris) for uris in asked] == [25, 25, 10]
    assert len(events) == 61
    assert all(event.refs["reply_disabled"] for event in events[:60])
    assert not page.more
    again = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), page.cursor)
    assert list(again.bodies) == []


def test_a_post_that_cannot_be_shown_is_read_from_its_notification(server):
    server.answers["app.bsky.notification.listNotifications"] = {"notifications": [notification(1)]}
    server.answers["app.bsky.feed.getPosts"] = {"posts": []}
    page = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    assert [event.text for event in read(page.bodies[0])] == ["number 1"]


def test_odd_entries_are_handed_on_and_do_not_stop_the_others(server):
    odd: list[Any] = [
        None,
        7,
        [],
        {},
        {"uri": 5, "reason": {}},
        {"uri": "at://x", "indexedAt": "1601-01-01T00:00:00Z"},
    ]
    server.answers["app.bsky.notification.listNotifications"] = {"notifications": [notification(1), *odd]}
    server.answers["app.bsky.feed.getAuthorFeed"] = {"feed": [None, {"post": None}, {"reason": 5}]}
    server.answers["app.bsky.feed.getPosts"] = {"posts": [None, {"uri": None}]}
    page = CONNECTOR.fetch(opened(server, FakeVault({PASSWORD: "right"})), None)
    events = [event for body in page.bodies for event in read(body)]
    assert [event.text for event in events if hasattr(event, "text")] == ["number 1"]


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"other": []}', b'{"notifications": null}', b"\xff"]
)
def test_what_is_no_answer_of_bluesky_is_unreadable(body):
    with pytest.raises(Unreadable):
        read(body)


def seen(author=ANNA, parent=None, root=None, mentions=None, quotes=None):
    """A post as the app view shows it: by whom, below what, with whom in it."""
    ref = lambda did: {"uri": f"at://{did}/app.bsky.feed.post/3abc222222222", "cid": CID}  # noqa: E731
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": "x", "createdAt": format_datetime(NOW)}
    if parent:
        record["reply"] = {"parent": ref(parent), "root": ref(root or parent)}
    if mentions:
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": mentions}
        record["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature]}]
    if quotes:
        record["embed"] = {"$type": "app.bsky.embed.record", "record": ref(quotes)}
    post = {"uri": f"at://{author}/app.bsky.feed.post/3xyz222222222", "cid": CID, "record": record}
    return read(json.dumps({"posts": [{**post, "author": {"did": author}}]}).encode())[0]


@pytest.mark.parametrize(
    ("post", "kind", "to_us"),
    [
        ({"parent": US}, MessageKind.COMMENT, False),
        ({"parent": US, "mentions": US}, MessageKind.COMMENT, True),
        ({"parent": OTHER, "root": US, "mentions": US}, MessageKind.COMMENT, True),
        ({"parent": OTHER, "mentions": US}, MessageKind.MENTION, True),
        ({"mentions": US}, MessageKind.MENTION, True),
        ({"mentions": OTHER}, MessageKind.POST, False),
        ({"quotes": US}, MessageKind.MENTION, True),
        ({"quotes": OTHER}, MessageKind.POST, False),
        ({"parent": OTHER}, MessageKind.COMMENT, False),
        ({}, MessageKind.POST, False),
        ({"author": US, "mentions": US}, MessageKind.POST, False),
        ({"author": US, "parent": OTHER}, MessageKind.COMMENT, False),
    ],
)
def test_the_record_says_what_a_message_is_to_us(post, kind, to_us):
    event = seen(**post)
    assert (event.kind, event.mentions_us) == (kind, to_us)


CONVO = {"id": "3lconvo222222", "rev": "2222b", "members": [{"did": ANNA, "handle": "anna.test"}],
         "lastMessage": {"id": "3lmsg22222222", "text": "Hello?", "sender": {"did": ANNA},
                         "sentAt": "2026-03-01T12:00:00.000Z"}}  # fmt: skip


def test_the_chat_begins_with_how_things_stand_and_goes_on_with_its_log(server):
    log = [
        {"$type": "chat.bsky.convo.defs#logCreateMessage", "rev": "2222c", "convoId": CONVO["id"],
         "message": {"id": "3lmsg33333333", "text": "Are you there?", "sender": {"did": ANNA},
                     "sentAt": "2026-03-01T12:01:00.000Z"}}
    ]  # fmt: skip
    server.answers["chat.bsky.convo.listConvos"] = {"convos": [CONVO, {"id": "other", "rev": "2222a"}]}
    server.answers["chat.bsky.convo.getLog"] = lambda given: reply(
        200, {"logs": log if given["cursor"] == "2222b" else [], "cursor": "2222c"}
    )
    server.answers["app.bsky.actor.getProfiles"] = {"profiles": [{"did": ANNA, "handle": "anna.test"}]}
    vault = FakeVault({PASSWORD: "right"})
    first = CONNECTOR.fetch(opened(server, vault, settings=CHAT), None)
    second = CONNECTOR.fetch(opened(server, vault, settings=CHAT), first.cursor)
    third = CONNECTOR.fetch(opened(server, vault, settings=CHAT), second.cursor)
    assert [event.text for body in first.bodies for event in read(body)] == ["Hello?"]
    said = [event for body in second.bodies for event in read(body)]
    assert [(event.text, event.author.handle, event.thread_key) for event in said] == [
        ("Are you there?", "anna.test", CONVO["id"])
    ]
    assert list(third.bodies) == []


def test_a_chat_that_fails_keeps_its_place_and_is_told_when_all_else_is_quiet(server):
    server.answers["app.bsky.notification.listNotifications"] = {"notifications": [notification(1)]}
    server.answers["app.bsky.feed.getPosts"] = {"posts": []}
    server.answers["chat.bsky.convo.getLog"] = lambda _: reply(503, {})
    vault = FakeVault({PASSWORD: "right"})
    page = CONNECTOR.fetch(opened(server, vault, settings=CHAT), {"chat": {"rev": "2222b"}})
    assert len(page.bodies) == 1
    assert page.cursor["chat"] == {"rev": "2222b"}
    with pytest.raises(Unreachable):
        CONNECTOR.fetch(opened(server, vault, settings=CHAT), page.cursor)


def test_direct_messages_that_are_off_are_not_asked_for(server):
    CONNECTOR.fetch(
        opened(server, FakeVault({PASSWORD: "right"}), settings={"direct_messages": "false"}), None
    )
    assert not server.asked("getLog")
    assert not server.asked("listConvos")
