"""mastodon_mock does what our tests rely on, asked through Mastodon's own Python client."""

from __future__ import annotations

import mastodon
import pytest


@pytest.fixture
def customer(mastodon_server):
    return mastodon.Mastodon(
        access_token=mastodon_server.customer_token,
        api_base_url=mastodon_server.url,
        ratelimit_method="throw",
    )


@pytest.fixture
def brand(mastodon_server):
    return mastodon.Mastodon(
        access_token=mastodon_server.brand_token, api_base_url=mastodon_server.url, ratelimit_method="throw"
    )


def test_a_customer_mentions_the_brand_and_the_brand_hears_it(customer, brand):
    said = customer.status_post("@brand my parcel is lost")
    heard = brand.notifications(types=["mention"])
    assert [(note.type, note.status.id, note.account.acct) for note in heard] == [
        ("mention", said.id, "customer")
    ]


def test_the_same_key_posts_once(brand):
    first = brand.status_post("We are looking into it.", idempotency_key="once")
    again = brand.status_post("We are looking into it.", idempotency_key="once")
    assert first.id == again.id


def test_a_fault_strikes_once_and_the_next_request_passes(mastodon_server, brand):
    mastodon_server.fault(
        {
            "match": {"methods": ["POST"], "path": "/api/v1/statuses"},
            "effect": {"type": "status", "status": 503},
        }
    )
    with pytest.raises(mastodon.MastodonServiceUnavailableError):
        brand.status_post("first try")
    assert brand.status_post("second try").id


def test_the_rate_limit_is_announced(mastodon_server, brand):
    mastodon_server.fault({"effect": {"type": "ratelimit"}})
    with pytest.raises(mastodon.MastodonRatelimitError):
        brand.account_verify_credentials()


def test_a_fault_that_nothing_met_does_not_outlive_its_test(brand):
    assert brand.account_verify_credentials().acct == "brand"


def test_a_token_it_did_not_give_is_refused(mastodon_server):
    stranger = mastodon.Mastodon(access_token="nope", api_base_url=mastodon_server.url)
    with pytest.raises(mastodon.MastodonUnauthorizedError):
        stranger.account_verify_credentials()
