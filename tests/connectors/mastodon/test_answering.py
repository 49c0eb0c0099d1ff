"""A Mastodon server: a customer is heard and answered, in public and in private."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime

import pytest

from heard.connectorkit.errors import Unreachable
from heard.connectorkit.vocabulary import ActorKind, MessageKind, Ref, Source, Verb, Visibility
from heard.connectors.mastodon import CONNECTOR

from .company import answers_to

pytestmark = [pytest.mark.servers, pytest.mark.timeout(120)]


def test_the_account_is_recognised_with_its_servers_limits(company):
    assert company.who.handle.startswith("brand@")
    assert company.who.name == "Brand"
    answer = CONNECTOR.supports(Verb.POST, None, ActorKind.HUMAN, company.account, datetime.now(UTC))
    assert answer.constraints.text.maximum == 500
    assert answer.constraints.media.count == 4


def test_a_customer_asks_and_reads_our_answer(company, customer):
    said = customer.status_post("@brand my parcel is lost, see https://example.com/track/1")
    heard = company.heard(said.id)
    assert (heard.kind, heard.visibility) == (MessageKind.MENTION, Visibility.PUBLIC)
    assert heard.text == "@brand my parcel is lost, see https://example.com/track/1"
    assert heard.author.handle.startswith("customer@")
    sent = company.answer(heard)
    (answer,) = answers_to(customer, said.id)
    assert (answer.id, answer.visibility, answer.account.acct) == (sent.native_id, "public", "brand")
    assert "We are looking into it." in answer.content
    # The customer is told: without the mention nobody would be.
    assert sent.native_id in [note.status.id for note in customer.notifications(types=["mention"])]
    echo = company.heard(sent.native_id)
    assert echo.author.is_us
    assert echo.parent.native_id == said.id
    # And the answer to our answer is a comment on what we said.
    again = customer.status_post("@brand thank you", in_reply_to_id=sent.native_id)
    assert company.heard(again.id).kind is MessageKind.COMMENT


def test_the_stream_tells_at_once_what_polling_tells_later(company, customer):
    bodies, seen = [], threading.Event()
    problems = []

    def listen():
        try:
            for body in CONNECTOR.stream(company.link()):
                bodies.append(body)
                seen.set()
                if len([body for body in bodies if body]) == 2:
                    return
        except Unreachable as problem:
            problems.append(problem)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert seen.wait(10), "the line never showed life"
    said = customer.status_post("@brand are you there?")
    sent = company.answer(company.heard(said.id), "Yes.")
    listener.join(20)
    company.net.close()
    assert not listener.is_alive(), f"the stream told {len(bodies)} things only"
    assert not problems
    mention, echo = company.read([body for body in bodies if body], Source.STREAM)
    assert (mention.native_id, echo.native_id) == (said.id, sent.native_id)
    assert echo.author.is_us


def test_stream_and_poll_say_the_same_of_one_message(company, customer):
    said = customer.status_post("@brand the same?")
    polled = company.heard(said.id)
    (thread,) = CONNECTOR.context(company.link(), Ref(said.id))
    (seen,) = company.read([thread], Source.CONTEXT)
    assert dataclasses.replace(seen, raw=None) == dataclasses.replace(polled, raw=None)


def test_a_direct_message_is_answered_in_private(company, customer):
    said = customer.status_post("@brand my number is 4417", visibility="direct")
    heard = company.heard(said.id)
    assert (heard.kind, heard.visibility) == (MessageKind.DIRECT_MESSAGE, Visibility.PRIVATE)
    sent = company.answer(heard, "Thank you.")
    (answer,) = answers_to(customer, said.id)
    assert (answer.id, answer.visibility) == (sent.native_id, "direct")
    assert company.heard(sent.native_id).thread_key == heard.thread_key


def test_a_public_matter_moves_into_private(company, customer):
    said = customer.status_post("@brand you charged me twice")
    sent = company.answer(company.heard(said.id), "What is your number?", verb=Verb.DIRECT_MESSAGE)
    (answer,) = answers_to(customer, said.id)
    assert (answer.id, answer.visibility) == (sent.native_id, "direct")


def test_an_unlisted_question_gets_no_public_answer(company, customer):
    said = customer.status_post("@brand quietly", visibility="unlisted")
    company.answer(company.heard(said.id))
    (answer,) = answers_to(customer, said.id)
    assert answer.visibility == "unlisted"
