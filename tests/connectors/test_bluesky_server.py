"""Bluesky's own code as the network, its official client as the customer, our connector in between."""

from __future__ import annotations

import dataclasses
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from atproto import Client, client_utils, models

from heard.connectorkit.errors import CredentialsRefused, RateLimited, Rejected, Unreachable
from heard.connectorkit.protocol import Link
from heard.connectorkit.testing import FakeVault
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
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
    Target,
    UnknownEvent,
    Verb,
    Yes,
)
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.session import ACCESS, REFRESH
from heard.foundation.net import AllowList, Guard, GuardedNet

pytestmark = [
    pytest.mark.timeout(300),  # of which the first test spends some on starting the servers
    # The official client hands httpx the bytes of a picture in a way that httpx is giving up.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]

PATIENCE_SECONDS = 60.0


def png(width: int, height: int, shade: int = 255) -> bytes:
    rows = b"".join(b"\0" + bytes([shade, 0, 0]) * width for _ in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class Company:
    """Our side: a connected account, and what a platform does with its connector."""

    def __init__(self, server, client: Client) -> None:
        self.client = client
        self.asked: list[str] = []
        self.net = GuardedNet(
            Guard(AllowList.parse("localhost")), on_exchange=lambda done: self.asked.append(done.path)
        )
        self.settings = {"service": server.url, "handle": client.me.handle}
        self.secrets = {"app_password": server.app_password(client)}
        nobody = Account("", "", settings=self.settings, secrets=self.secrets)
        self.who = CONNECTOR.identify(self.link(nobody, FakeVault(self.secrets)))
        self.account = Account(
            self.who.native_id, self.who.handle, settings=self.settings, secrets=self.who.secrets
        )
        self.vault = FakeVault(self.who.secrets)
        self.cursor = None

    def link(self, account: Account | None = None, vault: FakeVault | None = None) -> Link:
        return Link(account or self.account, self.net, vault or self.vault, datetime.now(UTC))

    def listen(self) -> list:
        """Everything new, as one look of the platform's poller brings it."""
        events = []
        for _ in range(20):
            page = CONNECTOR.fetch(self.link(), self.cursor)
            self.cursor = page.cursor
            events += [event for body in page.bodies for event in self.read(body)]
            if not page.more:
                return events
        raise AssertionError("fetch never came to an end")

    def read(self, body: bytes, source: Source = Source.POLL) -> list:
        return list(CONNECTOR.receive(self.account, RawDelivery(source, body, datetime.now(UTC))))

    def wait_for(self, wanted) -> list:
        """Look until ``wanted`` (a set of ids, or a question to an event) was met; all events till then."""
        met = (lambda event: event.native_id in wanted) if isinstance(wanted, set | str) else wanted
        needed = len(wanted) if isinstance(wanted, set) else 1
        deadline = time.monotonic() + PATIENCE_SECONDS
        events = []
        while sum(1 for event in events if isinstance(event, MessageSeen) and met(event)) < needed:
            assert time.monotonic() < deadline, f"not heard within {PATIENCE_SECONDS} s; heard: {events}"
            events += self.listen()
            time.sleep(0.1)
        return events

    def wait_for_one(self, native_id: str) -> MessageSeen:
        events = self.wait_for({native_id})
        return next(event for event in events if getattr(event, "native_id", "") == native_id)

    def send(self, verb: Verb, key: str, target: MessageSeen | None = None, text: str = "", **more) -> Sent:
        return CONNECTOR.send(self.link(), self.order(verb, key, target, text, **more))

    def look_up(self, verb: Verb, key: str, target: MessageSeen | None = None, text: str = "", **more):
        return CONNECTOR.look_up(self.link(), self.order(verb, key, target, text, **more))

    @staticmethod
    def order(verb: Verb, key: str, target: MessageSeen | None = None, text: str = "", **more) -> SendOrder:
        more.setdefault("first_attempt_at", datetime.now(UTC))
        return SendOrder(key=key, verb=verb, text=text, target=target and target_of(target), **more)


def target_of(message: MessageSeen) -> Target:
    return Target(
        native_id=message.native_id,
        kind=message.kind,
        visibility=message.visibility,
        author=message.author,
        canonical_id=message.canonical_id,
        root=message.root,
        refs=message.refs,
    )


def strong(sent) -> models.ComAtprotoRepoStrongRef.Main:
    cid = sent.refs["cid"] if isinstance(sent, Sent) else sent.cid
    uri = sent.native_id if isinstance(sent, Sent) else sent.uri
    return models.ComAtprotoRepoStrongRef.Main(uri=uri, cid=cid)


def below(root, parent=None) -> models.AppBskyFeedPost.ReplyRef:
    return models.AppBskyFeedPost.ReplyRef(root=strong(root), parent=strong(parent or root))


def eventually(question):
    """What ``question`` answers, once it is true: the app view lags."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < deadline, "the app view never showed it"
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="module")
def anna(bluesky_server) -> Client:
    """The customer. Whoever is blocked needs an account of their own."""
    return bluesky_server.create_account("anna")


@pytest.fixture
def company(bluesky_server) -> Iterator[Company]:
    company = Company(bluesky_server, bluesky_server.create_account("nordwind"))
    yield company
    company.net.close()


def sees(who: Client, uri: str):
    """The post, once this person's app shows it. Nobody can answer earlier, and an answer that the app
    view indexes before what it answers gives no notification."""
    return eventually(lambda: who.app.bsky.feed.get_posts({"uris": [uri]}).posts)[0]


def mention(who: Client, company: Company, text: str = "my order is late 😡"):
    words = client_utils.TextBuilder().mention(f"@{company.account.handle}", company.account.native_id)
    return who.send_post(words.text(f" {text}"))


def test_a_customer_mentions_us_and_reads_our_answer_in_the_thread(company, anna):
    said = mention(anna, company)
    heard = company.wait_for_one(said.uri)
    assert heard.kind is MessageKind.MENTION
    assert heard.mentions_us
    assert heard.author.handle == anna.me.handle
    assert heard.text == f"@{company.account.handle} my order is late 😡"
    assert company.listen() == []

    sent = company.send(Verb.REPLY, "answer-1", heard, "We are looking into it.")

    def answers():
        replies = anna.get_post_thread(said.uri).thread.replies or []
        return [(reply.post.uri, reply.post.author.handle, reply.post.record.text) for reply in replies]

    assert eventually(answers) == [(sent.native_id, company.account.handle, "We are looking into it.")]
    echo = company.wait_for_one(sent.native_id)
    assert echo.author.is_us
    assert echo.canonical_id == sent.canonical_id
    assert echo.refs == sent.refs
    assert echo.url == sent.url
    assert echo.parent == Ref(said.uri)


def test_the_same_key_twice_is_one_record(company, anna):
    heard = company.wait_for_one(mention(anna, company).uri)
    first = company.send(Verb.REPLY, "once", heard, "We are looking into it.")
    again = company.send(Verb.REPLY, "once", heard, "We are looking into it.")
    third = company.send(Verb.REPLY, "once", heard, "We are looking into it.", attempt=2)
    other = company.send(Verb.REPLY, "another", heard, "We are looking into it.")
    assert first.native_id == again.native_id == third.native_id != other.native_id
    assert first.refs == again.refs == third.refs
    records = company.client.com.atproto.repo.list_records(
        {"repo": company.account.native_id, "collection": "app.bsky.feed.post"}
    ).records
    assert {record.uri for record in records} == {first.native_id, other.native_id}


def test_a_key_taken_by_another_text_is_said_so(company):
    company.send(Verb.POST, "once", text="We are open.")
    with pytest.raises(Rejected):
        company.send(Verb.POST, "once", text="We are closed.")


def test_looking_up_tells_exactly_whether_it_stands(company, anna):
    heard = company.wait_for_one(mention(anna, company).uri)
    assert company.look_up(Verb.REPLY, "look", heard, "Hello") == NotFound()
    sent = company.send(Verb.REPLY, "look", heard, "Hello")
    found = company.look_up(Verb.REPLY, "look", heard, "Hello")
    assert isinstance(found, Sent)
    assert (found.native_id, found.refs, found.url) == (sent.native_id, sent.refs, sent.url)
    assert company.look_up(Verb.REPLY, "never sent", heard, "Hello") == NotFound()


def test_pictures_go_out_with_their_descriptions_and_come_in_with_their_bytes(company, anna):
    files = [
        OutFile("shop.png", "image/png", png(64, 48), "A red shop window"),
        OutFile("door.png", "image/png", png(48, 64, 99), "A door"),
    ]
    sent = company.send(Verb.POST, "pictures", text="Our new shop", files=files)
    shown = sees(anna, sent.native_id)
    assert [image.alt for image in shown.embed.images] == ["A red shop window", "A door"]
    assert [(i.aspect_ratio.width, i.aspect_ratio.height) for i in shown.embed.images] == [(64, 48), (48, 64)]

    said = anna.send_image("look", png(30, 20), "a red box", reply_to=below(sent))
    heard = company.wait_for_one(said.uri)
    assert heard.kind is MessageKind.COMMENT
    picture = heard.attachments[0]
    assert (picture.alt, picture.content_type) == ("a red box", "image/png")
    assert len(CONNECTOR.fetch_media(company.link(), picture, 2_000_000)) > 50
    without_address = dataclasses.replace(picture, url="")
    assert CONNECTOR.fetch_media(company.link(), without_address, 2_000_000) == png(30, 20)


@pytest.mark.parametrize("text", ["x" * 301, "👨‍👩‍👧‍👦" * 300], ids=["graphemes", "bytes"])
def test_too_long_is_rejected_and_the_longest_is_not(company, text):
    with pytest.raises(Rejected, match="too long"):
        company.send(Verb.POST, "long", text=text)
    assert company.look_up(Verb.POST, "long", text=text) == NotFound()
    assert company.send(Verb.POST, "fits", text=text[:-1] if text[0] == "x" else "👨‍👩‍👧‍👦" * 120)


def test_links_mentions_and_tags_of_ours_are_marked(company, anna):
    text = f"Grüße 👋 @{anna.me.handle}, see https://example.com/a_(b)). #Hilfe! @nobody.test"
    sent = company.send(Verb.POST, "facets", text=text)

    def notified():
        notes = anna.app.bsky.notification.list_notifications({"limit": 10}).notifications
        return [note for note in notes if note.reason == "mention"]

    note = eventually(notified)[0]
    assert note.uri == sent.native_id
    marked = [
        (text.encode()[facet.index.byte_start : facet.index.byte_end].decode(), facet.features[0])
        for facet in note.record.facets
    ]
    assert [words for words, _ in marked] == [f"@{anna.me.handle}", "https://example.com/a_(b)", "#Hilfe"]
    assert marked[0][1].did == anna.me.did


def test_wrong_credentials_are_refused_in_plain_words(bluesky_server, company):
    for change in ({"app_password": "wrong"}, {"app_password": ""}):
        account = Account("", "", settings=company.settings, secrets=company.secrets | change)
        with pytest.raises(CredentialsRefused, match="app password"):
            CONNECTOR.identify(company.link(account, FakeVault()))
    stranger = Account("", "", settings=company.settings | {"handle": "nobody.test"}, secrets=company.secrets)
    with pytest.raises(CredentialsRefused, match="app password"):
        CONNECTOR.identify(company.link(stranger, FakeVault()))


def test_too_many_sign_ins_say_how_long_to_wait(company):
    settings = company.settings | {"handle": "nobody-at-all.test"}
    wrong = Account("", "", settings=settings, secrets={"app_password": "wrong"})

    def outcome(_):
        try:
            CONNECTOR.identify(company.link(wrong, FakeVault()))
        except (CredentialsRefused, RateLimited) as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        limited = next((e for e in pool.map(outcome, range(40)) if isinstance(e, RateLimited)), None)
    assert limited is not None
    assert 1 <= limited.retry_after_seconds <= 300


def refreshes(company: Company) -> int:
    return sum(path.endswith("refreshSession") for path in company.asked)


def test_a_spent_access_token_is_refreshed_and_the_new_pair_is_kept_before_use(company):
    class Stopped(Exception):
        pass

    class DyingVault(FakeVault):
        def keep(self, secrets):
            super().keep(secrets)
            raise Stopped

    spent = dict(company.who.secrets) | {ACCESS: "spent"}
    dying = DyingVault(spent)
    company.asked.clear()
    with pytest.raises(Stopped):
        CONNECTOR.fetch(company.link(vault=dying), None)
    # One refused look and one refresh; nothing was asked with the new token before it was kept.
    assert [path.rpartition(".")[2] for path in company.asked] == ["listNotifications", "refreshSession"]
    kept = dying.current()
    assert kept[ACCESS] != "spent"
    assert kept[REFRESH] != company.who.secrets[REFRESH]
    assert kept["app_password"] == company.secrets["app_password"]
    # Whoever comes after the crash goes on from there.
    after = FakeVault(kept)
    CONNECTOR.fetch(company.link(vault=after), None)
    assert after.kept == []


def test_two_at_once_refresh_once(company):
    vault = FakeVault(dict(company.who.secrets) | {ACCESS: "spent"})
    company.asked.clear()
    start = threading.Barrier(4)

    def look():
        start.wait(10)
        return CONNECTOR.fetch(company.link(vault=vault), None)

    with ThreadPoolExecutor(4) as pool:
        for looked in [pool.submit(look) for _ in range(4)]:
            assert looked.result(30).cursor
    assert refreshes(company) == 1
    assert len(vault.kept) == 1


def test_a_lost_session_is_replaced_by_a_new_sign_in(company):
    vault = FakeVault(company.secrets | {ACCESS: "spent", REFRESH: "spent as well"})
    CONNECTOR.fetch(company.link(vault=vault), None)
    assert vault.current()[REFRESH] not in {"spent as well", ""}
    withdrawn = FakeVault({ACCESS: "spent", REFRESH: "spent as well", "app_password": "withdrawn"})
    with pytest.raises(CredentialsRefused):
        CONNECTOR.fetch(company.link(vault=withdrawn), None)


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
