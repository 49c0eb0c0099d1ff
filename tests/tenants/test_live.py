"""The live line of an open page: whose it is, and that it ends with the right to it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from heard.config import asgi, live
from heard.domains.channels.actions import change_access
from heard.domains.journal import actions as journal
from heard.domains.organizations import actions as organizations
from heard.domains.organizations.queries import company
from heard.foundation.tenancy import Actor, Role
from tests.cast import Cast, Line

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What takes seconds in earnest; and the thread that watches the record ends with the test."""
    monkeypatch.setattr(asgi, "ASK_AGAIN_SECONDS", 0.3)
    monkeypatch.setattr(live, "GATHER_SECONDS", 0.02)
    to_thread = asyncio.to_thread

    async def to_thread_and_hang_up(run: Callable[..., object], *given: object) -> object:
        def hung_up() -> object:
            try:
                return run(*given)
            finally:
                connections.close_all()  # the threads of a test end without a word

        return await to_thread(hung_up)

    monkeypatch.setattr(asyncio, "to_thread", to_thread_and_hang_up)
    yield
    while live._tail:
        watching = live._tail.pop()
        watching.stopping.set()
        watching.join(timeout=10)


def session(cast: Cast, actor: Actor) -> str:
    """The session of this person's browser."""
    return cast.browser(actor).cookies[settings.SESSION_COOKIE_NAME].value


def listen(
    cookies: Iterable[str],
    *,
    until: Callable[[list[bytes]], bool],
    meanwhile: Callable[[], object] = lambda: None,
    query: bytes = b"",
    seconds: float = 20.0,
) -> tuple[int, list[bytes]]:
    """(status, what was told) of ``/events``, until enough was; ``meanwhile`` runs again and again."""
    status, told = [0], list[bytes]()
    headers = [(b"cookie", cookie.encode("latin-1")) for cookie in cookies]
    scope = {"type": "http", "method": "GET", "path": "/events", "headers": headers, "query_string": query}

    async def run() -> None:
        left = asyncio.Event()
        ended = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                return
            told.append(message["body"])
            if not message.get("more_body"):
                ended.set()

        async def happen() -> None:
            while not until(told) and not ended.is_set():
                await asyncio.to_thread(meanwhile)
                await asyncio.sleep(0.05)
            left.set()

        await asyncio.wait_for(asyncio.gather(asgi._events(scope, receive, send), happen()), timeout=seconds)

    asyncio.run(run())
    return status[0], told


def heard(told: list[bytes]) -> bool:
    """Some change was told."""
    return any(b"event: changed" in line for line in told)


def ended(told: list[bytes]) -> bool:
    """The line was ended by the server."""
    return any(b"event: bye" in line for line in told)


def happens(actor: Actor) -> Callable[[], None]:
    """Something happens in a company, and is sealed."""
    count = iter(range(10_000))

    def happen() -> None:
        organizations.add_brand(actor, f"Brand {next(count)}")
        journal.seal_all(actor.organization_id)

    return happen


def test_without_a_session_nothing_is_told(cast: Cast) -> None:
    assert listen([], until=bool) == (401, [b"Sign in first.\n"])


@pytest.mark.parametrize(
    "cookies",
    [
        lambda key: [f"heard_session={key}"],
        lambda key: [f'consent={{"a": 1, "b": [2]}}; heard_session={key}'],
        lambda key: [f'odd name=\xff; =nothing; heard_session={key}; more="quoted"'],
        lambda key: ["theme=dark", f"heard_session={key}"],
    ],
)
def test_other_cookies_of_the_host_do_not_matter(cast: Cast, cookies) -> None:
    key = session(cast, cast.alice)
    assert listen(cookies(key), until=heard, meanwhile=happens(cast.alice))[0] == 200


@pytest.mark.parametrize("query", [b"position=0", b"position=" + b"9" * 5000, b"position=%C2%B2", b"&&=&"])
def test_whatever_the_address_says_the_line_opens(cast: Cast, query: bytes) -> None:
    cookies = [f"heard_session={session(cast, cast.alice)}"]
    assert listen(cookies, until=heard, meanwhile=happens(cast.alice), query=query)[0] == 200


def test_a_strangers_company_is_not_heard(cast: Cast) -> None:
    happen, passed = happens(cast.alice), []

    def meanwhile() -> None:
        happen()
        passed.append(1)

    cookies = [f"heard_session={session(cast, cast.charlie)}"]
    _, told = listen(cookies, until=lambda _: len(passed) > 10, meanwhile=meanwhile)
    assert not heard(told)


@pytest.mark.parametrize("access", ["", "none"])
def test_a_case_is_named_only_to_who_may_see_it(cast: Cast, line: Line, access: str) -> None:
    change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access=access)
    count = iter(range(10_000))
    cases = set[int]()

    def somebody_writes() -> None:
        if len(cases) < 3:
            cases.add(line.case(next(count), f"person{len(cases)}"))
        else:
            organizations.add_brand(cast.alice, f"Brand {next(count)}")  # everybody hears of that
            journal.seal_all(cast.alice.organization_id)

    def enough(told: list[bytes]) -> bool:
        return any(b"organizations" in chunk for chunk in told)

    cookies = [f"heard_session={session(cast, cast.bob)}"]
    _, told = listen(cookies, until=enough, meanwhile=somebody_writes)
    named = {number for chunk in told for number in ids_in(chunk)}
    assert named == (set() if access else cases)


def ids_in(chunk: bytes) -> list[int]:
    """The cases that a piece of the line names."""
    found = re.search(rb"data: (.*)", chunk)
    return list(json.loads(found[1]).get("cases", ())) if found else []


def test_who_is_removed_from_a_busy_company_is_told_no_more(cast: Cast) -> None:
    cookies = [f"heard_session={session(cast, cast.bob)}"]
    happen = happens(cast.alice)

    def meanwhile() -> None:
        happen()
        if organizations_of_bob():
            organizations.remove_member(cast.alice, cast.bob.member_id or 0)

    def organizations_of_bob() -> bool:
        from heard.domains.organizations.queries import members

        return any(line.id == cast.bob.member_id for line in members(cast.alice))

    _, told = listen(cookies, until=ended, meanwhile=meanwhile)
    assert ended(told)


def test_who_stays_hears_on(cast: Cast) -> None:
    cookies = [f"heard_session={session(cast, cast.bob)}"]
    happen, passed = happens(cast.alice), []

    def meanwhile() -> None:
        happen()
        passed.append(1)

    _, told = listen(cookies, until=lambda _: len(passed) > 25, meanwhile=meanwhile)
    assert heard(told)
    assert not ended(told)


def test_who_is_removed_here_and_works_elsewhere_hears_nothing_more_of_here(cast: Cast) -> None:
    organizations.add_member(cast.charlie, "Bob Baker", "bob@northbridge.example", Role.AGENT)
    browser = cast.browser(cast.bob)
    browser.get("/inbox/")
    assert company(cast.bob).name == "Northbridge"
    cookies = [f"heard_session={browser.cookies[settings.SESSION_COOKIE_NAME].value}"]
    happen, removed = happens(cast.alice), []

    def meanwhile() -> None:
        happen()
        if not removed:
            organizations.remove_member(cast.alice, cast.bob.member_id or 0)
            removed.append(1)

    _, told = listen(cookies, until=ended, meanwhile=meanwhile)
    assert ended(told)
