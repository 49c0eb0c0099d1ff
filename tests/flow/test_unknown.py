"""Unknown is an outcome: a lost answer has one end, whoever is at it (invariant 6)."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings

from heard.connectorkit.vocabulary import Verb
from heard.domains.inbox.models import Case
from heard.domains.journal.models import Fact
from heard.domains.outbox import actions, queries, rules, schedule
from heard.domains.outbox.actions import gate
from heard.domains.outbox.models import Outbound
from heard.foundation import clock
from heard.foundation.errors import Conflict
from tests.cast import work
from tests.flow.racing import another, let_one_through, race

pytestmark = pytest.mark.django_db(databases="__all__")
TEXT = "We are looking into it"


def _reply(cast, line, *faults: str, look: bool = False, key: bool = True) -> int:
    """An answer on a network that does these, one for each attempt."""
    plan = list(faults)
    if not key:
        line.network.without_keys()
    line.network.can_look = look
    line.network.fault = lambda _order: plan.pop(0) if plan else ""
    target = Case.objects.get(pk=line.case()).last_inbound_id
    return actions.submit(cast.alice, verb=Verb.REPLY, target_id=target, text=TEXT, undo_seconds=0)


def _state(outbound_id: int) -> str:
    return Outbound.objects.get(pk=outbound_id).state


def _later(seconds: float) -> None:
    with clock.frozen(clock.now() + timedelta(seconds=seconds)):
        work()


def _looked_for(seconds: float = 6) -> None:
    """Nobody can look: it waits to be handed over again with its key."""
    with clock.frozen(clock.now() + timedelta(seconds=seconds)):
        for claimed in actions.take_unknown(clock.now(), 5):
            schedule.look_for(claimed)


def test_what_may_stand_there_cannot_be_taken_back(cast, line) -> None:
    """It waits to be handed over again with its key; "Taken back" would be a lie."""
    outbound_id = _reply(cast, line, "after")
    work()
    _looked_for()
    assert _state(outbound_id) == "waiting"
    with pytest.raises(Conflict, match="on its way"):
        actions.cancel(cast.alice, outbound_id)
    placed = actions.place_hold(cast.alice, reason="Stop")
    _later(60)
    assert _state(outbound_id) == "held"
    with pytest.raises(Conflict, match="on its way"):
        actions.cancel(cast.alice, outbound_id)
    actions.ask_release(cast.alice, placed.hold_id)
    actions.release_hold(cast.alice, placed.hold_id)
    work()
    assert _state(outbound_id) == "sent"
    assert len(line.network.posts) == 1


def test_where_a_look_found_nothing_it_can_be_taken_back(cast, line) -> None:
    outbound_id = _reply(cast, line, "before", look=True)
    work()
    _looked_for()
    actions.cancel(cast.alice, outbound_id)
    _later(60)
    assert (_state(outbound_id), line.network.posts) == ("cancelled", [])


@pytest.mark.parametrize("first", ["after", "before"])
@pytest.mark.parametrize("second", ["rejected", "unreachable"])
def test_a_second_try_that_fails_says_nothing_about_the_first(cast, line, monkeypatch, first, second) -> None:
    """Many networks refuse what they have already. A person is asked, not told that it was refused."""
    monkeypatch.setattr(rules, "MOST_ATTEMPTS", 2)
    outbound_id = _reply(cast, line, first, second)
    _later(0)
    _later(60)
    assert _state(outbound_id) == "asked"
    assert "may stand there" in Outbound.objects.get().reason
    actions.decide(cast.alice, outbound_id, "sent" if line.network.posts else "again")
    _later(120)
    assert _state(outbound_id) == "sent"
    assert len(line.network.posts) == 1


def test_no_key_is_used_beyond_its_lifetime_however_long_it_was_held(cast, line) -> None:
    line.network.manifest = replace(line.network.manifest, key_lifetime_seconds=3600)
    outbound_id = _reply(cast, line, "after")
    work()
    placed = actions.place_hold(cast.alice, reason="Stop")
    _later(60)
    assert _state(outbound_id) == "held"
    line.network.takes_key = False  # it has forgotten the key: the same order would be a second post
    with clock.frozen(clock.now() + timedelta(days=1)):
        actions.ask_release(cast.alice, placed.hold_id)
        actions.release_hold(cast.alice, placed.hold_id)
        work()
    _later(86_400 + 60)
    assert _state(outbound_id) == "asked"
    assert len(line.network.posts) == 1


def test_who_looked_before_it_was_sent_again_cannot_have_it_sent_a_third_time(cast, line) -> None:
    outbound_id = _reply(cast, line, "before", "after", key=False)
    _later(0)
    _later(60)
    seen = queries.outbound(cast.alice, outbound_id).version
    actions.decide(cast.bob, outbound_id, "again", seen=seen)
    _later(120)
    _later(180)
    assert _state(outbound_id) == "asked"
    page = cast.browser(cast.alice).post(f"/outbox/{outbound_id}/again/?seen={seen}", follow=True)
    assert "decided meanwhile" in page.content.decode()
    _later(240)
    assert len(line.network.posts) == 1
    actions.decide(cast.alice, outbound_id, "sent", seen=queries.outbound(cast.alice, outbound_id).version)
    assert _state(outbound_id) == "sent"


def test_what_is_not_there_can_be_dropped(cast, line) -> None:
    outbound_id = _reply(cast, line, "before", key=False)
    _later(0)
    _later(60)
    page = cast.browser(cast.alice).get("/outbox/").content.decode()
    assert f"/outbox/{outbound_id}/dropped/?seen=" in page
    actions.decide(cast.alice, outbound_id, "dropped")
    _later(120)
    assert (_state(outbound_id), line.network.posts) == ("cancelled", [])


def test_to_a_person_who_was_forgotten_nothing_is_sent_again(cast, line) -> None:
    outbound_id = _reply(cast, line, "before")
    work()
    assert _state(outbound_id) == "unknown"
    contact_id = Outbound.objects.get().conversation.contact_id
    actions.erase_contact(cast.alice, contact_id)
    _later(60)
    _later(120)
    assert (_state(outbound_id), line.network.posts) == ("cancelled", [])


def _ends() -> dict[int, list[str]]:
    """Every word the record has on the end of an outbound, by its id."""
    found: dict[int, list[str]] = {}
    kinds = ("outbox.OutboundSent", "outbox.OutboundCancelled", "outbox.OutboundDecided")
    for kind, body in Fact.objects.filter(kind__in=kinds).values_list("kind", "body"):
        told = json.loads(bytes(body))["data"]
        if told.get("decision") != "again":
            found.setdefault(told["outbound_id"], []).append(told.get("decision", kind))
    return found


class _Doubt:
    """One outbound after the other on a network that loses answers, and all that may happen to each."""

    def __init__(self, cast, line, first_id: int) -> None:
        self.cast, self.network = cast, line.network
        self.asked = [first_id]
        self.plan: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.over = threading.Barrier(4)
        self.network.fault = lambda _order: self.plan.pop(0) if self.plan else ""
        self._next_network()

    def _next_network(self) -> None:
        """The first try is lost as often before as after it was accepted; the second ends somehow."""
        keys, look = random.choices([(1, 0), (0, 0), (0, 1), (1, 1)], (3, 3, 1, 1))[0]
        self.network.takes_key, self.network.can_look = bool(keys), bool(look)
        first = random.choices(["after", "before", ""], (45, 45, 10))[0]
        # Where a key is taken, a worker that was only slow may be thought dead, and come back.
        self.slow = bool(keys and not look and random.random() < 0.4)
        settings.HEARD_SEND_LEASE_SECONDS = 0.003 if self.slow else 60.0
        self.network.delay_seconds = random.random() * (0.01 if self.slow else 0.001)
        second = random.choices(["", "after", "before", "rejected", "unreachable"], (3, 3, 1, 2, 1))[0]
        self.plan = [first] if self.slow else [first, second]

    @property
    def current(self) -> int:
        return self.asked[-1]

    def stands(self) -> int:
        text = f"round {len(self.asked) - 1}"
        return sum(post.text == text for post in self.network.posts[-4:])

    def worker(self, _number: int) -> None:
        for _ in range(5):
            self.work()
        self.over.wait(60)

    def first_worker(self, number: int) -> None:
        self.worker(number)
        self.settle()

    def person(self, _number: int) -> None:
        for _ in range(5):
            self.press()
            time.sleep(random.random() * 0.006)
        self.over.wait(60)

    def person_with_the_switch(self, number: int) -> None:
        if random.random() < 0.7:
            self.person(number)
            return
        self.hold()
        self.over.wait(60)

    def work(self) -> None:
        """What a worker does: the gate, the looks, the leases that ran out."""
        let_one_through()
        for claimed in actions.take_unknown(clock.now(), 5):
            schedule.look_for(claimed)
        actions.expire_sending(clock.now())

    def press(self) -> None:
        """A person presses something, and says the truth about what they saw."""
        wish = random.choice(["undo", "undo", "retry", "decide", "decide"])
        try:
            if wish == "undo":
                actions.cancel(self.cast.alice, self.current)
            elif wish == "retry":
                actions.retry(self.cast.alice, self.current)
            else:
                self._look_and_say()
        except Conflict:
            return

    def _look_and_say(self) -> None:
        view = queries.outbound(self.cast.alice, self.current)
        if view is None or view.state != "asked":
            return
        truth = "sent" if self.stands() else random.choice(["again", "dropped"])
        # From the look to the button somebody else may decide, and it be sent again meanwhile.
        time.sleep(random.choice([0.0, 0.002, 0.03]))
        actions.decide(self.cast.alice, self.current, truth, seen=view.version)
        self.outcomes[f"said {truth}"] += 1

    def hold(self) -> None:
        """Stop everything for a moment: what was lost before stays where it is meanwhile."""
        placed = actions.place_hold(self.cast.alice, reason="Stop")
        stood = len(self.network.posts)
        time.sleep(random.random() * 0.004)
        if not (placed.in_flight or self.slow) and len(self.network.posts) > stood:
            self.wrong.append(f"round {len(self.asked) - 1}: left after the hold was acknowledged")
        actions.ask_release(self.cast.alice, placed.hold_id)
        actions.release_hold(self.cast.alice, placed.hold_id)

    def settle(self) -> None:
        """Until it has an end, whoever has to bring it about; then compare it with the network."""
        settings.HEARD_SEND_LEASE_SECONDS = 60.0
        for _ in range(50):
            state = _state(self.current)
            if state in {"sent", "cancelled"}:
                break
            if state == "rejected":
                actions.cancel(self.cast.alice, self.current)
            elif state == "asked":
                self._look_and_say()
            else:
                self.work()
        self.outcomes[state] += 1
        if self.stands() != (state == "sent"):
            self.wrong.append(f"round {len(self.asked) - 1}: {state}, and {self.stands()} posts")
        self._next_network()
        self.asked.append(another(self.asked[0], len(self.asked)))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_unknown_against_everybody_has_exactly_one_outcome_each(cast, line, race_rounds, monkeypatch) -> None:
    """P11 and invariant 6. Each round: an answer gets lost, two workers and two people are at it at once."""
    monkeypatch.setattr(rules, "LOOK_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(settings, "HEARD_SEND_LEASE_SECONDS", 60.0)  # each round sets its own
    monkeypatch.setattr(gate, "backoff_seconds", lambda _attempts: 0.0)
    target = Case.objects.get(pk=line.case()).last_inbound_id
    asked = actions.submit(cast.alice, verb=Verb.REPLY, target_id=target, text="round 0", undo_seconds=0)
    doubt = _Doubt(cast, line, asked)
    race(race_rounds, doubt.first_worker, doubt.worker, doubt.person, doubt.person_with_the_switch)
    assert doubt.wrong == []
    texts = Counter(post.text for post in line.network.posts)
    assert max(texts.values()) == 1
    assert len(texts) == doubt.outcomes["sent"]
    ends = _ends()
    words = {number: ends.get(number, []) for number in doubt.asked[:-1]}
    assert {number: said for number, said in words.items() if len(said) != 1} == {}
    # Everybody had something to say in it, so it was a race.
    for what in ("sent", "cancelled", "said sent"):
        assert doubt.outcomes[what] > race_rounds / 50, doubt.outcomes
