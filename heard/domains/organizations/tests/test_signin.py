"""Signing in: passwords, second factors, links, and what ends it."""

import base64
import hashlib
import hmac
import re
import struct
import time

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail as outgoing
from django.core.cache import cache
from django.test import Client

from heard.domains.organizations import actions, queries
from heard.domains.organizations.models import User
from heard.domains.organizations.tests.people import PASSWORD
from heard.foundation.crypto import KeyRing, new_key
from heard.foundation.tenancy import Role

ALICE = "alice@northbridge.example"


def sign_in(email, password, client=None, **headers):
    client = client or Client()
    return client, client.post("/account/login/", {"login": email, "password": password}, **headers)


def is_in(client):
    return client.get("/settings/profile/").status_code == 200


def test_password_in_any_case_of_the_address(cast):
    client, answer = sign_in("Alice@Northbridge.example", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert is_in(client)


def test_one_goes_on_to_where_one_wanted_but_never_off_this_site(cast):
    client = Client()
    asked = client.get("/settings/teams/?x=1")
    assert asked["Location"] == "/account/login/?next=/settings/teams/%3Fx%3D1"
    answer = client.post(asked["Location"], {"login": ALICE, "password": PASSWORD})
    assert answer["Location"] == "/settings/teams/?x=1"
    answer = Client().post(
        "/account/login/?next=https://evil.example/", {"login": ALICE, "password": PASSWORD}
    )
    assert answer["Location"] == "/inbox/"


def test_unknown_address_and_wrong_password_get_the_same_answer(cast):
    def said(email, password):
        _client, answer = sign_in(email, password)
        assert answer.status_code == 200
        page = answer.content.decode().replace(email, "")
        return re.sub(r"(csrfmiddlewaretoken\" value=|X-CSRFToken\": )\"\w+\"", "", page)

    assert said(ALICE, "not her password") == said("nobody@northbridge.example", "not her password")
    # Bob has no password at all: nor does that show.
    assert said("bob@northbridge.example", "not her password") == said(ALICE, "not her password")
    assert "do not belong together" in said(ALICE, "not her password")


def test_guessing_is_stopped_with_a_clear_sentence(cast):
    for _ in range(5):
        _client, answer = sign_in(ALICE, "not her password")
        assert "do not belong together" in answer.content.decode()
    for email in (ALICE, ALICE.upper()):
        _client, answer = sign_in(email, PASSWORD)
        assert "Wait five minutes" in answer.content.decode()
    # Another person at another place is not stopped by it.
    client, answer = sign_in("charlie@southgate.example", PASSWORD, REMOTE_ADDR="198.51.100.7")
    assert is_in(client)


def test_guessing_at_unknown_addresses_is_stopped_the_same_way(cast):
    for _ in range(5):
        sign_in("nobody@northbridge.example", "x")
    _client, answer = sign_in("nobody@northbridge.example", "x")
    assert "Wait five minutes" in answer.content.decode()


def test_nobody_signs_up_by_themselves(cast):
    for path in ("/account/signup/", "/account/3rdparty/signup/"):
        Client().post(path, {"email": "eve@northbridge.example", "password1": "the train leaves at ten"})
    assert not User.objects.filter(email="eve@northbridge.example").exists()


def test_a_removed_member_is_out_with_the_next_click_and_cannot_come_back(cast, as_user):
    bob = as_user("bob")
    assert is_in(bob)
    actions.remove_member(cast.alice, cast.bob.member_id)
    assert bob.get("/settings/profile/")["Location"].startswith("/account/login/")


def test_a_removed_member_with_another_company_works_there(cast, as_user):
    actions.add_member(cast.charlie, "Bob", "bob@northbridge.example", Role.OBSERVER)
    bob = as_user("bob")
    assert bob.get("/settings/profile/").wsgi_request.actor.organization_id == cast.organization_id
    actions.remove_member(cast.alice, cast.bob.member_id)
    assert bob.get("/settings/profile/").wsgi_request.actor.organization_id == cast.charlie.organization_id


def test_signed_in_and_a_member_of_nothing_is_told_so(cast):
    actions.change_role(cast.alice, cast.bob.member_id, Role.OWNER)
    actions.remove_member(queries.actor_of(cast.organization_id, cast.bob.member_id), cast.alice.member_id)
    client, answer = sign_in(ALICE, PASSWORD)
    assert answer.status_code == 302
    page = client.get("/settings/profile/")
    assert page.status_code == 403
    assert "not a member of any organization" in page.content.decode()


def test_signing_out_everywhere_else_keeps_this_browser(cast, as_user, told):
    here, there = as_user("alice"), as_user("alice")
    assert here.post("/settings/profile/sign-out-elsewhere/").status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert type(told(cast.organization_id)[-1]).__name__ == "SessionsEnded"


# Links ---------------------------------------------------------------------------------------------


def test_opening_the_link_signs_in(cast):
    client = Client()
    answer = client.get(actions.make_sign_in_link(cast.user_ids["bob"]))
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert client.get("/settings/profile/").wsgi_request.actor.name == "Bob"


def test_a_used_link_says_what_to_do(cast):
    path = actions.make_sign_in_link(cast.user_ids["bob"])
    assert Client().head(path).status_code == 405  # a look at the link does not use it up
    Client().get(path)
    client = Client()
    answer = client.get(path)
    assert answer.status_code == 410
    assert "heard member reset" in answer.content.decode()
    assert not is_in(client)


def test_a_link_takes_over_from_whoever_was_signed_in(cast, as_user):
    client = as_user("charlie")
    client.get(actions.make_sign_in_link(cast.user_ids["bob"]))
    assert client.get("/settings/profile/").wsgi_request.actor.name == "Bob"


@pytest.mark.parametrize(
    ("url", "again"), [("http://127.0.0.1:8400", 302), ("https://desk.northbridge.example", 410)]
)
def test_the_demo_link_stays_good_on_this_machine_only(cast, settings, url, again):
    settings.HEARD_URL = url
    path = actions.make_sign_in_link(cast.user_ids["alice"], 60, purpose="demo")
    assert Client().get(path).status_code == 302
    assert Client().get(path).status_code == again


def test_after_a_reset_a_new_password_is_asked_for(cast):
    client = Client()
    answer = client.get(actions.reset_member(ALICE))
    assert answer["Location"] == "/account/password/set/"
    new = "another train at another time"
    assert client.post("/account/password/set/", {"password1": new, "password2": new}).status_code == 302
    assert is_in(client)
    assert not is_in(sign_in(ALICE, PASSWORD)[0])
    assert is_in(sign_in(ALICE, new)[0])


# Second factors ------------------------------------------------------------------------------------


def code_for(secret, seconds_ago=0):
    """What an authenticator app shows (RFC 6238). A code counts once, so what was used is forgotten."""
    cache.clear()
    counter = struct.pack(">Q", int(time.time() - seconds_ago) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


@pytest.fixture
def secret(cast, keys):
    """Alice turns on an authenticator app, on its pages."""
    client, _answer = sign_in(ALICE, PASSWORD)
    page = client.get("/account/2fa/totp/activate/", follow=True)
    if page.redirect_chain:
        page = client.post(page.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    shown = page.context["form"].secret
    answer = client.post("/account/2fa/totp/activate/", {"code": code_for(shown)})
    assert answer.status_code == 302
    return shown


def test_the_secret_of_a_second_factor_is_encrypted_at_rest(secret, keys):
    for row in Authenticator.objects.all():
        assert secret not in str(row.data)
    row = Authenticator.objects.get(type="totp")
    assert row.data["secret"].startswith("v1:")


def test_second_factors_outlive_the_rotation_of_keys(cast, secret, keys, monkeypatch):
    both = KeyRing.parse(f"{_text_of(keys)} {new_key()}")
    monkeypatch.setattr("heard.domains.organizations.actions.factors.keyring", lambda: both)
    assert actions.rotate_factors() == 2
    assert actions.rotate_factors() == 0
    rows = Authenticator.objects.values_list("data", flat=True)
    assert not any(keys.current_id in str(data) for data in rows)
    client, _answer = sign_in(ALICE, PASSWORD)
    assert client.post("/account/2fa/authenticate/", {"code": code_for(secret)}).status_code == 302


def _text_of(ring):
    return " ".join(base64.b64encode(key).decode() for key in ring._keys.values())


@pytest.mark.parametrize("way", ["password", "link", "reset link"])
def test_no_way_in_goes_around_the_second_factor(cast, secret, way):
    client = Client()
    if way == "password":
        sign_in(ALICE, PASSWORD, client)
    elif way == "link":
        client.get(actions.make_sign_in_link(cast.user_ids["alice"]))
    else:
        client.get(actions.reset_member(ALICE))
    assert not is_in(client)
    assert client.get("/account/2fa/authenticate/").status_code == 200
    client.post("/account/2fa/authenticate/", {"code": "000000"})
    assert not is_in(client)
    client.post("/account/2fa/authenticate/", {"code": code_for(secret)})
    assert is_in(client)


@pytest.mark.parametrize(("seconds_ago", "taken"), [(0, True), (28, True), (90, False), (-90, False)])
def test_a_code_may_be_typed_slowly_but_is_not_good_for_ever(cast, secret, seconds_ago, taken):
    client = Client()
    sign_in(ALICE, PASSWORD, client)
    client.post("/account/2fa/authenticate/", {"code": code_for(secret, seconds_ago)})
    assert is_in(client) is taken


def test_the_operator_can_let_somebody_in_who_lost_the_second_factor(cast, secret):
    client = Client()
    client.get(actions.reset_member(ALICE, without_second_factor=True))
    assert is_in(client)


def test_passkeys_can_be_added_and_used(cast, keys):
    client, _answer = sign_in(ALICE, PASSWORD)
    assert client.get("/account/2fa/webauthn/").status_code == 200
    page = client.get("/account/2fa/webauthn/add/", follow=True)
    page = client.post(page.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    assert page.status_code == 200
    assert "publicKey" in page.context["js_data"]["creation_options"]
    challenge = Client().get("/account/2fa/webauthn/login/", HTTP_X_REQUESTED_WITH="XMLHttpRequest")
    assert "publicKey" in challenge.json()["request_options"]


# Mail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", [ALICE, "nobody@northbridge.example"])
def test_where_no_mail_leaves_the_page_does_not_promise_one(cast, settings, email):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    answer = Client().post("/account/password/reset/", {"email": email})
    assert answer.status_code == 200
    assert "sends no mail" in answer.content.decode()


@pytest.mark.parametrize("email", [ALICE, "nobody@northbridge.example"])
def test_a_mail_server_that_refuses_is_said_so(cast, settings, email):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    answer = Client().post("/account/password/reset/", {"email": email})
    assert answer.status_code == 502
    assert "did not take" in answer.content.decode()


def test_a_forgotten_password_is_set_anew_by_mail(cast):
    Client().post("/account/password/reset/", {"email": ALICE})
    (message,) = outgoing.outbox
    path = re.search(r"https?://[^/]+(/account/password/reset/key/\S+)", message.body)[1]
    client = Client()
    page = client.get(path, follow=True)
    new = "another train at another time"
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert is_in(sign_in(ALICE, new)[0])


def test_another_address_takes_the_place_of_the_first_once_it_is_confirmed(cast):
    client, _answer = sign_in(ALICE, PASSWORD)
    page = client.get("/account/email/").content.decode()
    assert f"You sign in as {ALICE}" in page
    assert "Waiting to be confirmed" not in page
    client.post("/account/email/", {"action_add": "", "email": "alice@new.example"})
    page = client.get("/account/email/").content.decode()
    assert "Waiting to be confirmed: alice@new.example" in page
    assert "style=" not in page  # our own policy refuses it
    assert User.objects.get(pk=cast.user_ids["alice"]).email == ALICE
    (message,) = outgoing.outbox
    path = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", message.body)[1]
    client.post(path)
    assert User.objects.get(pk=cast.user_ids["alice"]).email == "alice@new.example"
    # And nobody makes an address theirs without that.
    client.post("/account/email/", {"action_primary": "", "email": "bob@northbridge.example"})
    assert User.objects.get(pk=cast.user_ids["alice"]).email == "alice@new.example"
