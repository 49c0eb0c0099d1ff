"""The webhook front: "200" is heard after the commit, by who signed, and by nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connections

from heard.config import hooks
from heard.config.asgi import Application
from heard.domains.channels import sql
from heard.domains.channels.models import Delivery
from heard.domains.conversations.models import Message
from heard.domains.organizations.queries import brands
from tests.cast import Cast, work
from tests.pushed import hear_by_push, said, signed

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
HANDLED = 40


@pytest.fixture
def token(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a Sandbox channel. The front's threads give their connections back."""
    monkeypatch.setattr(hooks, "close_old_connections", connections.close_all)
    brand_id = next(brand.id for brand in brands(cast.alice) if brand.is_default)
    return hear_by_push(cast.alice.organization_id, brand_id)


def push(token: str, *bodies: bytes, signature: str | None = None, method: str = "POST") -> list[int]:
    """What the network hears for each, pushed at the same moment."""
    application = Application()

    async def one(body: bytes) -> int:
        parts = [body[start : start + 100_000] for start in range(0, len(body), 100_000)] or [b""]
        heard: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            heard.append(message)

        headers = [(b"X-Sandbox-Signature", (signed(body) if signature is None else signature).encode())]
        scope = {"type": "http", "method": method, "path": f"/hooks/{token}", "headers": headers}
        scope["query_string"] = b""
        await application(scope, receive, send)
        status: int = heard[0]["status"]
        return status

    async def all_of_them() -> list[int]:
        return list(await asyncio.gather(*(one(body) for body in bodies)))

    return asyncio.run(all_of_them())


def kept() -> list[bytes]:
    return [bytes(body) for body in Delivery.objects.using(sql.alias()).values_list("body", flat=True)]


def test_what_is_pushed_is_kept_as_it_came_and_becomes_a_message_once(token) -> None:
    assert push(token, said(1), said(1)) == [200, 200]
    assert kept() == [said(1), said(1)]
    work()
    assert list(Message.objects.values_list("native_id", "text")) == [("p1", "Where is it?")]


def test_many_at_the_same_moment_are_all_kept(token) -> None:
    bodies = [said(number) for number in range(HANDLED)]
    assert push(token, *bodies) == [200] * HANDLED
    assert sorted(kept()) == sorted(bodies)


@pytest.mark.parametrize("signature", ["", "sha256=" + "0" * 64, signed(said(2)), "\u00e9"])
def test_a_forged_push_is_refused_and_not_kept(token, signature) -> None:
    assert push(token, said(1), signature=signature) == [403]
    assert kept() == []


def test_other_addresses_methods_and_endless_bodies_are_refused(token) -> None:
    assert push("nobody-has-this", said(1)) == [404]
    assert push(token, said(1), method="DELETE") == [405]
    assert push(token, b"x" * (hooks.LARGEST_BODY + 1)) == [413]
    assert kept() == []


@pytest.mark.parametrize("problem", [DatabaseError("disk full"), ValueError("a mistake of ours")])
def test_what_could_not_be_committed_is_not_acknowledged(token, monkeypatch, problem) -> None:
    def full(_arrived: object) -> None:
        raise problem

    monkeypatch.setattr(hooks.channels, "receive", full)
    assert push(token, said(1), said(2)) == [503, 503]
    monkeypatch.undo()
    assert kept() == []


def test_what_nobody_can_read_is_kept_all_the_same(token) -> None:
    assert push(token, b"\xff not json") == [200]
    work()
    assert list(Delivery.objects.using(sql.alias()).values_list("state", flat=True)) == ["unreadable"]
    assert kept() == [b"\xff not json"]
