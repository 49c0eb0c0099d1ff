"""What a server says of an account may not fit: a word to who connects it, and nothing is saved."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.db import connections

from heard.domains.channels import actions
from heard.domains.channels.models import Channel
from heard.foundation.errors import Conflict, Invalid
from tests.cast import Cast
from tests.memory_network import NETWORK, MemoryNetwork

pytestmark = pytest.mark.django_db(databases="__all__")
VALUES = {"token": "right", "address": "memory"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"native_id": "9" * 513}, "513 characters"),
        ({"scope": "s" * 256}, "256 characters"),
        ({"handle": "@" + "h" * 320}, "321 characters"),
        ({"native_id": "a\0b"}, "cannot be kept"),
        ({"handle": "@a\nb"}, "cannot be kept"),
        ({"handle": "@\ud83d"}, "cannot be kept"),
        ({"native_id": ""}, "which account"),
    ],
)
def test_an_account_that_does_not_fit_is_refused_in_words(
    cast: Cast, network: MemoryNetwork, changes: dict[str, str], said: str
) -> None:
    identify = network.identify
    network.identify = lambda link: replace(identify(link), **changes)  # type: ignore[method-assign]
    with pytest.raises(Invalid, match=said):
        actions.connect(cast.alice, NETWORK, VALUES)
    assert not Channel.objects.exists()


def test_an_account_with_an_odd_name_is_kept(cast: Cast, network: MemoryNetwork) -> None:
    identify = network.identify
    network.identify = lambda link: replace(identify(link), name="N\0" * 300, url="x" * 5000)  # type: ignore[method-assign]
    row = Channel.objects.get(pk=actions.connect(cast.alice, NETWORK, VALUES))
    assert row.name == "N" * 200


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_the_same_form_sent_twice_at_once_connects_once_and_says_so(
    cast: Cast, network: MemoryNetwork
) -> None:
    identify, both = network.identify, threading.Barrier(2)
    ends: list[str] = []

    def slow(link):
        found = identify(link)
        both.wait(10)
        return found

    network.identify = slow  # type: ignore[method-assign]

    def connect() -> None:
        try:
            actions.connect(cast.alice, NETWORK, VALUES)
            ends.append("connected")
        except Conflict as refusal:
            ends.append(refusal.message)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=connect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ends) == ["@us is connected already.", "connected"]
