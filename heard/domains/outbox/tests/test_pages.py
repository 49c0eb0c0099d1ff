"""The switch and the list of what needs people: what they do, and whom they let in."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import get_resolver

from heard.connectorkit.vocabulary import Verb
from heard.domains.channels.actions import change_access
from heard.domains.conversations.models import Message
from heard.domains.outbox import actions, queries
from heard.domains.outbox.commands import hold
from heard.domains.outbox.models import Hold, Outbound
from heard.foundation import clock
from tests.cast import message, work

pytestmark = pytest.mark.django_db(databases="__all__")

SWITCH = "/outbox/switch/"


def words(answer):
    """What stands on a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def outbound(cast, line):
    """A reply of Alice's to Ann, in a state of one's choice."""

    def made(state="waiting", number=1, text="We are sorry."):
        line.says(message(number))
        target = Message.objects.get(native_id=f"m{number}")
        found = actions.submit(cast.alice, verb=Verb.REPLY, target_id=target.pk, text=text, undo_seconds=600)
        Outbound.objects.filter(pk=found).update(state=state)
        return found

    return made


@pytest.fixture
def paths(cast, outbound):
    """Every page of this room: (path, method, may Bob, who helps, do it)."""
    number = outbound("rejected")
    placed = actions.place_hold(cast.alice, reason="A fire at the station.")
    return {
        "outbox": ("/outbox/", "GET", True),
        "switch": (SWITCH, "GET", True),
        "ask_release": (f"{SWITCH}{placed.hold_id}/ask/", "POST", False),
        "release": (f"{SWITCH}{placed.hold_id}/release/", "POST", False),
        "sent": (f"/outbox/{number}/sent/", "POST", True),
        "again": (f"/outbox/{number}/again/", "POST", True),
        "dropped": (f"/outbox/{number}/dropped/", "POST", True),
        "retry": (f"/outbox/{number}/retry/", "POST", True),
        "undo": (f"/outbox/{number}/undo/", "POST", True),
    }


def test_no_page_is_missing_from_this_list(paths):
    room = next(part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "outbox")
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
        assert answer.status_code == (200 if name in {"outbox", "switch"} else 404), path
        assert "fire" not in answer.content.decode(), path
        assert "We are sorry." not in answer.content.decode(), path
    assert Outbound.objects.get().state == "rejected"
    assert Hold.objects.get().released_at is None


def test_who_helps_stops_everything_and_cannot_release_it(cast, paths):
    bob = cast.browser(cast.bob)
    for path, method, allowed in paths.values():
        code = bob.generic(method, path).status_code
        assert code == (403 if not allowed else 200 if method == "GET" else 302), path
    assert bob.post(SWITCH, {"reason": "A second fire.", "channel": "0"}).status_code == 302
    assert Hold.objects.filter(released_at=None).count() == 2
    assert "Release: first step" not in words(bob.get(SWITCH))


def test_a_switch_that_keeps_nothing_back_promises_to_send_nothing(cast):
    alice = cast.browser(cast.alice)
    alice.post(SWITCH, {"reason": "A drill.", "channel": "0"})
    asked = words(alice.post(f"{SWITCH}{Hold.objects.get().pk}/ask/", follow=True))
    assert "Release asked by Alice Archer" in asked
    assert "Release, and send" not in asked
    assert "Release Keep it stopped" in asked


def test_the_switch_stops_says_why_everywhere_and_releases_in_two_steps(cast, line, outbound):
    number = outbound()
    alice, bob = cast.browser(cast.alice), cast.browser(cast.bob)
    assert "Stop everything" in words(alice.get("/settings/profile/"))
    assert "1 message is on its way out and will be held." in words(alice.get(SWITCH))
    answer = alice.post(SWITCH, {"reason": "A fire at the station.", "channel": "0"}, follow=True)
    assert "Nothing leaves any more, and nothing is on its way." in words(answer)
    for page in ("/inbox/", "/settings/channels/", "/outbox/"):
        shown = words(bob.get(page))
        assert shown.count("Sending is stopped for everything: A fire at the station.") == 1, page
        assert "Stopped" in shown, page
    assert "is stopped" not in words(cast.browser(cast.charlie).get("/inbox/"))

    Outbound.objects.update(due_at=clock.now())
    work()
    assert Outbound.objects.get(pk=number).state == "held"
    assert line.network.posts == []

    found = Hold.objects.get()
    refused = alice.post(f"{SWITCH}{found.pk}/release/", follow=True)
    assert "Ask for the release first" in words(refused)
    asked = words(alice.post(f"{SWITCH}{found.pk}/ask/", follow=True))
    assert "Release asked by Alice Archer" in asked
    assert "Release, and send 1 message" in asked
    assert "Somebody who may release it has to confirm." in words(bob.get(SWITCH))
    assert "Released." in words(alice.post(f"{SWITCH}{found.pk}/release/", follow=True))
    again = words(alice.post(f"{SWITCH}{found.pk}/release/", follow=True))
    assert "released meanwhile" in again
    work()
    assert [post.text for post in line.network.posts] == ["We are sorry."]
    assert "is stopped" not in words(bob.get("/inbox/"))


def test_a_hold_needs_a_reason_and_a_channel_of_ours(cast, line):
    alice = cast.browser(cast.alice)
    assert alice.post(SWITCH, {"reason": " ", "channel": "0"}).status_code == 422
    assert alice.post(SWITCH, {"reason": "Why not", "channel": "99999"}).status_code == 422
    assert not Hold.objects.exists()
    assert alice.post(SWITCH, {"reason": "Odd replies", "channel": str(line.channel_id)}).status_code == 302
    assert "Sending is stopped for Our company: Odd replies" in words(alice.get("/inbox/"))


def test_what_had_been_handed_over_is_named(cast, line, outbound, monkeypatch):
    number = outbound("sending", text="Half way out.")
    real = actions.place_hold
    monkeypatch.setattr(actions, "place_hold", lambda *given, **named: real(*given, **named, wait_seconds=0))
    answer = words(cast.browser(cast.alice).post(SWITCH, {"reason": "Stop", "channel": "0"}, follow=True))
    assert "1 message had been handed to its network and may still arrive" in answer
    assert "“Half way out.” to Ann" in answer
    assert Outbound.objects.get(pk=number).state == "sending"


@pytest.mark.parametrize(
    ("state", "label", "verbs"),
    [
        ("held", "Held", ["Undo"]),
        ("rejected", "Not sent", ["Retry", "Discard"]),
        ("asked", "Needs your decision", ["It is there", "Send again", "Drop it"]),
        ("unknown", "Checking the network", []),
    ],
)
def test_what_needs_people_is_listed_with_what_they_can_do(cast, outbound, state, label, verbs):
    outbound(state)
    page = cast.browser(cast.alice).get("/outbox/")
    assert label in words(page)
    assert "to Ann" in words(page)
    assert "We are sorry." in words(page)
    found = re.findall(r'<button class="button[^"]*">([^<]+)</button>', page.content.decode())
    assert found == verbs


def test_the_list_narrows_by_state(cast, outbound):
    outbound("held", 1, "Kept back.")
    outbound("asked", 2, "Perhaps there.")
    alice = cast.browser(cast.alice)
    narrowed = words(alice.get("/outbox/?state=asked"))
    assert "Perhaps there." in narrowed
    assert "Kept back." not in narrowed
    for state in ("", "sent", "nonsense"):
        assert "Kept back." in words(alice.get(f"/outbox/?state={state}")), state


@pytest.mark.parametrize(
    ("state", "verb", "after"),
    [
        ("held", "undo", "cancelled"),
        ("rejected", "undo", "cancelled"),
        ("rejected", "retry", "waiting"),
        ("asked", "sent", "sent"),
        ("asked", "again", "waiting"),
        ("asked", "dropped", "cancelled"),
        ("sent", "undo", "sent"),
        ("sent", "retry", "sent"),
        ("unknown", "again", "unknown"),
    ],
)
def test_each_button_does_what_it_says_where_it_can(cast, outbound, state, verb, after):
    number = outbound(state)
    answer = cast.browser(cast.alice).post(f"/outbox/{number}/{verb}/", follow=True)
    assert answer.redirect_chain == [("/outbox/", 302)]
    assert Outbound.objects.get(pk=number).state == after


def test_who_may_only_read_a_channel_decides_nothing_on_it(cast, line, outbound):
    number = outbound("rejected")
    bob = cast.browser(cast.bob)
    assert "Retry" in words(bob.get("/outbox/"))
    change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="view")
    page = words(bob.get("/outbox/"))
    assert "We are sorry." in page
    assert "Retry" not in page
    assert bob.post(f"/outbox/{number}/retry/").status_code == 403
    change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="none")
    assert "We are sorry." not in words(bob.get("/outbox/"))
    assert bob.post(f"/outbox/{number}/retry/").status_code == 404
    assert Outbound.objects.get().state == "rejected"


def test_a_line_leads_to_its_conversation(cast, outbound):
    outbound("rejected")
    page = cast.browser(cast.alice).get("/outbox/").content.decode()
    path = re.search(r'href="(/conversations/\d+/)"', page)[1]
    answer = cast.browser(cast.alice).get(path, follow=True)
    assert answer.redirect_chain[0][0].startswith("/c/")
    assert "Hello 1" in words(answer)
    assert cast.browser(cast.charlie).get(path).status_code == 404
    assert cast.browser(cast.alice).get("/conversations/999999/").status_code == 404


def test_the_operator_stops_and_releases_from_the_terminal(cast, line):
    run = CliRunner().invoke
    several = run(hold, ["place", "--reason", "Key leaked"])
    assert several.exit_code == 1
    assert "--organization" in several.output
    ours = ["--organization", "northbridge"]
    assert "Nothing is stopped." in run(hold, ["list", *ours]).output
    reason = "Key leaked by " + "somebody-in-a-hurry/" * 12  # longer than a terminal is wide
    placed = run(hold, ["place", "--reason", reason, *ours])
    assert placed.exit_code == 0, placed.output
    assert "Nothing leaves any more." in placed.output
    assert queries.holding(cast.alice.organization_id, line.channel_id).reason == reason
    assert queries.open_holds(cast.charlie.organization_id) == []
    assert "The operator" in words(cast.browser(cast.alice).get(SWITCH))
    listed = run(hold, ["list", *ours]).output
    assert f": {reason}\n" in listed
    assert "by the operator since" in listed
    number = str(Hold.objects.get().pk)
    declined = run(hold, ["release", number, *ours], input="n\n")
    assert declined.exit_code == 1
    assert queries.open_holds(cast.alice.organization_id)
    foreign = run(hold, ["release", number, "--organization", "southbank", "--yes"])
    assert foreign.exit_code == 1
    assert run(hold, ["release", number, "--yes", *ours]).exit_code == 0
    assert queries.open_holds(cast.alice.organization_id) == []
