"""Signing in with the company's own identity provider, against a small real one on loopback."""

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from heard.domains.organizations import actions, queries
from heard.domains.organizations.models import User
from heard.domains.organizations.tests.identity_provider import IdentityProvider
from heard.domains.organizations.tests.people import PASSWORD
from heard.foundation import equipment
from heard.foundation.net import Guard, GuardedNet
from heard.foundation.tenancy import Role

ALICE = {"sub": "a1", "email": "alice@northbridge.example", "email_verified": True, "name": "Alice Archer"}
DORA = {"sub": "d1", "email": "Dora@northbridge.example", "email_verified": True, "name": "Dora Dale"}


@pytest.fixture
def provider(settings):
    found = IdentityProvider()
    app = {
        "provider_id": "northbridge",
        "name": "Northbridge sign-in",
        "client_id": "heard",
        "secret": "its secret",
        "settings": {"server_url": found.url},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    yield found
    found.stop()


def sign_in(provider, claims, client=None, query=""):
    """Go there by the button, come back with what the provider says."""
    provider.claims = claims
    client = client or Client()
    page = client.post(f"/account/oidc/northbridge/login/{query}")
    asked = parse_qs(urlsplit(page.context["url"]).query)
    answer = client.get(
        "/account/oidc/northbridge/login/callback/", {"code": "c", "state": asked["state"][0]}
    )
    return client, answer


def who(client):
    answer = client.get("/settings/profile/")
    return answer.wsgi_request.actor.name if answer.status_code == 200 else None


def test_one_leaves_by_a_page_because_a_form_may_not_lead_off_this_site(cast, provider):
    page = Client().post("/account/oidc/northbridge/login/")
    assert page.status_code == 200
    assert page.context["url"].startswith(f"{provider.url}/authorize?")
    assert page["Refresh"] == f"0; url={page.context['url']}"
    asked = parse_qs(urlsplit(page.context["url"]).query)
    assert asked["redirect_uri"] == ["http://testserver/account/oidc/northbridge/login/callback/"]
    assert "code_challenge" in asked


def test_a_member_signs_in_by_their_verified_address(cast, provider):
    client, answer = sign_in(provider, ALICE)
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert who(client) == "Alice"
    assert provider.verifiers
    # And again, now by what the provider calls her, whatever her address there has become.
    client, _answer = sign_in(provider, {**ALICE, "email": "a.archer@elsewhere.example"})
    assert who(client) == "Alice"
    assert User.objects.get(pk=cast.user_ids["alice"]).check_password(PASSWORD)


@pytest.mark.parametrize("verified", [False, None, "false", "true", 1])
def test_an_address_that_is_not_verified_opens_nothing(cast, provider, verified):
    client, answer = sign_in(provider, {**ALICE, "email_verified": verified})
    assert answer.status_code == 403
    assert "has not confirmed" in answer.content.decode()
    assert who(client) is None
    assert not SocialAccount.objects.exists()


def test_who_was_not_invited_is_told_so(cast, provider):
    client, answer = sign_in(provider, DORA)
    assert answer.status_code == 403
    assert "Nobody has invited" in answer.content.decode()
    assert who(client) is None
    assert not User.objects.filter(email__iexact="dora@northbridge.example").exists()


def test_without_an_address_nobody_comes_in(cast, provider):
    _client, answer = sign_in(provider, {"sub": "x1"})
    assert answer.status_code == 403
    assert "did not tell" in answer.content.decode()


def test_who_was_invited_joins_by_signing_in(cast, provider):
    made = actions.invite(cast.alice, email="dora@northbridge.example", role=Role.REVIEWER)
    client, answer = sign_in(provider, DORA)
    assert answer["Location"] == "/inbox/"
    assert who(client) == "Dora Dale"
    dora = next(line for line in queries.members(cast.alice) if line.name == "Dora Dale")
    assert (dora.email, dora.role) == ("dora@northbridge.example", Role.REVIEWER)
    assert queries.invitation_of(made.token).state == "accepted"
    assert who(sign_in(provider, DORA)[0]) == "Dora Dale"
    assert User.objects.filter(email="dora@northbridge.example").count() == 1


def test_an_unverified_address_does_not_use_an_invitation(cast, provider):
    made = actions.invite(cast.alice, email="dora@northbridge.example", role=Role.REVIEWER)
    sign_in(provider, {**DORA, "email_verified": False})
    assert queries.invitation_of(made.token).state == "open"


def test_a_removed_member_stays_out_until_invited_again(cast, provider):
    sign_in(provider, {**ALICE, "sub": "b1", "email": "bob@northbridge.example"})
    bob = {"sub": "b1", "email": "bob@northbridge.example", "email_verified": True, "name": "Bob"}
    actions.remove_member(cast.alice, cast.bob.member_id)
    client, answer = sign_in(provider, bob)
    assert answer.status_code == 403
    assert who(client) is None
    actions.invite(cast.alice, email="bob@northbridge.example", role=Role.OBSERVER)
    client, answer = sign_in(provider, bob)
    assert who(client) == "Bob"
    assert queries.member(cast.alice, cast.bob.member_id).role is Role.OBSERVER


def test_what_a_stranger_prepared_under_ones_address_ends(cast, provider):
    made = actions.invite(cast.charlie, email="dora@northbridge.example", role=Role.OBSERVER)
    stranger = Client()
    stranger.post(made.path, {"name": "Dora", "password": PASSWORD})
    assert who(stranger) == "Dora"
    user = User.objects.get(email="dora@northbridge.example")
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "the stranger's key"})

    dora, _answer = sign_in(provider, DORA)
    assert "earlier password no longer works" in dora.get("/settings/profile/").content.decode()
    assert who(dora) == "Dora"
    assert who(stranger) is None
    assert not Authenticator.objects.filter(user=user).exists()
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified


def test_a_second_factor_is_asked_for_after_the_provider_too(cast, provider, keys):
    user = User.objects.get(pk=cast.user_ids["alice"])
    Authenticator.objects.create(
        user=user, type="totp", data={"secret": actions.seal_factor("JBSWY3DPEHPK3PXP")}
    )
    client, answer = sign_in(provider, ALICE)
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert who(client) is None


def test_a_member_connects_an_account_of_another_address_on_their_own_page(cast, provider, as_user):
    alice = as_user("alice")
    claims = {"sub": "private", "email": "alice@home.example", "email_verified": True}
    provider.claims = claims
    page = alice.post("/account/oidc/northbridge/login/?process=connect")
    asked = parse_qs(urlsplit(page.context["url"]).query)
    alice.get("/account/oidc/northbridge/login/callback/", {"code": "c", "state": asked["state"][0]})
    assert who(alice) == "Alice"
    assert User.objects.get(pk=cast.user_ids["alice"]).check_password(PASSWORD)
    assert who(sign_in(provider, claims)[0]) == "Alice"


@pytest.mark.parametrize("state", ["", "forged"])
def test_an_answer_that_nobody_asked_for_signs_nobody_in(cast, provider, state):
    provider.claims = ALICE
    client = Client()
    answer = client.get("/account/oidc/northbridge/login/callback/", {"code": "c", "state": state})
    assert answer.status_code in {200, 401, 403}
    assert who(client) is None


def test_a_provider_that_fails_on_the_way_back_is_a_page_and_nobody_is_in(cast, provider):
    client = Client()
    page = client.post("/account/oidc/northbridge/login/")
    state = parse_qs(urlsplit(page.context["url"]).query)["state"][0]
    provider.is_broken = True
    answer = client.get("/account/oidc/northbridge/login/callback/", {"code": "c", "state": state})
    assert answer.status_code == 502
    assert "does not answer" in answer.content.decode()
    assert who(client) is None


def test_a_provider_that_is_down_is_a_page(cast, provider):
    provider.is_broken = True
    answer = Client().post("/account/oidc/northbridge/login/")
    assert answer.status_code == 502
    assert "does not answer" in answer.content.decode()
    provider.stop()
    assert Client().post("/account/oidc/northbridge/login/").status_code == 502
    assert Client().get("/account/oidc/nowhere/login/").status_code == 404


# The guard ---------------------------------------------------------------------------------------------


@pytest.fixture
def only_the_public_internet(monkeypatch):
    """No address is allowed beyond it; the other tests may call this machine."""
    monkeypatch.setattr(equipment, "_makers", dict(equipment._makers))
    monkeypatch.setattr(equipment, "_made", {})
    equipment.give(net=lambda: GuardedNet(Guard()))


def test_a_provider_on_a_private_address_is_asked_where_the_operator_allows_it(cast, provider):
    _, answer = sign_in(provider, ALICE)
    assert answer.status_code == 302


def test_a_provider_on_a_private_address_is_not_asked(cast, provider, only_the_public_internet):
    page = Client().post("/account/oidc/northbridge/login/")
    assert page.status_code == 502
    assert provider.asked == []


def test_a_provider_that_sends_us_to_a_private_address_is_not_followed(cast, provider):
    provider.sends_to = "http://10.0.0.7/.well-known/openid-configuration"
    assert Client().post("/account/oidc/northbridge/login/").status_code == 502


def test_a_provider_that_sends_us_on_is_followed(cast, provider):
    provider.sends_to = f"{provider.url}/elsewhere"
    page = Client().post("/account/oidc/northbridge/login/")
    assert page.status_code == 200
    assert provider.asked[-1] == "/elsewhere"
