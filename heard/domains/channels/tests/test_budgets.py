"""What a network still lets us ask: counted at every look and sending, and kept for replies first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.manifest import Budget, Cost, Manifest
from heard.connectorkit.vocabulary import Page
from heard.domains.channels import actions, queries, rules, schedule
from heard.domains.channels.models import Channel
from heard.foundation import clock, metrics
from heard.foundation.net import Exchange, GuardedNet
from heard.foundation.work import Claimed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MANIFEST = Manifest(
    "memory",
    "Memory",
    "For tests.",
    fields=(),
    budgets=(Budget("requests", 100, 100), Budget("media", 30, 1800, "uploads")),
)
DECLARED = MANIFEST.budgets[0]


def left(kept, at=NOW):
    return rules.budget_left(DECLARED, kept.get("requests", {}), at)


def test_each_request_is_counted_and_comes_back_with_time():
    kept = rules.spend(MANIFEST, {}, [{}] * 30, NOW)
    assert left(kept) == 70
    assert left(kept, NOW + timedelta(seconds=10)) == 80
    assert left(kept, NOW + timedelta(hours=1)) == 100
    assert left(rules.spend(MANIFEST, kept, [{}] * 5, NOW)) == 65


def test_what_nobody_can_count_is_not_counted():
    assert set(rules.spend(MANIFEST, {}, [{}], NOW)) == {"requests"}


POINTS = Manifest(
    "memory",
    "Memory",
    "For tests.",
    fields=(),
    budgets=(
        Budget("requests", 100, 100),
        Budget("writes", 50, 3600, "points", (Cost("POST", "*/create", 3), Cost("POST", "*/delete"))),
        Budget("media", 30, 1800, "uploads", (Cost("POST", "/media"),)),
    ),
)


def left_of(kept, at=NOW):
    return {
        declared.name: rules.budget_left(declared, kept.get(declared.name, {}), at)
        for declared in POINTS.budgets
    }


def test_what_takes_more_of_an_allowance_is_counted_for_it_and_for_requests():
    asked = [("POST", "/x/create"), ("GET", "/x/create"), ("POST", "/x/delete"), ("POST", "/media")]
    kept = rules.spend(POINTS, {}, [rules.told(*one, {}) for one in asked], NOW)
    assert left_of(kept) == {"requests": 96, "writes": 46, "media": 29}
    assert left_of(kept, NOW + timedelta(hours=2)) == {"requests": 100, "writes": 50, "media": 30}


def test_each_allowance_learns_from_what_was_asked_of_it():
    said = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "600"}
    kept = rules.spend(POINTS, {}, [rules.told("POST", "/media", said)], NOW)
    assert left_of(kept) == {"requests": 99, "writes": 50, "media": 7}
    # Another request with the same limit speaks of something that nobody declared for it.
    kept = rules.spend(POINTS, {}, [rules.told("DELETE", "/something", said)], NOW)
    assert left_of(kept) == {"requests": 99, "writes": 50, "media": 30}
    full = {"x-ratelimit-limit": "30", "retry-after": "900"}
    kept = rules.spend(POINTS, {}, [rules.told("POST", "/media", full)], NOW)
    assert left_of(kept) == {"requests": 99, "writes": 50, "media": 0}


def test_no_look_waits_for_what_it_does_not_take():
    kept = rules.spend(POINTS, {}, [rules.told("POST", "/x/create", {})] * 20, NOW)
    assert left_of(kept)["writes"] == 0
    assert rules.seconds_until_look(POINTS, kept, NOW) == 0


def test_the_networks_own_word_counts():
    told = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "60"}
    kept = rules.spend(MANIFEST, {}, [told], NOW)
    assert left(kept) == 7
    assert left(kept, NOW + timedelta(seconds=30)) == 7
    assert left(kept, NOW + timedelta(seconds=61)) > 7


def test_what_an_answer_says_of_another_allowance_teaches_this_one_nothing():
    told = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "900"}
    assert left(rules.spend(MANIFEST, {}, [told], NOW)) == 99


def test_too_many_requests_closes_until_it_is_said_to_open():
    kept = rules.spend(MANIFEST, {}, [{"retry-after": "120"}], NOW)
    assert left(kept) == 0
    assert rules.seconds_until_look(MANIFEST, kept, NOW) == 120
    assert rules.seconds_until_look(MANIFEST, kept, NOW + timedelta(seconds=120)) == 0


def test_looks_leave_a_reserve_for_replies():
    assert rules.seconds_until_look(MANIFEST, rules.spend(MANIFEST, {}, [{}] * 79, NOW), NOW) == 0
    kept = rules.spend(MANIFEST, {}, [{}] * 85, NOW)
    assert left(kept) == 15
    assert rules.seconds_until_look(MANIFEST, kept, NOW) == pytest.approx(6)


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=40), max_size=12), st.integers(min_value=0, max_value=400))
def test_never_less_than_nothing_nor_more_than_all_and_a_look_comes_in_time(counts, later):
    kept = {}
    for step, count in enumerate(counts):
        kept = rules.spend(MANIFEST, kept, [{}] * count, NOW + timedelta(seconds=step))
    at = NOW + timedelta(seconds=len(counts) + later)
    assert 0 <= left(kept, at) <= DECLARED.amount
    wait = rules.seconds_until_look(MANIFEST, kept, at)
    assert rules.seconds_until_look(MANIFEST, kept, at + timedelta(seconds=wait + 0.001)) == 0


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=99))
def test_what_is_kept_is_read_back_the_same(count):
    kept = rules.spend(MANIFEST, {}, [{"ratelimit-limit": "100"}] * count, NOW)
    found = rules.budget_from_plain(DECLARED, kept["requests"], NOW)
    assert rules.budget_to_plain(found) == kept["requests"]


def exchange(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange("GET", "memory.example", "/", 200, 0.1, 5, named)


@pytest.fixture
def counted(line):
    """A channel of a network that allows a hundred requests, whose looks make three."""
    network = line.network
    network.manifest = replace(network.manifest, budgets=MANIFEST.budgets)
    asked = []

    def fetch(link, cursor):
        asked.append(cursor)
        assert isinstance(link.net, GuardedNet)
        for _ in range(3):
            link.net._caller.on_exchange(exchange())
        return Page([], {"seen": 0})

    network.fetch = fetch
    return line, asked


def look(line):
    Channel.objects.update(due_at=clock.now(), lease_until=None)
    claimed = actions.take_due_channels(clock.now(), 5)
    assert [item.id for item in claimed] == [line.channel_id]
    schedule.look_at(claimed[0])


@pytest.mark.django_db(databases="__all__")
def test_a_look_is_counted_and_the_page_shows_what_is_left(cast, counted):
    line, asked = counted
    with clock.frozen(clock.now()):
        look(line)
        look(line)
        assert len(asked) == 2
        assert queries.health(cast.alice, line.channel_id).budgets == (("requests", 94, 100, "requests"),)
    page = cast.browser(cast.alice).get(f"/settings/channels/{line.channel_id}/").content.decode()
    assert "Budget left" in page
    assert "of 100 requests" in page


@pytest.mark.django_db(databases="__all__")
def test_a_look_waits_while_what_is_left_is_kept_for_replies(cast, counted):
    line, asked = counted
    start = clock.now()
    with clock.frozen(start):
        Channel.objects.update(budgets=rules.spend(line.network.manifest, {}, [{}] * 90, start))
        look(line)
        assert asked == []
        row = Channel.objects.get()
        assert row.due_at == pytest.approx(start + timedelta(seconds=11), abs=timedelta(seconds=0.1))
        assert (row.error, row.state) == ("", "active")
    with clock.frozen(start + timedelta(seconds=30)):
        look(line)
        assert len(asked) == 1


@pytest.mark.django_db(databases="__all__")
def test_a_lost_lease_puts_nothing_off(line):
    due_at = Channel.objects.get().due_at
    actions.put_off_look(
        Claimed(id=line.channel_id, fence=999, organization_id=line.actor.organization_id), 600
    )
    assert Channel.objects.get().due_at == due_at


# Every request counts, whatever it was for ------------------------------------------------------------


def spent(line):
    return 100 - queries.health(line.actor, line.channel_id).budgets[0][1]


@pytest.mark.django_db(databases="__all__")
def test_a_line_opened_for_anything_counts_as_it_goes(counted):
    line, _ = counted
    with clock.frozen(clock.now()):
        link, _connector = actions.open_link(line.actor.organization_id, line.channel_id)
        assert spent(line) == 0
        link.net._caller.on_exchange(exchange())
        link.net._caller.on_exchange(exchange())
        assert spent(line) == 2


@pytest.mark.django_db(databases="__all__")
def test_a_database_that_is_busy_loses_a_count_and_not_the_request(counted, monkeypatch):
    line, _ = counted
    link, _connector = actions.open_link(line.actor.organization_id, line.channel_id)
    with monkeypatch.context() as patch:
        patch.setattr(rules, "spend", lambda *_: (_ for _ in ()).throw(OperationalError("locked")))
        link.net._caller.on_exchange(exchange())
    with clock.frozen(clock.now()):
        assert spent(line) == 0
        link.net._caller.on_exchange(exchange())
        assert spent(line) == 1


@pytest.mark.django_db(databases="__all__")
def test_metrics_and_budgets_both_hear_of_a_request(counted):
    line, _ = counted

    def seen():
        return metrics.EXCHANGES.labels(network="memory", status="200")._value.get()

    before = seen()
    metered = actions.open_metered(line.actor.organization_id, line.channel_id)
    metered.link.net._caller.on_exchange(exchange())
    assert seen() == before + 1
    assert len(metered.answers) == 1


@pytest.mark.django_db(databases="__all__")
def test_asking_whose_credentials_they_are_counts_for_the_channel(counted, monkeypatch):
    line, _ = counted
    identify = line.network.identify

    def asking(link):
        link.net._caller.on_exchange(exchange())
        return identify(link)

    monkeypatch.setattr(line.network, "identify", asking)
    with clock.frozen(clock.now()):
        actions.reconnect(line.actor, line.channel_id, {"token": "right"})
        assert spent(line) == 1


@pytest.mark.django_db(databases="__all__")
def test_the_page_shows_every_allowance_that_is_counted(cast, line):
    line.network.manifest = replace(line.network.manifest, budgets=POINTS.budgets)
    with clock.frozen(clock.now()):
        link, _connector = actions.open_link(line.actor.organization_id, line.channel_id)
        link.net._caller.on_exchange(Exchange("POST", "memory.example", "/x/create", 200, 0.1, 5, {}))
        budgets = queries.health(cast.alice, line.channel_id).budgets
        page = cast.browser(cast.alice).get(f"/settings/channels/{line.channel_id}/").content.decode()
    assert budgets == (
        ("requests", 99, 100, "requests"),
        ("writes", 47, 50, "points"),
        ("media", 30, 30, "uploads"),
    )
    assert "47 of 50 points" in page
    assert "30 of 30 uploads" in page
