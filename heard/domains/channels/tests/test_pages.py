"""The pages: what they do, whom they let in, and that no secret ever comes back."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from heard.connectorkit.errors import CredentialsRefused
from heard.domains.channels import actions, queries
from heard.domains.channels.models import Channel, ChannelAccess
from heard.domains.organizations.queries import brands, teams
from tests.cast import message

pytestmark = pytest.mark.django_db(databases="__all__")

HOME = "/settings/channels/"
GOOD = {"token": "right", "address": "memory"}


@pytest.fixture
def paths(cast, line):
    """Every page of this room, with things of Alice's: (path, method, may Bob, who helps, open it)."""
    here = f"{HOME}{line.channel_id}/"
    return {
        "channels": (HOME, "GET", True),
        "choose": (f"{HOME}choose/", "GET", False),
        "connect": (f"{HOME}connect/memory/", "GET", False),
        "channel": (here, "GET", True),
        "reconnect": (f"{here}reconnect/", "GET", False),
        "pause": (f"{here}pause/", "POST", False),
        "resume": (f"{here}resume/", "POST", False),
        "replay": (f"{here}replay/", "POST", False),
        "add_access": (f"{here}access/", "POST", False),
        "remove_access": (f"{here}access/member-{cast.bob.member_id}/remove/", "POST", False),
        "close": (f"{here}close/", "POST", False),
    }


ABOUT_ALL = {"channels", "choose", "connect"}


def words(answer):
    """What stands on a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_no_page_is_missing_from_this_list(paths):
    room = next(part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "channels")
    assert {pattern.name for pattern in room.url_patterns} == set(paths)


def test_whoever_is_not_signed_in_is_sent_to_sign_in(paths):
    for path, method, _bob in paths.values():
        answer = Client().generic(method, path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/account/login/?next="), path


def test_a_stranger_finds_nothing_of_ours(cast, paths):
    charlie = cast.browser(cast.charlie)
    for name, (path, method, _bob) in paths.items():
        answer = charlie.generic(method, path)
        assert answer.status_code == (200 if name in ABOUT_ALL else 404), path
        assert "Our company" not in answer.content.decode(), path
    assert Channel.objects.get().state == "active"


def test_who_helps_looks_and_changes_nothing(cast, line, paths):
    bob = cast.browser(cast.bob)
    for path, method, allowed in paths.values():
        assert bob.generic(method, path).status_code == (200 if allowed else 403), path
    assert bob.post(f"{HOME}{line.channel_id}/", {"brand": "1"}).status_code == 403
    assert Channel.objects.get().state == "active"
    shown = bob.get(f"{HOME}{line.channel_id}/").content.decode()
    assert "Reconnect" not in shown
    assert "Disconnect" not in shown


def test_who_owns_may_do_all_of_it(cast, paths):
    alice = cast.browser(cast.alice)
    for name, (path, method, _bob) in paths.items():
        answer = alice.generic(method, path)
        assert answer.status_code == {"add_access": 422}.get(name, 200 if method == "GET" else 302), path


def test_an_account_is_connected_by_its_form(cast, network):
    alice = cast.browser(cast.alice)
    assert "No account is connected yet" in words(alice.get(HOME))
    chosen = alice.get(f"{HOME}choose/").content.decode()
    assert f"{HOME}connect/memory/" in chosen
    answer = alice.post(f"{HOME}connect/memory/", GOOD, follow=True)
    assert "Connected." in words(answer)
    assert "Our company" in words(alice.get(HOME))
    again = alice.post(f"{HOME}connect/memory/", GOOD)
    assert again.status_code == 422
    assert "connected already" in words(again)


def test_wrong_credentials_are_said_beside_the_form_and_nothing_is_kept(cast, network):
    alice = cast.browser(cast.alice)
    answer = alice.post(f"{HOME}connect/memory/", {"token": "wrong-secret", "address": "kept-address"})
    assert answer.status_code == 422
    assert "The token is not accepted." in words(answer)
    shown = answer.content.decode()
    assert "kept-address" in shown
    assert "wrong-secret" not in shown
    assert not Channel.objects.exists()


def test_a_missing_field_is_named(cast, network):
    answer = cast.browser(cast.alice).post(f"{HOME}connect/memory/", {"address": "x"})
    assert answer.status_code == 422
    assert "This field is required." in words(answer)
    assert not Channel.objects.exists()


def test_a_network_that_is_not_installed_is_not_found(cast):
    assert cast.browser(cast.alice).get(f"{HOME}connect/carrier-pigeon/").status_code == 404


def test_no_page_shows_a_secret(cast, line, paths):
    Channel.objects.update(hook_token="hook-token-of-ours")
    alice = cast.browser(cast.alice)
    for path, method, _bob in paths.values():
        if method == "GET":
            shown = alice.get(path).content.decode()
            assert 'value="right"' not in shown, path
            assert "hook-token-of-ours" not in shown, path


def test_the_hook_address_is_for_those_who_manage_channels_of_networks_that_push(cast, line, monkeypatch):
    Channel.objects.update(hook_token="hook-token-of-ours")
    here = f"{HOME}{line.channel_id}/"
    type(line.network).verify = lambda *_: None
    type(line.network).handshake = lambda *_: None
    try:
        assert "/hooks/hook-token-of-ours" in cast.browser(cast.alice).get(here).content.decode()
        assert "hook-token-of-ours" not in cast.browser(cast.bob).get(here).content.decode()
    finally:
        del type(line.network).verify, type(line.network).handshake


def test_a_refused_account_is_said_on_every_page_and_connected_again(cast, line):
    refusal = CredentialsRefused("The token was taken back.")
    actions.refuse_channel(cast.alice.organization_id, line.channel_id, refusal)
    here = f"{HOME}{line.channel_id}/"
    banner = "no longer accepts our credentials"
    alice, bob = cast.browser(cast.alice), cast.browser(cast.bob)
    for page in ("/inbox/", HOME, "/settings/profile/"):
        assert banner in words(alice.get(page)), page
        assert f"{here}reconnect/" in alice.get(page).content.decode(), page
    assert banner in words(bob.get("/inbox/"))
    assert f"{here}reconnect/" not in bob.get("/inbox/").content.decode()
    assert banner not in words(cast.browser(cast.charlie).get("/inbox/"))
    form = alice.get(f"{here}reconnect/").content.decode()
    assert "memory" in form
    assert alice.post(f"{here}reconnect/", {"token": "wrong", "address": "memory"}).status_code == 422
    assert Channel.objects.get().state == "refused"
    assert alice.post(f"{here}reconnect/", GOOD).status_code == 302
    assert Channel.objects.get().state == "active"
    assert banner not in words(alice.get("/inbox/"))


def test_pause_and_resume_say_what_happens(cast, line):
    alice, here = cast.browser(cast.alice), f"{HOME}{line.channel_id}/"
    paused = words(alice.post(f"{here}pause/", follow=True))
    assert "What is said meanwhile is read later." in paused
    assert "Resume" in paused
    assert "Listening to Our company again." in words(alice.post(f"{here}resume/", follow=True))


def test_disconnecting_names_its_consequence_and_keeps_what_was_said(cast, line):
    line.says(message(1))
    alice, here = cast.browser(cast.alice), f"{HOME}{line.channel_id}/"
    assert "forget the credentials" in words(alice.get(here))
    alice.post(f"{here}close/")
    row = Channel.objects.get()
    assert (row.state, row.secrets) == ("closed", "")
    assert "Our company" not in re.findall(r'item-title">(.*?)</p>', alice.get(HOME).content.decode())
    assert "Hello 1" in words(alice.get("/inbox/"))
    old = alice.get(here)
    assert old.status_code == 200
    assert "Disconnected" in words(old)
    for verb in ("pause", "resume", "close", "replay"):
        assert alice.post(f"{here}{verb}/").status_code in {302, 404}
    assert alice.get(f"{here}reconnect/").status_code == 404
    assert Channel.objects.get().state == "closed"


def test_what_could_not_be_read_is_counted_and_read_again(cast, line):
    line.hand_in(message(1))
    from heard.domains.channels.models import Delivery

    Delivery.objects.update(state="unreadable", reason="An odd shape.")
    alice, here = cast.browser(cast.alice), f"{HOME}{line.channel_id}/"
    page = words(alice.get(here))
    assert "An odd shape." in page
    assert "Read them again" in page
    assert "Read them again" not in words(cast.browser(cast.bob).get(here))
    assert "1 delivery is being read again." in words(alice.post(f"{here}replay/", follow=True))
    assert "Read them again" not in words(alice.get(here))


def test_an_exception_hides_a_channel_from_one_member(cast, line):
    alice, bob, here = cast.browser(cast.alice), cast.browser(cast.bob), f"{HOME}{line.channel_id}/"
    assert bob.get(here).status_code == 200
    who = f"member-{cast.bob.member_id}"
    answer = alice.post(f"{here}access/", {"who": who, "access": "none"}, follow=True)
    assert "may not see it" in words(answer)
    assert bob.get(here).status_code == 404
    assert "Our company" not in words(bob.get(HOME))
    alice.post(f"{here}access/{who}/remove/")
    assert bob.get(here).status_code == 200


def test_an_exception_is_given_to_a_team_of_ours_only(cast, line):
    alice, here = cast.browser(cast.alice), f"{HOME}{line.channel_id}/"
    ours = teams(cast.alice)[0]
    assert alice.post(f"{here}access/", {"who": f"team-{ours.id}", "access": "view"}).status_code == 302
    for who in (f"member-{cast.charlie.member_id}", "team-0", "member-x", "everybody"):
        assert alice.post(f"{here}access/", {"who": who, "access": "view"}).status_code == 422, who
        assert alice.post(f"{here}access/{who}/remove/").status_code == 404, who
    assert [row.team_id for row in ChannelAccess.objects.all()] == [ours.id]


def test_a_channel_speaks_under_another_brand(cast, line):
    from heard.domains.organizations.actions import add_brand

    alice, here = cast.browser(cast.alice), f"{HOME}{line.channel_id}/"
    assert "Speaks as" not in words(alice.get(here))
    add_brand(cast.alice, "Harbour Ferries")
    other = next(brand for brand in brands(cast.alice) if not brand.is_default)
    assert "Speaks as" in words(alice.get(here))
    assert alice.post(here, {"brand": "999999"}).status_code == 422
    assert alice.post(here, {"brand": str(other.id)}).status_code == 302
    assert queries.channel(cast.alice, line.channel_id).brand_id == other.id


def test_what_goes_wrong_stands_on_the_page_in_plain_words(cast, line):
    Channel.objects.update(error="The server is down. Heard tries again by itself.", gap="A day is missing.")
    page = words(cast.browser(cast.bob).get(f"{HOME}{line.channel_id}/"))
    assert "Heard tries again by itself." in page
    assert "A day is missing." in page
    assert "Trying again" in words(cast.browser(cast.bob).get(HOME))
