"""Retention: what came raw goes after its term; what it meant, and what nobody has understood yet, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heard.connectorkit.errors import Unreadable
from heard.domains.channels import actions as channels
from heard.domains.channels.models import Delivery
from heard.domains.conversations.models import Message
from heard.foundation import clock
from heard.foundation.work import Slice, jobs
from tests.cast import Cast, Line, work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")


def days_pass(number: float) -> None:
    """The jobs of retention run that many days from now."""
    with clock.frozen(clock.now() + timedelta(days=number)):
        for name in ("channels.forget_bodies", "conversations.forget_raw"):
            jobs()[name].run(Slice(clock.now(), 100, clock.now() + timedelta(seconds=30)))


def bodies() -> list[bytes]:
    return [bytes(body) for body in Delivery.objects.order_by("pk").values_list("body", flat=True)]


def test_what_came_raw_goes_after_its_term_and_not_a_day_earlier(line: Line, settings) -> None:
    settings.HEARD_RAW_DAYS = 30
    line.says(message(1, text="A word to keep", raw='{"as": "it came"}'))
    days_pass(29.9)
    assert all(bodies())
    assert Message.objects.get().raw
    days_pass(30.1)
    assert bodies() == [b""]
    row = Message.objects.get()
    assert (row.raw, row.text) == ("", "A word to keep")
    assert Delivery.objects.get().state == "understood"


def test_what_nobody_could_read_yet_is_kept_until_it_can_be(
    cast: Cast, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_account: object, _delivery: object) -> None:
        raise Unreadable("A shape we do not know.")

    with monkeypatch.context() as patch:
        patch.setattr(line.network, "receive", unreadable)
        line.says(message(1))
    days_pass(400)
    assert all(bodies())
    assert channels.replay(cast.alice, line.channel_id) == 1
    work()
    assert Message.objects.get().text == "Hello 1"


def test_what_waits_to_be_understood_is_kept_however_old_it_is(line: Line) -> None:
    line.hand_in(message(1))
    days_pass(400)
    assert all(bodies())
    work()
    assert Message.objects.get().text == "Hello 1"
