"""XOAUTH2: tokens are fetched, kept, renewed and refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from heard.connectorkit.errors import CredentialsRefused, RateLimited, Unreachable
from heard.connectorkit.testing import NOW, FakeVault
from tests.servers.smtp import TOKEN

from .played import LoopbackNet, line, write

TOKEN_URL = "https://login.example/token"


GRANT = {"access_token": TOKEN, "expires_in": 3599, "refresh_token": "next"}


def oauth(grants=(), *, post, store, secrets=None, vault=None):
    """A link whose token service gives ``grants`` in turn (a status, or the JSON of a success)."""
    exchange = [
        {
            "request": {"method": "POST", "url": TOKEN_URL},
            "response": {"status": grant, "json": {"error": "invalid_grant"}}
            if isinstance(grant, int)
            else {"json": grant},
        }
        for grant in grants
    ]
    settings = {"auth": "xoauth2", "token_url": TOKEN_URL, "client_id": "heard", "scope": "mail"}
    given = {"refresh_token": "first", "client_secret": "hush", **(secrets or {})}
    opened = line(post, store, settings=settings, secrets=given, net=LoopbackNet(exchange))
    return replace(opened, vault=vault or FakeVault(given))


def test_a_token_is_fetched_once_kept_before_use_and_used_for_both_halves(post, store, quick):
    opened = oauth([GRANT], post=post, store=store)
    known = quick.identify(opened)
    (request,) = opened.net.requests
    assert request.data == {
        "grant_type": "refresh_token", "refresh_token": "first", "scope": "mail",
        "client_id": "heard", "client_secret": "hush",
    }  # fmt: skip
    (kept,) = opened.vault.kept
    assert (kept["access_token"], kept["refresh_token"]) == (TOKEN, "next")
    assert known.secrets["refresh_token"] == "next"
    assert known.secrets["client_secret"] == "hush"
    assert post.office.sign_ins == ["XOAUTH2"]
    # The next call has a token that lives, and asks nobody.
    quick.send(opened, write())
    assert len(opened.net.requests) == 1


def test_a_token_near_its_end_is_renewed_and_a_fresh_one_is_not(post, store, quick):
    for lives, renewed in ((timedelta(seconds=60), 1), (timedelta(minutes=30), 0)):
        ends_at = (NOW + lives).isoformat()
        secrets = {"access_token": TOKEN, "access_token_ends_at": ends_at}
        opened = oauth([GRANT], post=post, store=store, secrets=secrets)
        quick.fetch(opened, None)
        assert len(opened.net.requests) == renewed


def test_a_token_refused_before_its_time_is_renewed_once(post, store, quick):
    stale = {"access_token": "revoked", "access_token_ends_at": (NOW + timedelta(hours=1)).isoformat()}
    opened = oauth([GRANT], post=post, store=store, secrets=stale)
    quick.fetch(opened, None)
    opened.net.finished()
    opened = oauth([{**GRANT, "access_token": "bad too"}], post=post, store=store, secrets=stale)
    with pytest.raises(CredentialsRefused, match="token expired"):
        quick.fetch(opened, None)
    opened = oauth([GRANT], post=post, store=store, secrets=stale)
    quick.send(opened, write())
    assert len(post.posted) == 1


def test_a_token_that_another_process_renewed_meanwhile_is_taken(post, store, quick):
    class OtherProcess(FakeVault):
        @contextlib.contextmanager
        def lock(self):
            ends_at = (NOW + timedelta(hours=1)).isoformat()
            self.keep({**self.current(), "access_token": TOKEN, "access_token_ends_at": ends_at})
            yield

    opened = oauth(post=post, store=store, vault=OtherProcess({"refresh_token": "first"}))
    quick.fetch(opened, None)
    assert opened.net.requests == []


@pytest.mark.parametrize(
    ("grant", "error"),
    [
        (400, CredentialsRefused),
        (401, CredentialsRefused),
        (429, RateLimited),
        (503, Unreachable),
        ({}, Unreachable),
        ([], Unreachable),
    ],
)
def test_a_token_service_that_does_not_give_is_named(post, store, quick, grant, error):
    with pytest.raises(error) as refused:
        quick.fetch(oauth([grant], post=post, store=store), None)
    assert "first" not in refused.value.message
    assert "hush" not in refused.value.message
