"""A connector that breaks where it should not: its channel says so, and everything else goes on."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from heard.connectorkit.vocabulary import Source, Verb
from heard.domains.channels import actions
from heard.domains.channels.models import Channel
from heard.domains.inbox.models import Case
from heard.domains.outbox import actions as outbox
from heard.domains.outbox.models import Outbound
from heard.foundation import clock
from heard.foundation.work import Slice, jobs
from tests.cast import Cast, Line, work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


def turn(job: str) -> int:
    now = clock.now()
    return jobs()[job].run(Slice(now, 5, now + timedelta(seconds=20)))


def breaks(*_given: object, **_named: object) -> object:
    raise KeyError("what somebody said")


def test_a_look_that_breaks_is_said_on_the_channels_page_and_comes_again(line: Line, monkeypatch) -> None:
    monkeypatch.setattr(line.network, "fetch", breaks)
    assert turn("channels.look") == 1
    row = Channel.objects.get(pk=line.channel_id)
    assert "The connector broke (KeyError)" in row.error
    assert "somebody" not in row.error
    assert row.due_at > clock.now()
    assert row.lease_until is None
    monkeypatch.undo()


def test_a_look_that_goes_well_says_nothing(line: Line) -> None:
    assert turn("channels.look") == 1
    assert Channel.objects.get(pk=line.channel_id).error == ""


@pytest.mark.parametrize("source", list(Source))
def test_what_was_pushed_or_streamed_counts_as_heard(line: Line, source: Source) -> None:
    Channel.objects.update(due_at=clock.now() + timedelta(hours=1))
    line.hand_in(message(1), source=source)
    turn("conversations.take_in")
    heard_at = Channel.objects.get(pk=line.channel_id).heard_at
    assert (heard_at is not None) == (source in {Source.WEBHOOK, Source.STREAM})
    line.hand_in(message(2), source=source)
    turn("conversations.take_in")
    assert Channel.objects.get(pk=line.channel_id).heard_at == heard_at, "a thousand pushes are one note"


def test_looking_for_what_may_have_been_sent_gives_up_aloud(cast: Cast, line: Line, monkeypatch) -> None:
    line.network.without_keys()
    line.network.fault = lambda _order: "before"
    target = Case.objects.get(pk=line.case()).last_inbound_id
    outbox.submit(cast.alice, verb=Verb.REPLY, target_id=target, text="Hello", undo_seconds=0)
    work()
    monkeypatch.setattr(line.network, "look_up", breaks)
    for _ in range(8):
        Outbound.objects.filter(state="unknown").update(due_at=clock.now(), lease_until=None)
        turn("outbox.look")
    row = Outbound.objects.get()
    assert row.state == "asked"
    assert "(KeyError)" in row.reason
    assert "somebody" not in row.reason


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_line_whose_connector_breaks_rests(line: Line, monkeypatch) -> None:
    monkeypatch.setattr(type(line.network), "stream", staticmethod(breaks), raising=False)
    Channel.objects.update(due_at=clock.now() + timedelta(hours=1))
    stop = threading.Event()
    keeper = actions.StreamKeeper(stop)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    until = clock.now() + timedelta(seconds=15)
    while line.channel_id not in keeper._not_before and clock.now() < until:
        stop.wait(0.05)
    stop.set()
    for running in [thread, *(one for one in threading.enumerate() if one.name.startswith("line-"))]:
        running.join(20)
    assert keeper._not_before[line.channel_id] - time.monotonic() > 200
