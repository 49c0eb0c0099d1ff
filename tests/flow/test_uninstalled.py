"""A channel whose connector was uninstalled rests in plain words, loses nothing, and stops nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard.domains.channels import actions, queries, rules, schedule
from heard.domains.channels.models import Channel, Delivery
from heard.domains.conversations.models import Message
from heard.domains.outbox import queries as outbox
from heard.foundation import clock
from heard.foundation.errors import Conflict
from heard.foundation.work import claim
from tests.cast import work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


def uninstall(line):
    """Only this channel's: its network is one that nobody here speaks."""
    Channel.objects.filter(pk=line.channel_id).update(network="pigeon", due_at=clock.now(), lease_until=None)


def install(line):
    Channel.objects.filter(pk=line.channel_id).update(network="memory")


def test_the_first_look_pauses_it_and_no_further_look_is_due(cast, line):
    uninstall(line)
    (claimed,) = actions.take_due_channels(clock.now(), 5)
    schedule.look_at(claimed)
    view = queries.channel(cast.alice, line.channel_id)
    assert (view.state, view.state_reason) == ("paused", rules.UNSPOKEN)
    assert actions.take_due_channels(clock.now() + timedelta(days=1), 5) == []


def test_its_pages_say_so(cast, line):
    line.case(1, "ann")
    uninstall(line)
    (claimed,) = actions.take_due_channels(clock.now(), 5)
    schedule.look_at(claimed)
    alice = cast.browser(cast.alice)
    assert "Paused" in alice.get("/settings/channels/").content.decode()
    answer = alice.get(f"/settings/channels/{line.channel_id}/")
    assert "Its connector is not installed" in answer.content.decode()
    case = alice.get("/inbox/", follow=True)
    assert case.status_code == 200


def test_it_is_resumed_only_when_the_connector_is_back(cast, line):
    uninstall(line)
    actions.pause(cast.alice, line.channel_id)
    with pytest.raises(Conflict, match="connector is not installed"):
        actions.resume(cast.alice, line.channel_id)
    install(line)
    actions.resume(cast.alice, line.channel_id)
    assert queries.channel(cast.alice, line.channel_id).state == "active"


def test_its_deliveries_wait_and_those_of_others_are_understood(cast, line, connect_line):
    other = connect_line(cast.charlie)
    line.hand_in(message(1, "ann"))
    other.hand_in(message(2, "ben"))
    uninstall(line)
    work()
    assert [row.channel_id for row in Message.objects.all()] == [other.channel_id]
    waiting = Delivery.objects.get(channel_id=line.channel_id)
    assert (waiting.state, waiting.reason) == ("received", rules.UNSPOKEN)
    assert bytes(waiting.body)
    install(line)
    with clock.frozen(clock.now() + timedelta(seconds=400)):
        work()
    assert Message.objects.filter(channel_id=line.channel_id).count() == 1


def test_nothing_can_be_answered_on_it_and_the_composer_says_why(cast, line):
    from heard.connectorkit.vocabulary import No, Verb

    line.says(message(1, "ann"))
    target = Message.objects.get().pk
    assert not isinstance(outbox.supports(cast.alice, Verb.REPLY, target), No)
    uninstall(line)
    answer = outbox.supports(cast.alice, Verb.REPLY, target)
    assert isinstance(answer, No)
    assert "not installed" in answer.reason


def test_secrets_that_do_not_open_are_said_on_the_channel_and_tried_again(cast, line):
    Channel.objects.update(secrets="v1:0123456789ab:AAAA", due_at=clock.now(), lease_until=None)
    (claimed,) = actions.take_due_channels(clock.now(), 5)
    schedule.look_at(claimed)
    row = Channel.objects.get()
    assert row.state == "active"
    assert "A stored secret was changed" in row.error
    assert row.due_at > clock.now() + timedelta(seconds=30)
    assert claim(Channel, "active", now=clock.now(), limit=5, lease_seconds=5) == []
