"""What can be asked and what becomes of it: capabilities, recorded exchanges, hostile servers."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from heard.connectorkit import protocol
from heard.connectorkit.errors import ConnectorError, OutcomeUnknown, RateLimited, Unreachable, Unsupported
from heard.connectorkit.plain import to_plain
from heard.connectorkit.quality import is_sentence
from heard.connectorkit.testing import ANNA, NOW, RecordedNet, SameAnswerNet, link, order, read_json, target
from heard.connectorkit.vocabulary import ActorKind, MessageKind, No, Sent, Target, Verb, Visibility, Yes

from .cases import FixtureCases

#: How a server answers that is not itself today.
HOSTILE_ANSWERS: Sequence[Mapping[str, Any]] = (
    {"status": 401, "json": {"error": "The access token is invalid"}},
    {"status": 403, "json": {"error": "This action is not allowed"}},
    {"status": 404, "text": "nothing here"},
    {"status": 429, "headers": {"Retry-After": "30"}, "text": "slow down"},
    {"status": 302, "headers": {"Location": "http://10.0.0.1/"}},
    {"status": 500, "text": "<html>fault</html>"},
    {"status": 502, "text": ""},
    {"status": 503, "text": ""},
    {"status": 200, "text": "<html><title>Welcome</title></html>", "headers": {"Content-Type": "text/html"}},
    {"status": 200, "text": ""},
    {"status": 200, "json": None},
    {"status": 200, "json": []},
    {"status": 200, "json": {}},
    {"status": 200, "json": "text"},
    {"status": 200, "json": [1, None, "x", {"id": None}]},
    {"status": 200, "text": '{"id": NaN}'},
    {"status": 200, "text": "[" * 100_000},
    {"lost": "before"},
    {"lost": "after"},
)


SAYING = (Verb.POST, Verb.REPLY, Verb.DIRECT_MESSAGE)


class SendingTests(FixtureCases):
    """``supports`` and ``send`` agree, and every failure has a name."""

    def test_supports_answers_everything(self) -> None:
        for verb, about, actor in self._questions():
            answer = self.connector.supports(verb, about, actor, self.account, NOW)
            again = self.connector.supports(verb, about, actor, self.account, NOW)
            assert answer == again, "supports is not pure"
            if isinstance(answer, No):
                assert is_sentence(answer.reason), f"{verb}: “{answer.reason}” is no sentence"
                continue
            assert isinstance(answer, Yes)
            text = answer.constraints.text
            assert text is None or text.maximum > 0
            assert all(is_sentence(warning) for warning in answer.constraints.warnings)

    def test_what_is_not_supported_never_reaches_the_network(self) -> None:
        asked = set()
        for verb, about, actor in self._questions():
            answer = self.connector.supports(verb, about, actor, self.account, NOW)
            if actor is not ActorKind.HUMAN or not isinstance(answer, No):
                continue
            net = RecordedNet()
            wanted = order(verb=verb, target=about, recipient=ANNA, visibility=None)
            with pytest.raises(Unsupported):
                self.connector.send(link(self.account, net), wanted)
            assert not net.requests
            asked.add(verb)
        assert asked, "a network that can do everything to everything has not been thought about"

    @staticmethod
    def _questions() -> Iterator[tuple[Verb, Target | None, ActorKind]]:
        abouts: list[Target | None] = [None]
        seen_at = (NOW, NOW - timedelta(days=400), None)
        abouts += [
            target(kind=kind, visibility=visibility, mentions_us=mentions, last_inbound_at=seen)
            for kind, visibility, mentions, seen in itertools.product(
                MessageKind, Visibility, (True, False), seen_at
            )
        ]
        yield from itertools.product(Verb, abouts, ActorKind)

    def test_sent(self, sent_case: Path) -> None:
        """Each kept order makes exactly the recorded requests and ends where it is written."""
        net = RecordedNet(read_json(sent_case / "exchange.json"))
        opened = link(self._account_of(sent_case), net, now=self._now_of(sent_case))
        sent = self.connector.send(opened, self._order(sent_case))
        net.finished()
        said = any(request.writes for request in net.requests)
        assert said or not net.requests, "a lost answer to a send would be taken for a send that never was"
        assert isinstance(sent, Sent)
        assert to_plain(sent) == read_json(sent_case / "expected.json")

    def test_whether_a_key_is_taken_is_answered_for_everything(self) -> None:
        """Purely, and never more widely than the manifest says."""
        for verb, about, actor in self._questions():
            if actor is not ActorKind.HUMAN:
                continue
            if isinstance(self.connector.supports(verb, about, actor, self.account, NOW), No):
                continue
            asked = order(verb=verb, target=about, recipient=ANNA, visibility=None)
            found = protocol.may_repeat(self.connector, self.account, asked)
            assert found in (True, False)
            assert found == protocol.may_repeat(self.connector, self.account, asked), "not pure"
            assert not found or self.connector.manifest.takes_key

    def test_a_key_that_is_relied_on_is_handed_over(self, sent_case: Path) -> None:
        """Words that may be sent again travel under the order's key: another key is another request."""
        wanted = self._order(sent_case)
        account = self._account_of(sent_case)
        if wanted.verb not in SAYING or not protocol.may_repeat(self.connector, account, wanted):
            return
        seen = []
        for key in (wanted.key, f"{wanted.key}-of-another-order"):
            net = RecordedNet(read_json(sent_case / "exchange.json"))
            with contextlib.suppress(AssertionError, ConnectorError):
                opened = link(account, net, now=self._now_of(sent_case))
                self.connector.send(opened, dataclasses.replace(wanted, key=key))
            seen.append([request for request in net.requests if request.writes])
        assert seen[0], "nothing was sent under a key"
        assert repr(seen[0]) != repr(seen[1]), "the key is relied on and does not reach the network"

    def test_refused(self, refused_case: Path) -> None:
        """Each kept refusal becomes the error that is written beside it."""
        account = self._account_of(refused_case)
        net = RecordedNet(read_json(refused_case / "exchange.json"))
        expected = read_json(refused_case / "expected.json")
        with pytest.raises(ConnectorError) as caught:
            self.connector.send(link(account, net, now=self._now_of(refused_case)), self._order(refused_case))
        net.finished()
        assert type(caught.value).__name__ == expected["error"]
        if "retry_after_seconds" in expected:
            assert isinstance(caught.value, RateLimited)
            assert caught.value.retry_after_seconds == expected["retry_after_seconds"]
        if "message" in expected:
            assert expected["message"] in caught.value.message
        self._keeps_secrets(account, caught.value)

    @pytest.mark.parametrize("number", range(len(HOSTILE_ANSWERS)))
    def test_a_server_that_is_not_itself(self, number: int) -> None:
        """Down, angry, lost or something else: a named error with a sentence, and no secrets."""
        account = self.account
        answer = HOSTILE_ANSWERS[number]
        calls: list[Any] = [
            self.connector.identify,
            lambda opened: self.connector.fetch(opened, None),
        ]
        calls += [
            lambda opened, case=case: self.connector.send(opened, self._order(case))
            for case in self._cases("sent")
        ]
        if isinstance(self.connector, protocol.LooksUp):
            calls.append(lambda opened: self.connector.look_up(opened, order()))
        for call in calls:
            net = SameAnswerNet(answer)
            error = _error_of(call, link(account, net))
            if error is not None:
                assert is_sentence(error.message), f"“{error.message}” is no sentence"
                self._keeps_secrets(account, error)
                self._names_what_to_do(answer, net, error)

    @staticmethod
    def _names_what_to_do(answer: Mapping[str, Any], net: SameAnswerNet, error: ConnectorError) -> None:
        if not net.requests:
            return
        if answer.get("status") == 429:
            assert isinstance(error, RateLimited)
            assert error.retry_after_seconds == 30
        if answer.get("lost") == "after" and net.requests[-1].writes:
            assert isinstance(error, OutcomeUnknown)
        if answer.get("status") in (302, 503):
            assert isinstance(error, Unreachable)


def _error_of(call: Any, opened: Any) -> ConnectorError | None:
    """The named error in which a call ends, if it does; any other exception fails the test."""
    try:
        call(opened)
    except ConnectorError as error:
        return error
    return None
