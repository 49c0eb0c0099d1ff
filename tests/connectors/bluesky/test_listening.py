"""Bluesky's own servers: threads, outages, odd records, and what is done beside answering."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from atproto import client_utils, models

from heard.connectorkit.errors import Unreachable
from heard.connectorkit.vocabulary import (
    ActorKind,
    MessageGone,
    MessageSeen,
    No,
    NotFound,
    Ref,
    Sent,
    Source,
    UnknownEvent,
    Verb,
    Yes,
)
from heard.connectors.bluesky import CONNECTOR

from .company import Company, below, eventually, mention, sees, target_of

pytestmark = [
    pytest.mark.timeout(300),  # of which the first test spends some on starting the servers
    # The official client hands httpx the bytes of a picture in a way that httpx is giving up.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]


def test_replies_are_hidden_one_beside_the_other(company, anna):
    post = company.send(Verb.POST, "root", text="What do you think?")
    sees(anna, post.native_id)
    first, second = (anna.send_post(text, reply_to=below(post)) for text in ("nasty", "nastier"))
    events = company.wait_for({first.uri, second.uri})
    heard = {event.native_id: event for event in events if isinstance(event, MessageSeen)}
    assert company.look_up(Verb.HIDE, "hide-1", heard[first.uri]) == NotFound()
    hidden = company.send(Verb.HIDE, "hide-1", heard[first.uri])
    company.send(Verb.HIDE, "hide-2", heard[second.uri])
    company.send(Verb.HIDE, "hide-2", heard[second.uri])
    assert isinstance(company.look_up(Verb.HIDE, "hide-1", heard[first.uri]), Sent)

    def gate():
        shown = anna.app.bsky.feed.get_posts({"uris": [post.native_id]}).posts[0].threadgate
        found = shown.record.hidden_replies if shown else []
        return found if len(found) == 2 else None

    assert eventually(gate) == [first.uri, second.uri]
    assert hidden.native_id.endswith("/app.bsky.feed.threadgate/" + post.native_id.rpartition("/")[2])
    at = CONNECTOR.supports(
        Verb.HIDE, target_of(company.wait_for_one(mention(anna, company).uri)), ActorKind.HUMAN,
        company.account, datetime.now(UTC),
    )  # fmt: skip
    assert isinstance(at, No)


def test_like_delete_and_block(bluesky_server, company):
    anna = bluesky_server.create_account("anna")
    heard = company.wait_for_one(mention(anna, company).uri)
    liked = company.send(Verb.LIKE, "like", heard)
    assert company.send(Verb.LIKE, "like", heard).native_id == liked.native_id
    likes = eventually(lambda: anna.app.bsky.feed.get_likes({"uri": heard.native_id}).likes)
    assert [like.actor.did for like in likes] == [company.account.native_id]

    post = company.send(Verb.POST, "mistake", text="Oops")
    own = company.wait_for_one(post.native_id)
    assert company.look_up(Verb.DELETE, "delete", own) == NotFound()
    company.send(Verb.DELETE, "delete", own)
    assert isinstance(company.look_up(Verb.DELETE, "delete", own), Sent)
    company.send(Verb.DELETE, "delete", own)

    company.send(Verb.BLOCK, "block", heard)
    profile = eventually(
        lambda: p if (p := company.client.get_profile(anna.me.did)).viewer and p.viewer.blocking else None
    )
    assert profile.viewer.blocking.startswith(f"at://{company.account.native_id}/app.bsky.graph.block/")
    assert isinstance(company.look_up(Verb.BLOCK, "block", heard), Sent)


def test_a_thread_has_its_top_and_a_deleted_post_is_noticed(company, anna):
    post = company.send(Verb.POST, "root", text="What do you think?")
    sees(anna, post.native_id)
    first = anna.send_post("late again", reply_to=below(post))
    heard = company.wait_for_one(first.uri)
    answer = company.send(Verb.REPLY, "answer", heard, "Sorry!")
    assert answer.refs["root_uri"] == post.native_id
    sees(anna, answer.native_id)
    last = anna.send_post("thanks", reply_to=below(post, answer))
    company.wait_for_one(last.uri)

    def above():
        bodies = CONNECTOR.context(company.link(), Ref(last.uri))
        return [event for body in bodies for event in company.read(body, Source.CONTEXT)]

    assert [event.native_id for event in eventually(above)] == [
        last.uri, answer.native_id, first.uri, post.native_id,
    ]  # fmt: skip
    anna.delete_post(first.uri)
    seen = eventually(lambda: [e for e in above() if isinstance(e, MessageGone)])
    assert [event.native_id for event in seen] == [first.uri]
    # The root is still given, although the thread is cut above our answer.
    assert post.native_id in [event.native_id for event in above()]
    assert CONNECTOR.context(company.link(), Ref(first.uri)) == []


def test_after_an_outage_everything_is_heard_once(company, anna):
    before = mention(anna, company, "before")
    company.wait_for_one(before.uri)
    said = [mention(anna, company, f"number {number}").uri for number in range(120)]
    late = anna.com.atproto.repo.create_record(
        {
            "repo": anna.me.did,
            "collection": "app.bsky.feed.post",
            "record": mention_record(company, "written offline", datetime.now(UTC) - timedelta(hours=30)),
        }
    )
    sees(anna, said[-1])
    company.asked.clear()
    wanted = {*said, late.uri}
    events = company.wait_for(wanted)
    heard = [event.native_id for event in events if isinstance(event, MessageSeen)]
    assert sorted(heard) == sorted(wanted)
    assert company.listen() == []


def mention_record(company: Company, text: str, created: datetime | str) -> dict:
    words = client_utils.TextBuilder().mention(f"@{company.account.handle}", company.account.native_id)
    at = created if isinstance(created, str) else created.isoformat()
    facets = [facet.model_dump(by_alias=True, exclude_none=True) for facet in words.build_facets()]
    return {
        "$type": "app.bsky.feed.post",
        "text": words.build_text() + " " + text,
        "facets": facets,
        "createdAt": at,
    }


@pytest.mark.parametrize("created", ["1601-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_strange_dates_do_not_keep_a_mention_away(company, anna, created):
    company.listen()
    said = anna.com.atproto.repo.create_record(
        {
            "repo": anna.me.did,
            "collection": "app.bsky.feed.post",
            "record": mention_record(company, "from another time", created),
        }
    )
    heard = company.wait_for_one(said.uri)
    assert heard.sent_at <= datetime.now(UTC)
    usual = company.wait_for_one(mention(anna, company).uri)
    assert isinstance(CONNECTOR.supports(Verb.REPLY, target_of(usual), ActorKind.HUMAN, company.account,
                                         datetime.now(UTC)), Yes)  # fmt: skip


def test_an_author_who_limits_replies_is_respected(company, anna):
    said = mention(anna, company)
    anna.app.bsky.feed.threadgate.create(
        anna.me.did,
        models.AppBskyFeedThreadgate.Record(post=said.uri, created_at=anna.get_current_time_iso(), allow=[]),
        rkey=said.uri.rpartition("/")[2],
    )

    def limited():
        post = company.client.app.bsky.feed.get_posts({"uris": [said.uri]}).posts
        return post and post[0].viewer.reply_disabled

    eventually(limited)
    heard = company.wait_for_one(said.uri)
    answer = CONNECTOR.supports(
        Verb.REPLY, target_of(heard), ActorKind.HUMAN, company.account, datetime.now(UTC)
    )
    assert isinstance(answer, No)


def test_likes_reposts_and_follows_are_kept_as_what_they_are(company, anna):
    post = company.send(Verb.POST, "root", text="We are open again.")
    sees(anna, post.native_id)
    anna.like(post.native_id, post.refs["cid"])
    anna.repost(post.native_id, post.refs["cid"])
    anna.follow(company.account.native_id)
    kinds = set()

    def all_three():
        kinds.update(event.kind for event in company.listen() if isinstance(event, UnknownEvent))
        return kinds >= {"like", "repost", "follow"}

    eventually(all_three)


def test_a_chat_that_is_down_does_not_keep_back_what_is_public(company, anna):
    with_chat = dataclasses.replace(company.account, settings=company.settings | {"direct_messages": "on"})
    nobody = dataclasses.replace(with_chat, native_id="", handle="")
    # This network has no chat service: its servers fail on every question about it.
    with pytest.raises(Unreachable):
        CONNECTOR.identify(company.link(nobody))
    company.account = with_chat
    said = mention(anna, company)
    sees(anna, said.uri)

    def look():
        try:
            return company.listen()
        except Unreachable:
            return []

    events = eventually(look)
    assert said.uri in [event.native_id for event in events if isinstance(event, MessageSeen)]
    with pytest.raises(Unreachable):
        company.listen()
