"""A person's page: what it shows, what can be done there, and whom it lets in."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from heard.connectorkit.vocabulary import Author
from heard.domains.channels.actions import change_access
from heard.domains.contacts import actions
from heard.domains.contacts.models import Contact, Identity
from heard.foundation.tenancy import Role
from tests.cast import message

pytestmark = pytest.mark.django_db(databases="__all__")


def words(answer):
    """What stands on a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def here(line):
    """The page of Ann, who said something to Northbridge."""
    line.says(message(1))
    return f"/people/{Contact.objects.get().pk}"


@pytest.fixture
def paths(here):
    """Every page of this room, with Ann's."""
    return {
        "person": (here, "GET"),
        "block": (f"{here}/block", "POST"),
        "unblock": (f"{here}/unblock", "POST"),
    }


def test_no_page_is_missing_from_this_list(paths):
    room = next(part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "contacts")
    assert {pattern.name for pattern in room.url_patterns} == set(paths)


def test_whoever_is_not_signed_in_is_sent_to_sign_in(paths):
    for path, method in paths.values():
        answer = Client().generic(method, path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/account/login/?next="), path


def test_a_stranger_finds_nothing_of_ours(cast, paths):
    charlie = cast.browser(cast.charlie)
    for path, method in paths.values():
        answer = charlie.generic(method, path)
        assert answer.status_code == 404, path
        assert "Ann" not in words(answer), path
    assert Contact.objects.get().blocked_at is None


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_colleagues_see_who_it_is_and_what_they_brought(cast, here, who):
    page = cast.browser(getattr(cast, who)).get(here)
    assert page.status_code == 200
    assert "Ann" in words(page)
    assert "@ann" in words(page)
    assert "Hello 1" in words(page)
    assert re.search(r'href="/c/\d+"', page.content.decode())


def test_what_was_said_where_one_may_not_look_is_left_out(cast, line, here):
    change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    assert "Hello 1" not in words(cast.browser(cast.bob).get(here))
    assert "Hello 1" in words(cast.browser(cast.alice).get(here))


def test_a_note_is_written_changed_and_taken_away(cast, here):
    bob, alice = cast.browser(cast.bob), cast.browser(cast.alice)
    assert bob.post(here, {"note": "Prefers <b>short</b> answers."}).status_code == 302
    assert "Prefers &lt;b&gt;short&lt;/b&gt; answers." in alice.get(here).content.decode()
    assert alice.post(here, {"note": "x" * 5001}).status_code == 422
    assert Contact.objects.get().note == "Prefers <b>short</b> answers."
    assert alice.post(here, {"note": ""}).status_code == 302
    assert Contact.objects.get().note == ""


def test_who_only_observes_reads_and_changes_nothing(cast, here, paths):
    from heard.domains.organizations.actions import change_role

    change_role(cast.alice, cast.bob.member_id, Role.OBSERVER)
    Contact.objects.update(note="Prefers short answers.")
    bob = cast.browser(cast.bob)
    page = bob.get(here)
    assert "Prefers short answers." in words(page)
    assert "<textarea" not in page.content.decode()
    assert "Block" not in words(page)
    assert bob.post(here, {"note": "Mine now"}).status_code == 403
    assert bob.post(paths["block"][0]).status_code == 403
    assert (Contact.objects.get().note, Contact.objects.get().blocked_at) == ("Prefers short answers.", None)


def test_block_says_what_it_means_and_can_be_taken_back(cast, line, here, paths):
    alice = cast.browser(cast.alice)
    blocked = words(alice.post(paths["block"][0], follow=True))
    assert "What they say is kept and no longer reaches the inbox." in blocked
    assert "Unblock" in blocked
    line.says(message(2))
    assert "Hello 2" not in words(alice.get("/inbox/"))
    assert "No longer blocked." in words(alice.post(paths["unblock"][0], follow=True))
    line.says(message(3))
    assert "Hello 3" in words(alice.get("/inbox/"))


def test_what_a_person_calls_themselves_acts_on_nothing(cast, line):
    name = "<script>alert(1)</script>\u202e evil"
    line.says(message(7, author=Author("odd", "@odd", name, url="javascript:alert(1)")))
    page = cast.browser(cast.alice).get(f"/people/{Contact.objects.get().pk}").content.decode()
    assert "<script>alert" not in page
    assert "javascript:" not in page
    assert "\u202e" not in page


def test_an_erased_person_is_nobody_and_takes_no_note(cast, here):
    actions.erase(cast.alice, Contact.objects.get().pk, suppress=False)
    alice = cast.browser(cast.alice)
    page = words(alice.get(here))
    assert "Erased person" in page
    assert "@ann" not in page
    assert "Block" not in page
    alice.post(here, {"note": "I remember Ann"})
    assert Contact.objects.get().note == ""
    assert Identity.objects.get().handle == ""


def test_who_is_not_there_is_not_found(cast):
    for path in ("/people/0", "/people/999999", f"/people/{10**30}"):
        assert cast.browser(cast.alice).get(path).status_code == 404, path
