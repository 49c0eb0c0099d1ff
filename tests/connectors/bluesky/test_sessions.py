"""Bluesky's own servers: signing in, staying signed in, and coming back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from heard.connectorkit.errors import CredentialsRefused, RateLimited
from heard.connectorkit.testing import FakeVault
from heard.connectorkit.vocabulary import Account
from heard.connectors.bluesky import CONNECTOR
from heard.connectors.bluesky.session import ACCESS, REFRESH

from .company import Company

pytestmark = [
    pytest.mark.timeout(300),  # of which the first test spends some on starting the servers
    # The official client hands httpx the bytes of a picture in a way that httpx is giving up.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]


def test_wrong_credentials_are_refused_in_plain_words(bluesky_server, company):
    for change in ({"app_password": "wrong"}, {"app_password": ""}):
        account = Account("", "", settings=company.settings, secrets=company.secrets | change)
        with pytest.raises(CredentialsRefused, match="app password"):
            CONNECTOR.identify(company.link(account, FakeVault()))
    stranger = Account("", "", settings=company.settings | {"handle": "nobody.test"}, secrets=company.secrets)
    with pytest.raises(CredentialsRefused, match="app password"):
        CONNECTOR.identify(company.link(stranger, FakeVault()))


def test_too_many_sign_ins_say_how_long_to_wait(company):
    settings = company.settings | {"handle": "nobody-at-all.test"}
    wrong = Account("", "", settings=settings, secrets={"app_password": "wrong"})

    def outcome(_):
        try:
            CONNECTOR.identify(company.link(wrong, FakeVault()))
        except (CredentialsRefused, RateLimited) as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        limited = next((e for e in pool.map(outcome, range(40)) if isinstance(e, RateLimited)), None)
    assert limited is not None
    assert 1 <= limited.retry_after_seconds <= 300


def refreshes(company: Company) -> int:
    return sum(path.endswith("refreshSession") for path in company.asked)


def test_a_spent_access_token_is_refreshed_and_the_new_pair_is_kept_before_use(company):
    class Stopped(Exception):
        pass

    class DyingVault(FakeVault):
        def keep(self, secrets):
            super().keep(secrets)
            raise Stopped

    spent = dict(company.who.secrets) | {ACCESS: "spent"}
    dying = DyingVault(spent)
    company.asked.clear()
    with pytest.raises(Stopped):
        CONNECTOR.fetch(company.link(vault=dying), None)
    # One refused look and one refresh; nothing was asked with the new token before it was kept.
    assert [path.rpartition(".")[2] for path in company.asked] == ["listNotifications", "refreshSession"]
    kept = dying.current()
    assert kept[ACCESS] != "spent"
    assert kept[REFRESH] != company.who.secrets[REFRESH]
    assert kept["app_password"] == company.secrets["app_password"]
    # Whoever comes after the crash goes on from there.
    after = FakeVault(kept)
    CONNECTOR.fetch(company.link(vault=after), None)
    assert after.kept == []


def test_two_at_once_refresh_once(company):
    vault = FakeVault(dict(company.who.secrets) | {ACCESS: "spent"})
    company.asked.clear()
    start = threading.Barrier(4)

    def look():
        start.wait(10)
        return CONNECTOR.fetch(company.link(vault=vault), None)

    with ThreadPoolExecutor(4) as pool:
        for looked in [pool.submit(look) for _ in range(4)]:
            assert looked.result(30).cursor
    assert refreshes(company) == 1
    assert len(vault.kept) == 1


def test_a_lost_session_is_replaced_by_a_new_sign_in(company):
    vault = FakeVault(company.secrets | {ACCESS: "spent", REFRESH: "spent as well"})
    CONNECTOR.fetch(company.link(vault=vault), None)
    assert vault.current()[REFRESH] not in {"spent as well", ""}
    withdrawn = FakeVault({ACCESS: "spent", REFRESH: "spent as well", "app_password": "withdrawn"})
    with pytest.raises(CredentialsRefused):
        CONNECTOR.fetch(company.link(vault=withdrawn), None)
