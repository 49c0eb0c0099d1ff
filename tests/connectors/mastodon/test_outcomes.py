"""A Mastodon server: once and only once, time-outs, faults and refusals by name."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from heard.connectorkit.errors import CredentialsRefused, OutcomeUnknown, RateLimited, Rejected, Unreachable
from heard.connectorkit.vocabulary import NotFound, SendOrder, Sent, Verb
from heard.connectors.mastodon import CONNECTOR

from .company import answers_to

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]

STATUSES = {"methods": ["POST"], "path": "/api/v1/statuses"}


class Impatient:
    """The guarded net with less patience, so that a slow server is told from a dead test."""

    def __init__(self, net, seconds):
        self._net = net
        self._seconds = seconds

    def request(self, method, url, **more):
        more["timeout_seconds"] = self._seconds
        return self._net.request(method, url, **more)


def test_the_same_order_twice_is_one_answer(company, customer):
    said = customer.status_post("@brand once?")
    order = company.order(company.heard(said.id))
    first = CONNECTOR.send(company.link(), order)
    again = CONNECTOR.send(company.link(), dataclasses.replace(order, attempt=2))
    assert first.native_id == again.native_id
    assert len(answers_to(customer, said.id)) == 1


def test_a_lost_answer_is_found_by_looking(company, customer, mastodon_server):
    said = customer.status_post("@brand did it arrive?")
    order = company.order(company.heard(said.id), "It did.")
    assert CONNECTOR.look_up(company.link(), order) == NotFound()
    with pytest.raises(OutcomeUnknown):
        company.send_into_the_void(mastodon_server, order)
    (answer,) = answers_to(customer, said.id)
    found = CONNECTOR.look_up(company.link(), order)
    assert isinstance(found, Sent)
    assert found.native_id == answer.id


def test_a_server_that_takes_too_long_leaves_the_outcome_open(company, customer, mastodon_server):
    said = customer.status_post("@brand slowly")
    order = company.order(company.heard(said.id), "In a moment.")
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "latency", "delay_ms": 1500}})
    with pytest.raises(OutcomeUnknown):
        CONNECTOR.send(company.link(Impatient(company.net, 0.5)), order)
    # Whatever it became, a second try with the same key leaves exactly one answer.
    sent = CONNECTOR.send(company.link(), dataclasses.replace(order, attempt=2))
    assert [answer.id for answer in answers_to(customer, said.id)] == [sent.native_id]
    assert CONNECTOR.look_up(company.link(), order).native_id == sent.native_id


def test_a_post_is_found_by_looking(company, mastodon_server):
    order = SendOrder(uuid.uuid4().hex, Verb.POST, f"Line 4 runs again. {uuid.uuid4().hex}")
    order = dataclasses.replace(order, first_attempt_at=datetime.now(UTC))
    with pytest.raises(OutcomeUnknown):
        company.send_into_the_void(mastodon_server, order)
    found = CONNECTOR.look_up(company.link(), order)
    assert isinstance(found, Sent)
    other = dataclasses.replace(order, text="Something else.")
    assert CONNECTOR.look_up(company.link(), other) == NotFound()


def test_a_broken_answer_to_a_write_leaves_the_outcome_open(company, customer, mastodon_server):
    said = customer.status_post("@brand garbled")
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "malformed"}})
    with pytest.raises(OutcomeUnknown):
        company.answer(company.heard(said.id))


@pytest.mark.parametrize(
    ("status", "error"), [(500, OutcomeUnknown), (502, OutcomeUnknown), (503, Unreachable)]
)
def test_a_server_with_a_fault(company, customer, mastodon_server, status, error):
    said = customer.status_post("@brand broken?")
    heard = company.heard(said.id)
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "status", "status": status}})
    with pytest.raises(error):
        company.answer(heard)
    company.answer(heard)  # and the fault was the only reason
    assert len(answers_to(customer, said.id)) == 1


def test_the_network_asks_us_to_wait(company, customer, mastodon_server):
    said = customer.status_post("@brand too fast")
    heard = company.heard(said.id)
    mastodon_server.fault({"match": STATUSES, "effect": {"type": "ratelimit"}})
    with pytest.raises(RateLimited) as caught:
        company.answer(heard)
    assert caught.value.retry_after_seconds == 300
    mastodon_server.fault(
        {
            "match": {"path": "/api/v1/notifications"},
            "effect": {"type": "ratelimit", "headers": {"Retry-After": "7"}},
        }
    )
    with pytest.raises(RateLimited) as caught:
        company.catch_up()
    assert caught.value.retry_after_seconds == 7


def test_a_token_that_is_not_taken(company):
    account = dataclasses.replace(company.account, secrets={"access_token": "nope"})
    for ask in (CONNECTOR.identify, lambda link: CONNECTOR.fetch(link, None)):
        with pytest.raises(CredentialsRefused):
            ask(company.link(account=account))
    with pytest.raises(CredentialsRefused):
        next(CONNECTOR.stream(company.link(account=account)))


def test_too_long_a_text_is_refused_with_the_servers_words(company, customer):
    said = customer.status_post("@brand tell me everything")
    with pytest.raises(Rejected, match="500"):
        company.answer(company.heard(said.id), "x" * 600)
    assert not answers_to(customer, said.id)
