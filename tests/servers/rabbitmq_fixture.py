"""``rabbitmq_server``: one throw-away broker per run, up and empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .process import Missing, answers
from .rabbitmq import RabbitMQ, rabbitmq


@pytest.fixture(scope="session")
def rabbitmq_of_this_run() -> Iterator[RabbitMQ]:
    try:
        with rabbitmq() as broker:
            yield broker
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def rabbitmq_server(rabbitmq_of_this_run: RabbitMQ) -> Iterator[RabbitMQ]:
    yield rabbitmq_of_this_run
    if not answers(rabbitmq_of_this_run.port):
        rabbitmq_of_this_run.start()
    rabbitmq_of_this_run.forget_everything()
