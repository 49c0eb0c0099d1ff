"""What connector tests stand on: a cast, builders, a net that replays and a net that fails."""

from __future__ import annotations

import base64
import json as json_module
import socket as sockets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .errors import OutcomeUnknown, Unreachable
from .manifest import FieldKind, Manifest
from .protocol import Link
from .vocabulary import Account, Author, MessageKind, SendOrder, Target, Verb, Visibility

#: The time in every test that does not say otherwise.
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
#: Stands in a fixture's expected request for "anything, but it must be there".
ANY = "<any>"

OUR_ID = "1000"
ANNA = Author(native_id="2001", handle="anna", name="Anna Berg")
BILAL = Author(native_id="2002", handle="bilal", name="Bilal Haddad")
US = Author(native_id=OUR_ID, handle="nordwind", name="Nordwind", is_us=True)


def account_for(manifest: Manifest, **changes: Any) -> Account:
    """A connected account with a plausible value in every field of the manifest.

    Secrets are recognisable words, so that a test can look for them where they must not be.
    """
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for item in manifest.fields:
        if item.kind is FieldKind.SECRET:
            secrets[item.name] = f"hush-{item.name}-7f3a"
        else:
            settings[item.name] = item.default or _sample(item.kind, [value for value, _ in item.choices])
    account = Account(
        native_id=OUR_ID, handle="nordwind", name="Nordwind", settings=settings, secrets=secrets
    )
    return replace(account, **changes)


def _sample(kind: FieldKind, choices: Sequence[str]) -> Any:
    samples: dict[FieldKind, Any] = {
        FieldKind.TEXT: "nordwind",
        FieldKind.URL: "https://social.example",
        FieldKind.EMAIL: "care@nordwind.example",
        FieldKind.NUMBER: 443,
        FieldKind.BOOL: False,
        FieldKind.CHOICE: choices[0] if choices else "",
    }
    return samples[kind]


def target(**changes: Any) -> Target:
    """Anna's public mention of us, unless changed."""
    usual = Target(
        native_id="3001",
        kind=MessageKind.MENTION,
        visibility=Visibility.PUBLIC,
        author=ANNA,
        sent_at=NOW,
        last_inbound_at=NOW,
        mentions_us=True,
    )
    return replace(usual, **changes)


def order(**changes: Any) -> SendOrder:
    """A reply to Anna, unless changed."""
    usual = SendOrder(
        key="key-1",
        verb=Verb.REPLY,
        text="We are looking into it.",
        visibility=Visibility.PUBLIC,
        target=target(),
        first_attempt_at=NOW,
    )
    return replace(usual, **changes)


def link(account: Account, net: Any, vault: Any = None, now: datetime = NOW) -> Link:
    """An open line for ``account``."""
    return Link(account=account, net=net, vault=vault or FakeVault(account.secrets), now=now)


class FakeVault:
    """Keeps secrets in memory and remembers every ``keep``; its lock refuses to be taken twice."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = dict(secrets or {})
        self._lock = threading.Lock()
        self.kept: list[dict[str, str]] = []

    def keep(self, secrets: Mapping[str, str]) -> None:
        """Store, and remember that it was asked."""
        self.kept.append(dict(secrets))
        self._secrets = dict(secrets)

    def current(self) -> Mapping[str, str]:
        """What was kept last."""
        return dict(self._secrets)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One holder at a time; a second take by the same test would wait for ever, so it fails."""
        assert self._lock.acquire(timeout=5), "the vault's lock was taken twice"
        try:
            yield
        finally:
            self._lock.release()


class Headers(dict[str, str]):
    """Header names in lower case, as every ``Net`` gives them."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        super().__init__({name.lower(): value for name, value in (given or {}).items()})

    def get(self, name: str, default: Any = None) -> Any:
        """By name in any case."""
        return super().get(name.lower(), default)


@dataclass
class FakeResponse:
    """A response as ``Net`` gives it."""

    status_code: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=Headers)

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; raises ``ValueError``."""
        return json_module.loads(self.content)


@dataclass
class FakeServerEvent:
    """One server-sent event."""

    event: str = "message"
    data: str = ""
    id: str = ""


class UnexpectedRequest(AssertionError):
    """The connector asked for something that the recorded exchange does not hold."""


@dataclass(frozen=True)
class Request:
    """What a connector asked for."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Any = None
    data: Any = None
    content: bytes | None = None
    files: tuple[str, ...] = ()
    writes: bool = False


class RecordedNet:
    """Replays an exchange: a list of ``{"request": {...}, "response": {...}}``, strictly in order.

    A request names ``method`` and ``url`` (with its query), and may name ``headers`` (a subset),
    ``json``, ``data``, ``text`` and ``files`` (the names of the parts). A response has ``status``,
    ``headers`` and one of ``json``, ``text``, ``base64``, ``events``; or ``lost``: ``before`` or
    ``after`` it was carried out. Anything else that is asked fails the test.
    """

    def __init__(self, exchange: Sequence[Mapping[str, Any]] = ()) -> None:
        self._left = list(exchange)
        self.requests: list[Request] = []

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        content: bytes | None = None,
        timeout_seconds: float = 20.0,  # noqa: ARG002 - part of the Net protocol
        maximum_bytes: int = 10_000_000,
        writes: bool = False,
    ) -> FakeResponse:
        """Answer from the record; raises ``UnexpectedRequest``."""
        address = full_url(url, params)
        parts = _parts(files)
        asked = Request(method.upper(), address, Headers(headers), json, data, content, parts, writes)
        answer = self._next(asked)
        if "lost" in answer:
            lost_after = answer["lost"] == "after" and writes
            sentence = "The answer never came."
            raise OutcomeUnknown(sentence) if lost_after else Unreachable(sentence)
        response = _response(answer)
        if len(response.content) > maximum_bytes:
            raise Unreachable("The answer is larger than allowed.")
        return response

    def events(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        idle_seconds: float = 90.0,  # noqa: ARG002 - part of the Net protocol
    ) -> AbstractContextManager[Iterator[FakeServerEvent]]:
        """The recorded ``events`` of a GET, then the line falls silent (``Unreachable``)."""
        answer = self._next(Request("GET", full_url(url, params), Headers(headers)))
        return self._stream(answer.get("events", []))

    @contextmanager
    def _stream(self, events: Sequence[Mapping[str, str]]) -> Iterator[Iterator[FakeServerEvent]]:
        def lines() -> Iterator[FakeServerEvent]:
            for event in events:
                yield FakeServerEvent(**event)
            raise Unreachable("The stream fell silent.")

        yield lines()

    def socket(self, host: str, port: int, *, tls: bool, timeout_seconds: float = 20.0) -> sockets.socket:  # noqa: ARG002
        """No sockets in a recorded exchange."""
        raise UnexpectedRequest(f"a socket to {host}:{port} was opened")

    def start_tls(self, plain: sockets.socket, host: str) -> sockets.socket:
        """No sockets in a recorded exchange."""
        raise UnexpectedRequest(f"TLS to {host} was started on {plain}")

    def finished(self) -> None:
        """Fail when the exchange holds more than was asked for."""
        assert not self._left, f"never asked for: {self._left[0].get('request')}"

    def _next(self, asked: Request) -> Mapping[str, Any]:
        self.requests.append(asked)
        if not self._left:
            raise UnexpectedRequest(f"nothing more was expected, but {asked.method} {asked.url} came")
        step = self._left.pop(0)
        differences = list(_differences(step["request"], asked))
        if differences:
            raise UnexpectedRequest("; ".join(differences))
        answer: Mapping[str, Any] = step["response"]
        return answer


class SameAnswerNet(RecordedNet):
    """Answers every request alike: how a server behaves that is down, angry or something else."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__()
        self._answer = answer

    def socket(self, host: str, port: int, *, tls: bool, timeout_seconds: float = 20.0) -> sockets.socket:  # noqa: ARG002
        """Nobody listens."""
        raise Unreachable(f"{host} could not be reached.")

    def _next(self, asked: Request) -> Mapping[str, Any]:
        self.requests.append(asked)
        return self._answer


def full_url(url: str, params: Mapping[str, Any] | None) -> str:
    """``url`` with ``params`` in its query, the query sorted so that two spellings compare equal."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    for name, value in (params or {}).items():
        if value is None:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        query += [(name, str(item).lower() if isinstance(item, bool) else str(item)) for item in values]
    return urlunsplit(parts._replace(query=urlencode(sorted(query))))


def same(expected: Any, actual: Any) -> bool:
    """Equal, where ``ANY`` in ``expected`` stands for whatever is there."""
    if expected == ANY:
        return actual not in (None, "")
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return set(expected) == set(actual) and all(same(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    return bool(expected == actual)


def read_json(path: Path, default: Any = None) -> Any:
    """The JSON in a file, or ``default`` where there is none."""
    if default is not None and not path.exists():
        return default
    return json_module.loads(path.read_text(encoding="utf-8"))


def _differences(expected: Mapping[str, Any], asked: Request) -> Iterator[str]:
    if expected["method"].upper() != asked.method or full_url(expected["url"], None) != asked.url:
        yield f"expected {expected['method']} {expected['url']}, got {asked.method} {asked.url}"
    for name, value in expected.get("headers", {}).items():
        if not same(value, asked.headers.get(name)):
            yield f"header {name} differs"
    for part, given in (("json", asked.json), ("data", asked.data), ("files", list(asked.files))):
        if part in expected and not same(expected[part], given):
            yield f"{part} differs: expected {expected[part]!r}, got {given!r}"
    if "text" in expected and expected["text"].encode() != (asked.content or b""):
        yield f"body differs: expected {expected['text']!r}, got {asked.content!r}"


def _parts(files: Any) -> tuple[str, ...]:
    if not files:
        return ()
    return tuple(files) if isinstance(files, Mapping) else tuple(name for name, _ in files)


def _response(answer: Mapping[str, Any]) -> FakeResponse:
    headers = Headers(answer.get("headers"))
    if "json" in answer:
        headers.setdefault("content-type", "application/json")
        body = json_module.dumps(answer["json"]).encode()
    elif "base64" in answer:
        body = base64.b64decode(answer["base64"])
    else:
        body = str(answer.get("text", "")).encode()
    return FakeResponse(status_code=int(answer.get("status", 200)), content=body, headers=headers)
