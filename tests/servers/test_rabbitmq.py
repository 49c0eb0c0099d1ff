"""The throw-away RabbitMQ can be stopped, started and emptied in mid-flow, as the tests of hints need it."""

from __future__ import annotations

import pytest
from kombu import Connection, Queue
from kombu.exceptions import OperationalError


@pytest.fixture
def hints():
    return Queue("hints", durable=True)


def put(url, queue, text):
    with Connection(url, connect_timeout=5) as line:
        producer = line.Producer()
        producer.publish(text, routing_key=queue.name, declare=[queue], delivery_mode=2, serializer="json")


def take(url, queue):
    with Connection(url, connect_timeout=5) as line:
        message = queue(line.channel()).get(no_ack=True)
        return None if message is None else message.payload


def test_what_one_puts_in_another_takes_out(rabbitmq_server, hints):
    put(rabbitmq_server.url, hints, "look")
    assert rabbitmq_server.message_count() == 1
    assert take(rabbitmq_server.url, hints) == "look"


def test_stopped_it_refuses_and_started_again_it_has_what_it_kept(rabbitmq_server, hints):
    put(rabbitmq_server.url, hints, "kept")
    rabbitmq_server.stop()
    with pytest.raises((OperationalError, ConnectionError)):
        put(rabbitmq_server.url, hints, "lost")
    rabbitmq_server.start()
    assert take(rabbitmq_server.url, hints) == "kept"


def test_emptied_it_runs_and_has_forgotten_everything(rabbitmq_server, hints):
    put(rabbitmq_server.url, hints, "forgotten")
    rabbitmq_server.forget_everything()
    assert rabbitmq_server.message_count() == 0
    put(rabbitmq_server.url, hints, "new")
    assert take(rabbitmq_server.url, hints) == "new"
