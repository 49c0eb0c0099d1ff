"""From nothing to a company with colleagues: set-up token, invitation, roles, and every way to sign in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

import pytest
from playwright.sync_api import expect

from tests.journeys.installation import installation

PASSWORD = "the train leaves at ten"
HANS = "hans@example.com"
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def empty():
    """As ``heard up`` leaves it at its first start. Passkeys want a name, not a number, as address."""
    with installation("heard.config.first", host="localhost") as place:
        yield place


def totp(secret: str, at: float) -> str:
    """The code that an authenticator app shows (RFC 6238: SHA-1, 30 s, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at // 30)), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def leave(visitor) -> None:
    """Sign out by the menu at the member's name."""
    visitor.open("/inbox/")
    visitor.page.locator("summary.navigation-member").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.ready()
    visitor.open("/inbox/")
    expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()


def enter(visitor, email: str) -> None:
    """Sign in with the password."""
    visitor.page.get_by_label("E-mail address").fill(email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in", exact=True).click()
    visitor.ready()


@pytest.mark.timeout(240)
def test_set_up_invite_and_sign_in_every_way(browse, empty):
    hans = browse(empty.url, timezone_id="Europe/Oslo")
    page = hans.page
    hans.expects("403")
    hans.open("/setup/?token=guessed")
    expect(page.get_by_text("not valid any more")).to_be_visible()
    hans.accessible()

    hans.open((empty.folder / "prepared").read_text().strip())
    hans.accessible()
    page.get_by_label("Company").fill("Fjord & Söhne")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Oslo")
    page.get_by_label("Your name").fill("Hans Fjord")
    page.get_by_label("Your e-mail address").fill(HANS)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set up and sign in").click()
    hans.ready()
    expect(page).to_have_url(f"{empty.url}/inbox/")
    expect(page.get_by_role("link", name="Connect an account")).to_be_visible()
    hans.accessible()

    invited = {role: invite(hans, f"{role}@example.com", role) for role in ("observer", "agent")}
    for role, link in invited.items():
        joins(browse(empty.url), link, role)

    with_authenticator_app(hans)
    with_passkey(hans)


def invite(hans, email: str, role: str) -> str:
    """Make an invitation; its link."""
    page = hans.open("/settings/members/")
    form = page.locator("#invite")
    form.get_by_label("E-mail address").fill(email)
    form.get_by_label("Role").select_option(role)
    form.get_by_role("button", name="Make invitation").click()
    hans.ready()
    expect(page.get_by_role("heading", name=f"Invitation for {email}")).to_be_visible()
    hans.accessible()
    return str(page.locator("#invitation-link").input_value())


def joins(guest, link: str, role: str) -> None:
    """Accept in a browser of one's own; the link is good once; the role holds."""
    guest.open(link)
    expect(guest.page.get_by_role("heading", name="Join Fjord & Söhne")).to_be_visible()
    guest.accessible()
    guest.page.get_by_label("Your name").fill(f"The {role}")
    guest.page.get_by_label("Password").fill(PASSWORD)
    guest.page.get_by_role("button", name="Join").click()
    guest.ready()
    expect(guest.page).to_have_url(f"{guest.url}/inbox/")
    # A door that is closed to them is not offered.
    expect(guest.page.locator("#rows")).to_contain_text("No account is open to you yet")
    expect(guest.page.get_by_role("link", name="Connect an account")).to_have_count(0)
    guest.expects("403|410")
    if role == "observer":
        guest.open("/outbox/switch/")
        expect(guest.page.get_by_role("button", name="Stop sending")).to_have_count(0)
    guest.open("/settings/members/")
    expect(guest.page.get_by_role("button", name="Make invitation")).to_have_count(0)
    guest.open(link)
    expect(guest.page.get_by_role("button", name="Join")).to_have_count(0)


def with_authenticator_app(hans) -> None:
    """A second factor is asked for after the password, and a wrong code does not open."""
    page = hans.open("/account/2fa/totp/activate/")
    # Whoever came by a link has to show first that they know the password.
    expect(page).to_have_url(re.compile("/account/reauthenticate/"))
    hans.accessible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    secret = page.get_by_label("Authenticator secret").input_value()
    hans.accessible()
    page.get_by_label("Authenticator code").fill(totp(secret, time.time()))
    page.get_by_role("button", name="Turn on").click()
    hans.ready()
    hans.accessible()
    leave(hans)
    enter(hans, HANS)
    code = page.get_by_label("Authenticator code").or_(page.get_by_label("Code"))
    hans.accessible()
    code.fill("000000" if totp(secret, time.time()) != "000000" else "111111")
    page.get_by_role("button", name="Sign in", exact=True).click()
    hans.ready()
    expect(page.get_by_text("Incorrect code")).to_be_visible()
    code.fill(totp(secret, time.time()))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{hans.url}/inbox/")


def with_passkey(hans) -> None:
    """A passkey is added and then signs in by itself."""
    page = hans.page
    line = hans.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    line.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    hans.open("/account/2fa/webauthn/add/")
    # A new way in is worth the password once more, however lately one has signed in.
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(f"{hans.url}/account/2fa/webauthn/add/")
    hans.ready()
    expect(page.locator("#passkey-problem")).to_be_hidden()
    hans.accessible()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add").click()
    expect(page).to_have_url(f"{hans.url}/account/2fa/")
    hans.open("/account/2fa/webauthn/")
    expect(page.locator("main")).to_contain_text("Laptop")
    hans.accessible()
    leave(hans)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{hans.url}/inbox/")


def test_passkeys_say_why_they_cannot_be_had_at_a_number(visit, browse, nordwind):
    mara = visit()
    page = mara.open("/account/2fa/webauthn/add/")
    said = page.locator("#passkey-problem")
    expect(said).to_contain_text("Passkeys belong to a name")
    named = f"{nordwind.url.replace('127.0.0.1', 'localhost')}/account/2fa/webauthn/add/"
    expect(said.get_by_role("link")).to_have_attribute("href", named)
    mara.accessible()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add").click()
    expect(said).to_be_visible()
    somebody = browse(nordwind.url)
    somebody.open("/account/login/")
    said = somebody.page.locator("#passkey-problem")
    expect(said).to_be_hidden()
    somebody.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(said).to_contain_text("Passkeys belong to a name")
    somebody.accessible()


def test_a_passkey_that_is_not_there_is_said_beside_its_button(browse, empty):
    somebody = browse(empty.url)
    page = somebody.open("/account/login/")
    line = somebody.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    line.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, "isUserVerified": False}})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("#passkey-problem")).to_contain_text("No passkey was used")
    somebody.accessible()
