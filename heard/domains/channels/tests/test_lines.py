"""Lines that stream: one holder, given back when it leaves, looked behind when one opens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from heard.domains.channels import actions
from heard.domains.channels.models import Channel, Delivery
from heard.foundation import clock
from tests.memory_network import body_of, message

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def keeper(line, monkeypatch) -> Iterator[tuple[actions.StreamKeeper, threading.Event, threading.Event]]:
    """A keeper at work on a network whose line says one thing and then stays open."""
    said, stop = threading.Event(), threading.Event()

    def stream(_link: object) -> Iterator[bytes]:
        yield b""
        yield body_of([message("streamed")])
        said.set()
        while not stop.wait(0.01):
            yield b""

    monkeypatch.setattr(type(line.network), "stream", staticmethod(stream), raising=False)
    Channel.objects.update(due_at=clock.now() + timedelta(hours=1))
    found = actions.StreamKeeper(stop)
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found, said, stop
    stop.set()
    # The lines too: one that still gives its lease back would meet the tables being emptied.
    for running in [thread, *(one for one in threading.enumerate() if one.name.startswith("line-"))]:
        running.join(20)
        assert not running.is_alive()


def test_what_was_said_before_the_line_opened_is_looked_for(line, keeper) -> None:
    _, said, _ = keeper
    assert said.wait(10)
    row = Channel.objects.get(pk=line.channel_id)
    assert row.streaming_until is not None
    assert row.streaming_until > clock.now()
    assert Delivery.objects.filter(source="stream").count() == 1
    assert row.due_at <= clock.now()


def test_a_line_has_one_holder_and_is_free_once_that_one_leaves(line, keeper) -> None:
    _, said, stop = keeper
    assert said.wait(10)
    organization_id = line.actor.organization_id
    assert actions.take_line(organization_id, line.channel_id) is False
    stop.set()
    until = time.monotonic() + 10
    while not actions.take_line(organization_id, line.channel_id):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_embedded_a_new_worker_takes_over_at_once_what_a_killed_one_held(line) -> None:
    organization_id = line.actor.organization_id
    Channel.objects.update(due_at=clock.now())
    assert actions.take_due_channels(clock.now(), 5)
    assert actions.take_line(organization_id, line.channel_id)
    line.hand_in(message(1))
    assert actions.claim_deliveries(clock.now(), 10)
    later = clock.now() + timedelta(seconds=1)
    assert not actions.take_due_channels(later, 5)
    assert not actions.claim_deliveries(later, 10)

    actions.take_over()

    later = clock.now() + timedelta(seconds=1)
    assert actions.take_due_channels(later, 5)
    assert actions.take_line(organization_id, line.channel_id)
    assert actions.claim_deliveries(later, 10)
