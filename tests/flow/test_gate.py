"""One gate; unknown is an outcome; undo and hold against send (invariants 5, 6, 7; P10, P11)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, connections

from heard.connectorkit.errors import Unreachable
from heard.connectorkit.manifest import Budget
from heard.connectorkit.vocabulary import Author, Ref, Sent, Verb, Visibility
from heard.domains.channels import queries as channels
from heard.domains.conversations.models import Message
from heard.domains.inbox.models import Case, Episode
from heard.domains.outbox import actions, queries, schedule
from heard.domains.outbox.models import Outbound
from heard.foundation import clock
from heard.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from heard.foundation.net import Exchange
from heard.foundation.work import Slice, jobs
from tests.cast import work
from tests.flow.racing import another, let_one_through, race
from tests.memory_network import Post, message

pytestmark = pytest.mark.django_db(databases="__all__")


def _reply(
    cast, line, *, text: str = "We are looking into it", undo_seconds: int = 0, number: int = 1
) -> int:
    case = Case.objects.get(pk=line.case(number, f"person{number}"))
    return actions.submit(
        cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, text=text, undo_seconds=undo_seconds
    )


def _state(outbound_id: int) -> str:
    return Outbound.objects.get(pk=outbound_id).state


def _later(seconds: float) -> None:
    """Let time pass, and the work be done."""
    with clock.frozen(clock.now() + timedelta(seconds=seconds)):
        work()


def test_an_answer_stands_on_the_network_once_and_ends_the_waiting(cast, line) -> None:
    outbound_id = _reply(cast, line)
    assert Case.objects.get().waiting_since is not None
    work()
    assert [post.text for post in line.network.posts] == ["We are looking into it"]
    assert _state(outbound_id) == "sent"
    assert Case.objects.get().waiting_since is None
    assert Episode.objects.get().first_answered_at is not None


def test_it_waits_for_its_undo_window_and_can_be_taken_back(cast, line) -> None:
    outbound_id = _reply(cast, line, undo_seconds=10)
    work()
    assert line.network.posts == []
    assert actions.cancel(cast.alice, outbound_id) == "We are looking into it"
    _later(30)
    assert line.network.posts == []
    assert _state(outbound_id) == "cancelled"


def test_after_the_window_it_leaves_and_cannot_be_taken_back(cast, line) -> None:
    outbound_id = _reply(cast, line, undo_seconds=10)
    _later(11)
    assert len(line.network.posts) == 1
    with pytest.raises(Conflict, match="on its way"):
        actions.cancel(cast.alice, outbound_id)


def test_the_same_form_sent_twice_is_one_outbound(cast, line) -> None:
    case = Case.objects.get(pk=line.case())
    key = "0f" * 16
    first, second = (
        actions.submit(
            cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, text="Hi", undo_seconds=0, key=key
        )
        for _ in range(2)
    )
    work()
    assert first == second
    assert len(line.network.posts) == 1


@pytest.mark.parametrize("fault", ["after", "before"])
@pytest.mark.parametrize("ability", ["key and look", "look only", "key only"])
def test_a_network_that_times_out_after_or_before_accepting_ends_with_exactly_one_post(
    cast, line, fault, ability
) -> None:
    network = line.network
    if "key" not in ability:
        network.without_keys()
    network.can_look = "look" in ability
    attempts: list[str] = []

    def once(order) -> str:
        attempts.append(order.key)
        return fault if len(attempts) == 1 else ""

    network.fault = once
    outbound_id = _reply(cast, line)
    work()
    assert _state(outbound_id) == "unknown"
    for seconds in (10, 60, 300, 900, 3600):
        _later(seconds)
    assert len(network.posts) == 1
    assert _state(outbound_id) == "sent"


def test_where_nobody_can_tell_a_person_is_asked_and_nothing_is_sent_twice(cast, line) -> None:
    line.network.without_keys()
    line.network.can_look = False
    attempts: list[int] = []

    def once(order) -> str:
        attempts.append(1)
        return "after" if len(attempts) == 1 else ""

    line.network.fault = once
    outbound_id = _reply(cast, line)
    for seconds in (0, 10, 60, 300, 900, 3600, 7200):
        _later(seconds)
    assert _state(outbound_id) == "asked"
    assert len(line.network.posts) == 1
    actions.decide(cast.alice, outbound_id, "sent")
    _later(60)
    assert _state(outbound_id) == "sent"
    assert len(line.network.posts) == 1


def test_a_person_may_also_say_send_it_again(cast, line) -> None:
    line.network.without_keys()
    line.network.can_look = False
    attempts: list[int] = []

    def once(order) -> str:
        attempts.append(1)
        return "before" if len(attempts) == 1 else ""

    line.network.fault = once
    outbound_id = _reply(cast, line)
    for seconds in (0, 10, 60, 300, 900, 3600, 7200):
        _later(seconds)
    actions.decide(cast.alice, outbound_id, "again")
    work()
    assert [post.text for post in line.network.posts] == ["We are looking into it"]


def test_a_sending_whose_worker_died_becomes_unknown_and_is_found(cast, line) -> None:
    outbound_id = _reply(cast, line)
    passed = actions.let_through(clock.now())
    assert passed is not None
    assert passed.attempt == 1
    # The network took it, and then the worker was killed.
    order, _ = queries.order_of(cast.alice.organization_id, outbound_id, ())
    line.network.posts.append(Post("post-1", order.key, order.text, clock.now()))
    work()
    assert _state(outbound_id) == "sending"
    _later(200)
    _later(400)
    assert _state(outbound_id) == "sent"
    assert len(line.network.posts) == 1


def test_a_worker_that_was_thought_dead_cannot_overwrite_its_successor(cast, line) -> None:
    outbound_id = _reply(cast, line)
    passed = actions.let_through(clock.now())
    assert passed is not None
    with clock.frozen(clock.now() + timedelta(seconds=200)):
        actions.expire_sending(clock.now())
    from heard.connectorkit.vocabulary import Sent

    assert actions.settle_sent(passed.claimed, Sent("post-99")) is False
    assert _state(outbound_id) == "unknown"


def test_a_refusal_is_shown_with_its_reason_and_can_be_retried(cast, line) -> None:
    line.network.fault = lambda order: "rejected"
    outbound_id = _reply(cast, line)
    work()
    row = Outbound.objects.get(pk=outbound_id)
    assert (row.state, row.reason) == ("rejected", "Too rude for this network.")
    line.network.fault = lambda order: ""
    actions.retry(cast.alice, outbound_id)
    work()
    assert _state(outbound_id) == "sent"


def test_an_unreachable_network_is_tried_again_by_itself(cast, line) -> None:
    attempts: list[int] = []

    def twice(order) -> str:
        attempts.append(1)
        return "unreachable" if len(attempts) < 3 else ""

    line.network.fault = twice
    outbound_id = _reply(cast, line)
    for seconds in (0, 10, 60, 300):
        _later(seconds)
    assert _state(outbound_id) == "sent"
    assert len(line.network.posts) == 1


@pytest.mark.parametrize("first", ["receipt", "echo"])
def test_a_receipt_and_an_echo_race_and_the_second_attaches_to_the_first(cast, line, first) -> None:
    outbound_id = _reply(cast, line)
    echo = message(
        "x",
        "us",
        native_id="post-1",
        text="We are looking into it",
        author=Author("us", "@us", is_us=True),
        parent=Ref("m1"),
        version="00000001",
    )
    if first == "echo":
        line.hand_in(echo)
        jobs()["conversations.take_in"].run(Slice(clock.now(), 10, clock.now() + timedelta(seconds=9)))
    work()
    line.says(echo)
    rows = Message.objects.filter(native_id="post-1")
    assert rows.count() == 1
    assert Outbound.objects.get(pk=outbound_id).message_id == rows.get().pk
    assert rows.get().direction == "out"
    assert rows.get().edited_at is None  # the echo brought a first version, nobody changed a word
    assert rows.get().conversation_id == Message.objects.get(native_id="m1").conversation_id


def test_what_the_channel_does_not_allow_is_refused_before_anything_is_stored(cast, line) -> None:
    case = Case.objects.get(pk=line.case())
    for changes, field in (
        ({"text": "x" * 281}, "text"),
        ({"text": "   "}, "text"),
        ({"visibility": Visibility.FOLLOWERS, "text": "ok"}, "visibility"),
    ):
        with pytest.raises(Invalid) as refused:
            actions.submit(cast.alice, verb=Verb.REPLY, target_id=case.last_inbound_id, **changes)
        assert refused.value.field == field
    with pytest.raises(Invalid, match="hides nothing"):
        actions.submit(cast.alice, verb=Verb.HIDE, target_id=case.last_inbound_id)
    assert not Outbound.objects.exists()


def test_strangers_and_observers_cannot_send_or_undo(cast, line) -> None:
    from heard.domains.channels import actions as channels

    outbound_id = _reply(cast, line, undo_seconds=60)
    target = Outbound.objects.get(pk=outbound_id).target_id
    with pytest.raises(NotFound):
        actions.submit(cast.charlie, verb=Verb.REPLY, target_id=target, text="Hi")
    with pytest.raises(NotFound):
        actions.cancel(cast.charlie, outbound_id)
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="view")
    with pytest.raises(NotAllowed):
        actions.submit(cast.bob, verb=Verb.REPLY, target_id=target, text="Hi")
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    with pytest.raises(NotFound):
        actions.submit(cast.bob, verb=Verb.REPLY, target_id=target, text="Hi")
    assert _state(outbound_id) == "waiting"


def test_a_hold_stops_everything_and_two_steps_release_it(cast, line) -> None:
    placed = actions.place_hold(cast.bob, reason="We found a data leak")
    outbound_id = _reply(cast, line)
    work()
    assert line.network.posts == []
    assert _state(outbound_id) == "held"
    assert queries.holds(cast.alice)[0].stopped == 1
    with pytest.raises(NotAllowed):
        actions.ask_release(cast.bob, placed.hold_id)
    with pytest.raises(Conflict, match="first"):
        actions.release_hold(cast.alice, placed.hold_id)
    actions.ask_release(cast.alice, placed.hold_id)
    actions.release_hold(cast.alice, placed.hold_id)
    work()
    assert [post.text for post in line.network.posts] == ["We are looking into it"]


def test_a_channels_hold_leaves_other_channels_and_other_companies_alone(cast, line, connect_line) -> None:
    southern = connect_line(cast.charlie)
    actions.place_hold(cast.alice, reason="Wrong tone", channel_id=line.channel_id)
    _reply(cast, line)
    case = Case.objects.get(pk=southern.case(5, "ben"))
    actions.submit(
        cast.charlie, verb=Verb.REPLY, target_id=case.last_inbound_id, text="From the south", undo_seconds=0
    )
    work()
    assert [post.text for post in line.network.posts] == ["From the south"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_undo_against_send_has_exactly_one_outcome_each(cast, line, race_rounds) -> None:
    """P11. Each round: one outbound, one thread that undoes it and one that lets it through."""
    target = Case.objects.get(pk=line.case()).last_inbound_id
    todo = [actions.submit(cast.alice, verb=Verb.REPLY, target_id=target, text="round 0", undo_seconds=0)]
    cancelled: set[int] = set()
    asked = threading.Barrier(2)

    def undo(number: int) -> None:
        try:
            actions.cancel(cast.alice, todo[number])
            cancelled.add(todo[number])
        except Conflict:
            pass
        if number + 1 < race_rounds:
            asked.wait(60)  # the sender has done its part: what is asked for now belongs to the next round
            todo.append(another(todo[0], number + 1))

    def send(number: int) -> None:
        let_one_through()
        if number + 1 < race_rounds:
            asked.wait(60)

    race(race_rounds, undo, send)
    let_one_through()
    on_network = {post.text for post in line.network.posts}
    for outbound_id, state, text in Outbound.objects.values_list("pk", "state", "text"):
        assert state in {"cancelled", "sent"}
        assert (state == "cancelled") == (outbound_id in cancelled)
        assert (state == "sent") == (text in on_network)
    assert len(line.network.posts) == len(on_network)
    assert min(len(cancelled), len(on_network)) > race_rounds / 50  # both sides won some, so it was a race


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_hold_against_send_has_exactly_one_outcome_each(cast, line, race_rounds) -> None:
    """P10. Each round: one outbound, one thread that sends it and one that stops everything."""
    target = Case.objects.get(pk=line.case()).last_inbound_id
    line.network.delay_seconds = 0.001
    outcomes: Counter[str] = Counter()
    after_the_word: list[str] = []
    settled = threading.Barrier(2)
    asked = [actions.submit(cast.alice, verb=Verb.REPLY, target_id=target, text="round 0", undo_seconds=0)]

    def hold(number: int) -> None:
        placed = actions.place_hold(cast.alice, reason="Stop")
        acknowledged_at = datetime.now(UTC)
        stood = len(line.network.posts)
        settled.wait(60)
        text = f"round {number}"
        state = _state(asked[number])
        outcomes[state] += 1
        posts = [post for post in line.network.posts[-2:] if post.text == text]
        if (state, len(posts)) not in {("sent", 1), ("held", 0)} or placed.in_flight:
            after_the_word.append(f"{text}: {state}, {len(posts)} posts, {placed.in_flight} under way")
        if len(line.network.posts) > stood or any(post.started_at > acknowledged_at for post in posts):
            after_the_word.append(f"{text}: left after the hold was acknowledged")
        actions.ask_release(cast.alice, placed.hold_id)
        actions.release_hold(cast.alice, placed.hold_id)
        if state == "held":
            actions.cancel(cast.alice, asked[number])
        if number + 1 < race_rounds:
            asked.append(another(asked[0], number + 1))

    def send(_number: int) -> None:
        let_one_through()
        let_one_through()  # once more, for what was stopped: it must stay
        settled.wait(60)

    race(race_rounds, hold, send)
    assert after_the_word == []
    assert set(outcomes) == {"sent", "held"}
    assert min(outcomes.values()) > race_rounds / 50, outcomes  # both sides won some, so it was a race
    texts = Counter(post.text for post in line.network.posts)
    assert len(texts) == outcomes["sent"]
    assert max(texts.values()) == 1


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_no_send_starts_after_a_hold_was_acknowledged(cast, line) -> None:  # noqa: C901 - three senders
    """P10. Three senders at work; a hold in the middle; nothing starts after its acknowledgement."""
    target = Case.objects.get(pk=line.case()).last_inbound_id
    for number in range(150):
        actions.submit(cast.alice, verb=Verb.REPLY, target_id=target, text=f"round {number}", undo_seconds=0)
    line.network.delay_seconds = 0.002
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            passed = actions.let_through(clock.now())
            if passed is None:
                time.sleep(0.005)
            elif passed.attempt:
                schedule.send_now(passed.claimed)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 20
    while len(line.network.posts) < 10 and time.monotonic() < until:
        time.sleep(0.01)
    placed = actions.place_hold(cast.alice, reason="Stop")
    acknowledged_at = datetime.now(UTC)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert placed.in_flight == ()
    assert line.network.posts
    assert max(post.started_at for post in line.network.posts) <= acknowledged_at
    states = set(Outbound.objects.values_list("state", flat=True))
    assert states <= {"sent", "held", "waiting"}


def test_a_form_that_was_taken_stays_taken_even_where_it_would_be_refused_by_now(
    cast, line, monkeypatch
) -> None:
    """The answer to the first post got lost, and meanwhile the network's windows closed."""
    from heard.connectorkit.vocabulary import No

    case = Case.objects.get(pk=line.case())
    form = {"verb": Verb.REPLY, "target_id": case.last_inbound_id, "text": "Hi", "key": "0e" * 16}
    first = actions.submit(cast.alice, **form)
    monkeypatch.setattr(type(line.network), "supports", lambda *_: No("Too late."))
    assert actions.submit(cast.alice, **form) == first
    with pytest.raises(Invalid, match="Too late"):
        actions.submit(cast.alice, **{**form, "key": "0d" * 16})
    with pytest.raises(Invalid, match="damaged"):
        actions.submit(cast.alice, **{**form, "key": "no key"})


def test_where_nobody_can_look_a_person_is_asked_within_seconds(cast, line) -> None:
    line.network.without_keys()
    line.network.can_look = False
    line.network.fault = lambda order: "after"
    outbound_id = _reply(cast, line)
    _later(0)
    _later(10)
    assert _state(outbound_id) == "asked"


def test_what_goes_without_a_key_is_never_sent_again_by_itself(cast, line) -> None:
    """A network may take keys for some of what it is asked, and not for the rest (Bluesky's chat)."""
    line.network.without_key = frozenset({Verb.DIRECT_MESSAGE})
    line.network.can_look = False
    line.network.fault = lambda order: "after"
    case = Case.objects.get(pk=line.case(1, "person1"))

    def say(verb: Verb) -> int:
        return actions.submit(
            cast.alice, verb=verb, target_id=case.last_inbound_id, text="Hello", undo_seconds=0
        )

    public, private = say(Verb.REPLY), say(Verb.DIRECT_MESSAGE)
    for seconds in (0, 10):
        _later(seconds)
    line.network.fault = lambda order: ""
    for seconds in (60, 300, 900):
        _later(seconds)
    assert (_state(public), _state(private)) == ("sent", "asked")
    assert len(line.network.posts) == 2


def test_each_look_for_what_may_have_been_sent_is_counted(cast, line, monkeypatch) -> None:
    network = line.network
    network.manifest = replace(network.manifest, budgets=(Budget("requests", 100, 10_000),))
    network.fault = lambda order: "after"
    looked = []

    def look_up(link, order):
        link.net._caller.on_exchange(Exchange("GET", "memory.example", "/", 200, 0.1, 5, {}))
        looked.append(order.key)
        if len(looked) == 1:
            raise Unreachable("It does not answer.")
        return Sent("post-1")

    monkeypatch.setattr(network, "look_up", look_up)
    outbound_id = _reply(cast, line)
    for seconds in (0, 10, 60):
        _later(seconds)
    assert _state(outbound_id) == "sent"
    assert len(looked) == 2
    ((_, left, amount, _),) = channels.health(cast.alice, line.channel_id).budgets
    assert amount - left == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the refusing trigger is SQLite's")
def test_what_has_left_stays_left(cast, line) -> None:
    outbound_id = _reply(cast, line)
    work()
    assert _state(outbound_id) == "sent"
    with pytest.raises(IntegrityError, match="moved where it may not"):
        Outbound.objects.filter(pk=outbound_id).update(state="waiting")
