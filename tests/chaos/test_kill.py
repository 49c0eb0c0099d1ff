"""Kill anything anywhere: nothing lost, nothing twice, or a named unknown that waits for a person.

The short forms run with the real servers; the long ones with ``make chaos`` (results: benchmarks/CHAOS.md).
"""

from __future__ import annotations

import os
import random
import uuid

import psycopg
import pytest

from tests.chaos import harness
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ


def fresh_database(server: Postgres) -> str:
    """An empty database of its own on the shared server."""
    name = f"chaos_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url, autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}")
    return server.url.rpartition("/")[0] + f"/{name}"


def seed() -> int:
    """CHAOS_SEED repeats a run; its number is printed."""
    return int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)


def short(**changes: object) -> harness.Options:
    return harness.Options(
        messages=300, answers=60, pushes=300, seconds=32.0, kill_every_seconds=4.0, seed=seed(), **changes
    )


def check(options: harness.Options) -> None:
    result = harness.run(options)
    harness.show(result)
    assert result.wrong == [], f"seed {options.seed}"
    assert result.counts["answers acknowledged"] > 0
    assert result.counts["said"] == options.messages
    assert result.counts["pushed"] > options.pushes
    assert sum(result.kills.values()) >= 3
    assert result.kills["web"] >= 1


@pytest.mark.servers
@pytest.mark.timeout(600)
def test_embedded_nothing_is_lost_or_twice() -> None:
    check(short())


@pytest.mark.timeout(600)
def test_on_postgresql_nothing_is_lost_or_twice(postgres_server: Postgres) -> None:
    check(short(settings={"HEARD_DATABASE_URL": fresh_database(postgres_server)}, separate_stream=True))


LONG = {"messages": 5000, "answers": 1200, "pushes": 5000, "seconds": 480.0}


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_long_embedded() -> None:
    check(harness.Options(seed=seed(), **LONG))


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_long_on_many_machines(postgres_server: Postgres, rabbitmq_of_this_run: RabbitMQ) -> None:
    settings = {
        "HEARD_DATABASE_URL": fresh_database(postgres_server),
        "HEARD_BROKER_URL": rabbitmq_of_this_run.url,
    }
    check(harness.Options(seed=seed(), settings=settings, workers=2, separate_stream=True, **LONG))
