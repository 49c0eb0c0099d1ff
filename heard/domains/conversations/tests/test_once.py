"""Raw first, and once (invariants 1 and 2)."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from heard.connectorkit.vocabulary import Author, MessageGone, Ref, Source, Visibility
from heard.domains.channels.models import Delivery
from heard.domains.conversations.models import Conversation, Message, MessageVersion
from heard.foundation import clock
from heard.foundation.work import Slice, jobs
from tests.cast import work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


def _messages(line) -> list[str]:
    return list(
        Message.objects.filter(channel_id=line.channel_id).order_by("pk").values_list("text", flat=True)
    )


def test_the_same_message_by_webhook_poll_stream_and_again_is_one(line) -> None:
    for source in (Source.WEBHOOK, Source.POLL, Source.STREAM, Source.WEBHOOK):
        line.says(message(1), source=source)
    assert _messages(line) == ["Hello 1"]


def test_two_different_messages_are_two(line) -> None:
    line.says(message(1), message(2))
    assert _messages(line) == ["Hello 1", "Hello 2"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_shuffled_and_repeated_on_four_threads_at_once_is_each_message_once(line) -> None:  # noqa: C901 - a race
    said = [message(number, f"person{number % 5}") for number in range(60)]
    generator = random.Random(7)
    for _ in range(4):
        batch = [*said, *generator.sample(said, 20)]
        generator.shuffle(batch)
        for start in range(0, len(batch), 8):
            line.hand_in(*batch[start : start + 8], source=generator.choice(list(Source)[:3]))
    problems: list[BaseException] = []

    def take_in() -> None:
        try:
            for _ in range(20):
                now = clock.now()
                if not jobs()["conversations.take_in"].run(Slice(now, 3, now + timedelta(seconds=30))):
                    return
        except BaseException as problem:  # noqa: BLE001 - shown by the test's own thread
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert sorted(_messages(line)) == sorted(event.text for event in said)
    assert Conversation.objects.filter(channel_id=line.channel_id).count() == 60


def test_unreadable_deliveries_are_kept_and_replayed_after_a_fix(cast, line, monkeypatch) -> None:
    from heard.domains.channels import actions, queries

    def broken(account, delivery):
        from heard.connectorkit.errors import Unreadable

        raise Unreadable("A field we do not know.")

    with monkeypatch.context() as patch:
        patch.setattr(
            type(line.network), "receive", lambda self, account, delivery: broken(account, delivery)
        )
        line.says(message(1))
    assert _messages(line) == []
    assert queries.health(cast.alice, line.channel_id).unreadable == 1
    assert queries.health(cast.alice, line.channel_id).last_unreadable == "A field we do not know."
    assert actions.replay(cast.alice, line.channel_id) == 1
    work()
    assert _messages(line) == ["Hello 1"]


def test_an_answer_that_comes_before_its_parent_is_linked_when_the_parent_comes(line) -> None:
    line.says(message(2, parent=Ref("m1")))
    line.says(message(1, "us", author=Author("us", "@us", is_us=True)))
    child = Message.objects.get(native_id="m2")
    assert child.parent is not None
    assert child.parent.native_id == "m1"


def _mail(folder: str, *, ours: bool = False):
    author = Author("us", "@us", is_us=True) if ours else Author("us", "@us")
    seen = message(folder, visibility=Visibility.PRIVATE, thread_key="<x>", author=author)
    return replace(seen, text="Dear Ann", id_scope=folder, canonical_id="<x>")


@pytest.mark.parametrize("order", [("INBOX", "Sent"), ("Sent", "INBOX"), ("INBOX",), ("Sent",)])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_mail_in_two_folders_is_one_and_ours_if_one_is_the_sent_folder(line, order, at_once) -> None:
    copies = [_mail(folder, ours=folder == "Sent") for folder in order]
    for batch in [copies] if at_once else [[copy] for copy in copies]:
        line.says(*batch)
    line.says(*copies)
    assert _messages(line) == ["Dear Ann"]
    row = Message.objects.get()
    assert row.direction == ("out" if "Sent" in order else "in")
    assert (row.identity_id is None) == ("Sent" in order)


def test_somebody_else_with_a_matter_of_their_own_is_split_off(line) -> None:
    line.says(
        message(1, "ann"),
        message(2, "ann", parent=Ref("m1"), mentions_us=False),
        message(3, "ben", parent=Ref("m1"), mentions_us=True),
        message(4, "cat", parent=Ref("m1"), mentions_us=False),
    )
    by_id = dict(Message.objects.values_list("native_id", "conversation_id"))
    assert by_id["m1"] == by_id["m2"] == by_id["m4"]
    assert by_id["m3"] != by_id["m1"]
    assert Message.objects.get(native_id="m3").parent.native_id == "m1"


def test_an_edit_replaces_and_keeps_the_old_text_and_an_older_version_never_returns(line) -> None:
    first = message(1, version="1")
    line.says(first)
    line.says(replace(first, text="Hello, I mean", version="2"))
    line.says(first)
    assert _messages(line) == ["Hello, I mean"]
    assert list(MessageVersion.objects.values_list("text", flat=True)) == ["Hello 1"]


def test_a_deletion_empties_the_message_and_it_never_rises_again(line) -> None:
    gone = MessageGone("m1", datetime(2026, 11, 22, 11, 0, tzinfo=UTC))
    line.says(message(1, version="1"))
    line.says(gone)
    line.says(message(1, version="2"))
    row = Message.objects.get(native_id="m1")
    assert (row.state, row.text, row.raw) == ("deleted", "", "")


def test_a_deletion_before_its_message_leaves_a_tombstone(line) -> None:
    line.says(MessageGone("m1", datetime(2026, 11, 22, 11, 0, tzinfo=UTC)))
    line.says(message(1))
    assert Message.objects.get(native_id="m1").state == "deleted"


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "nul\0inside"},
        {"text": "a" + "\u0301" * 32_768},
        {"text": "\u202egnitirw \u202c"},
        {"sent_at": datetime(1601, 1, 1, tzinfo=UTC)},
        {"sent_at": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)},
        {"url": "https://example.com/" + "x" * 3000, "canonical_id": "y" * 3000, "language": "z" * 300},
        {"author": Author("p" * 500, "h" * 3000, "n" * 3000)},
    ],
    ids=["nul", "combining", "override", "1601", "9999", "long fields", "long names"],
)
def test_nonsense_is_stored_sanely_and_everything_else_goes_on(line, changes) -> None:
    line.says(message(1, **changes), message(2))
    rows = {row.native_id: row for row in Message.objects.all()}
    assert set(rows) == {"m1", "m2"}
    assert "\0" not in rows["m1"].text
    assert datetime(1990, 1, 1, tzinfo=UTC) < rows["m1"].sent_at < datetime(2100, 1, 1, tzinfo=UTC)


def test_an_id_longer_than_any_column_is_refused_in_words_and_kept(cast, line) -> None:
    from heard.domains.channels import queries

    line.says(message("x" * 600))
    line.says(message(2))
    assert _messages(line) == ["Hello 2"]
    assert "at most 512" in queries.health(cast.alice, line.channel_id).last_unreadable


def test_private_exchanges_are_one_conversation_and_private(line) -> None:
    for number in (1, 2):
        line.says(message(number, visibility=Visibility.PRIVATE, thread_key="chat-1"))
    conversation = Conversation.objects.get()
    assert conversation.is_private
    assert Message.objects.filter(conversation=conversation).count() == 2


def test_a_delivery_is_settled_only_after_its_messages_are_committed(line, monkeypatch) -> None:
    from heard.domains.conversations import actions

    line.hand_in(message(1))

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    now = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(actions, "take_in", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs()["conversations.take_in"].run(Slice(now, 10, now + timedelta(seconds=30)))
    delivery = Delivery.objects.get()
    assert delivery.state == "received"
    with clock.frozen(now + timedelta(minutes=5)):
        jobs()["conversations.take_in"].run(Slice(clock.now(), 10, clock.now() + timedelta(seconds=30)))
    assert _messages(line) == ["Hello 1"]


def test_an_answer_is_linked_to_a_parent_that_is_only_known_to_be_deleted(line) -> None:
    """Found by the fuzz: the answer came first, then the word that its parent is gone."""
    line.says(message(2, parent=Ref("m1")))
    line.says(MessageGone("m1", datetime(2026, 11, 22, 11, 0, tzinfo=UTC)))
    child = Message.objects.get(native_id="m2")
    assert child.parent is not None
    assert child.parent.state == "deleted"
