"""The inbox by its addresses, as a browser without script and as htmx ask for them."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from heard.connectorkit.vocabulary import Author, Ref, Visibility
from heard.domains.channels import actions as channels
from heard.domains.conversations.models import Conversation, Message
from heard.domains.inbox.models import Case, CaseConversation
from heard.domains.organizations import queries as people
from heard.domains.outbox import actions as outbox
from heard.domains.outbox.models import Outbound
from heard.foundation import clock
from tests.cast import work
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def words(answer: Any) -> str:
    """What stands on a page, without its tags."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


def ask(browser: Client, path: str, **given: Any) -> Any:
    """A POST as htmx makes it."""
    return browser.post(path, given, headers={"HX-Request": "true"})


def triggers(answer: Any) -> dict[str, Any]:
    """What the answer tells the page besides."""
    return dict(json.loads(answer["HX-Trigger"]))


@pytest.fixture
def alice(cast) -> Client:
    return cast.browser(cast.alice)


def later(seconds: float) -> None:
    """Time passes, and the work is done."""
    with clock.frozen(clock.now() + timedelta(seconds=seconds)):
        work()


# Reading ----------------------------------------------------------------------------------------------


def test_the_inbox_links_each_case_and_shows_what_was_said_last(line, alice) -> None:
    first, second = line.case(1, "ann", sent_at=AT), line.case(2, "ben", sent_at=AT + timedelta(minutes=1))
    page = alice.get("/inbox/")
    assert re.findall(r'href="/c/(\d+)"', page.content.decode())[:2] == [str(second), str(first)]
    assert "Hello 2" in words(page)
    assert alice.get("/").headers.get("Location") == "/inbox/"


def test_a_case_shows_its_words_in_their_order_under_the_post_they_are_about(line, alice) -> None:
    us = Author("us", "@us", "Our company", is_us=True)
    line.says(message("post", author=us, text="Our new lamp.", mentions_us=False, sent_at=AT))
    case_id = line.case(1, "ann", text="Does it dim?", parent=Ref("mpost"), sent_at=AT + timedelta(minutes=1))
    line.says(
        message(2, "ben", text="Mine hums.", parent=Ref("m1"), mentions_us=False,
                sent_at=AT + timedelta(minutes=2)),
        message(3, "ann", text="Mine as well.", parent=Ref("m2"), mentions_us=False,
                sent_at=AT + timedelta(minutes=3)),
    )  # fmt: skip
    page = alice.get(f"/c/{case_id}")
    shown = page.content.decode()
    places = [shown.index(text, shown.index('id="messages"')) for text in
              ("Our new lamp.", "Does it dim?", "Mine hums.", "Mine as well.")]  # fmt: skip
    assert places == sorted(places)
    assert re.findall(r'message-inbound (?:depth-(\d))?"', shown) == ["", "1", "2"]
    assert "Public on Memory" in words(page)


def test_public_and_private_stand_apart_in_one_case(line, alice) -> None:
    case_id = line.case(1, "ann")
    line.says(message(2, "ann", text="My card ends in 42.", visibility=Visibility.PRIVATE, thread_key="c"))
    page = alice.get(f"/c/{case_id}")
    assert "Public on Memory" in words(page)
    assert "Private on Memory" in words(page)
    assert len(re.findall(r'class="conversation" id=', page.content.decode())) == 2
    assert "Direct message" not in words(page)
    assert "as Our company on Memory, only they can see it" in words(page)


def test_opening_a_case_marks_it_read(line, cast, alice) -> None:
    case_id = line.case(1, "ann", sent_at=clock.now())
    assert "is-unread" in alice.get("/inbox/").content.decode()
    alice.get(f"/c/{case_id}")
    assert "is-unread" not in alice.get("/inbox/").content.decode()
    assert "is-unread" in cast.browser(cast.bob).get("/inbox/").content.decode()


@pytest.mark.parametrize("region", ["pane", "messages", "rows", "list", "thread-head", "person"])
def test_htmx_is_given_the_region_it_asks_for_and_no_page(line, alice, region: str) -> None:
    case_id, *_ = [line.case(number, f"person{number}") for number in range(1, 6)]
    answer = alice.get(f"/c/{case_id}", headers={"HX-Request": "true", "HX-Target": f"div#{region}"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    whole = alice.get(f"/c/{case_id}")
    assert "<html" in whole.content.decode()
    assert len(answer.content) < len(whole.content) / 2


def test_a_conversation_leads_to_the_case_that_owns_it(line, cast, alice) -> None:
    case_id = line.case()
    here = f"/conversations/{Conversation.objects.get().pk}/"
    assert alice.get(here)["Location"] == f"/c/{case_id}"
    assert cast.browser(cast.charlie).get(here).status_code == 404
    assert alice.get("/conversations/9223372036854775809/").status_code == 404


HOSTILE = {
    "nul": {"text": "before\0after"},
    "combining": {"text": "a" + "\u0301" * 32_768},
    "override": {"text": "\u202egnitirw", "author": Author("p", "@p", "\u202eeve")},
    "1601": {"sent_at": datetime(1601, 1, 1, tzinfo=UTC)},
    "9999": {"sent_at": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)},
    "long": {
        "author": Author("p" * 500, "h" * 3_000, "n" * 3_000),
        "url": "https://a.example/" + "x" * 3_000,
    },
    "markup": {"text": "<script>alert(1)</script>", "author": Author("p", "@p", "<b onclick=x>")},
    "link": {"url": "javascript:alert(1)"},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_whatever_was_said_the_list_and_the_case_can_be_read_and_answered(
    line, alice, changes: dict[str, Any]
) -> None:
    case_id = line.case(1, **changes)
    line.says(message(2, "ben", text="An ordinary question."))
    case_page, list_page = alice.get(f"/c/{case_id}"), alice.get("/inbox/")
    for page in (case_page, list_page):
        assert page.status_code == 200
        shown = page.content.decode()
        assert "An ordinary question." in shown
        assert not re.search(r"\0|<script>|onclick=x>|href=\"javascript", shown)
        assert "\u202e" not in re.findall(r"<title>(.*)</title>", shown)[0]
        # A direction that is opened is closed in the same line, so that nothing around it turns.
        for text in re.findall(r">([^<]*\u202e[^<]*)<", shown):
            assert text.count("\u202e") == text.count("\u202c")
        assert "\u0301" * 50 not in shown
        assert len(shown) < 300_000
    assert ask(alice, f"/c/{case_id}/answer", mode="reply", text="Thank you.").status_code == 200
    later(11)
    assert [post.text for post in line.network.posts] == ["Thank you."]


# Answering --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
def test_an_answer_waits_ten_seconds_and_then_stands_on_the_network_once(line, alice, htmx: bool) -> None:
    case_id = line.case()
    page = words(alice.get(f"/c/{case_id}"))
    assert "as Our company on Memory, everybody can see it" in page
    key = re.search(r'name="submission_key" value="(\w+)"', alice.get(f"/c/{case_id}").content.decode())
    form = {"mode": "reply", "text": "We are sorry.", "submission_key": key[1] if key else ""}
    for _ in range(2):  # a double click
        answer = alice.post(f"/c/{case_id}/answer", form, headers={"HX-Request": "true"} if htmx else {})
        assert answer.status_code == (200 if htmx else 302)
    shown = alice.get(f"/c/{case_id}")
    assert "We are sorry." in words(shown)
    assert "/undo" in shown.content.decode()
    later(9)
    assert line.network.posts == []
    later(11)
    assert [post.text for post in line.network.posts] == ["We are sorry."]
    sent = alice.get(f"/c/{case_id}")
    assert "Delivered" in words(sent)
    assert "/undo" not in sent.content.decode()
    assert "You: We are sorry." in words(sent)


def test_undo_gives_the_words_back_and_nothing_leaves(line, alice) -> None:
    case_id = line.case()
    ask(alice, f"/c/{case_id}/answer", mode="reply", text="Too hasty.")
    number = Outbound.objects.get().pk
    answer = ask(alice, f"/c/{case_id}/outbound/{number}/undo")
    assert triggers(answer)["heard:draft"] == {"text": "Too hasty."}
    later(60)
    assert line.network.posts == []
    assert "Too hasty." not in words(alice.get(f"/c/{case_id}"))


def test_what_is_refused_before_it_leaves_is_said_and_no_word_is_lost(line, alice) -> None:
    case_id = line.case()
    text = "Dear Ann, " + "x" * 300
    by_htmx = ask(alice, f"/c/{case_id}/answer", mode="reply", text=text)
    plain = alice.post(f"/c/{case_id}/answer", {"mode": "reply", "text": text})
    for answer in (by_htmx, plain):
        assert answer.status_code == 422
        assert "280" in words(answer)
    assert text in words(plain)
    for mode in ("shout", ""):
        assert "Choose how to answer" in words(ask(alice, f"/c/{case_id}/answer", mode=mode, text="Hi"))
    assert not Outbound.objects.exists()


def test_a_refused_message_shows_its_reason_and_leaves_by_retry(line, alice) -> None:
    plan = ["rejected"]
    line.network.fault = lambda _order: plan.pop(0) if plan else ""
    case_id = line.case()
    ask(alice, f"/c/{case_id}/answer", mode="reply", text="You fool.")
    later(11)
    page = alice.get(f"/c/{case_id}")
    assert "Too rude for this network." in words(page)
    number = Outbound.objects.get().pk
    assert f"/c/{case_id}/outbound/{number}/retry" in page.content.decode()
    assert ask(alice, f"/c/{case_id}/outbound/{number}/retry").status_code == 200
    later(30)
    assert [post.text for post in line.network.posts] == ["You fool."]


def test_where_nobody_can_tell_the_case_asks_the_person(line, alice) -> None:
    line.network.without_keys()
    line.network.can_look = False
    line.network.fault = lambda _order: "after"
    case_id = line.case()
    ask(alice, f"/c/{case_id}/answer", mode="reply", text="Anybody there?")
    for seconds in (11, 20, 30):
        later(seconds)
    page = alice.get(f"/c/{case_id}").content.decode()
    number = Outbound.objects.get().pk
    found = re.search(rf"/c/{case_id}/outbound/{number}/sent\?seen=\d+", page)
    assert found
    assert "It is there" in page
    assert "Send again" in page
    assert ask(alice, found[0]).status_code == 200
    assert Outbound.objects.get().state == "sent"


def test_files_go_along_with_their_descriptions(line, alice) -> None:
    case_id = line.case()
    picture = SimpleUploadedFile("lamp.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64, "image/png")
    answer = ask(alice, f"/c/{case_id}/answer", mode="reply", text="Like this.", files=picture, alt="A lamp")
    assert answer.status_code == 200, words(answer)
    later(11)
    assert [post.text for post in line.network.posts] == ["Like this."]
    table = SimpleUploadedFile("prices.csv", b"1,2,3", "text/csv")
    answer = ask(alice, f"/c/{case_id}/answer", mode="reply", text="And this.", files=table)
    assert answer.status_code == 422
    later(22)
    assert len(line.network.posts) == 1


def test_a_file_too_large_to_keep_is_refused_before_it_is_read(line, alice, monkeypatch) -> None:
    monkeypatch.setattr("heard.domains.media.rules.LARGEST_BYTES", 1_000_000)
    monkeypatch.setattr("heard.domains.media.actions.store", pytest.fail)
    case_id = line.case()
    small = SimpleUploadedFile("small.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64, "image/png")
    film = SimpleUploadedFile("film.png", b"0" * 3_500_000, "image/png")
    form = {"mode": "reply", "text": "Look at this.", "files": [small, film]}
    answer = alice.post(f"/c/{case_id}/answer", form)
    assert answer.status_code == 422
    assert "film.png has 3 MB; files have at most 1 MB." in words(answer)
    assert "Look at this." in words(answer)
    assert not Outbound.objects.exists()


def test_a_note_stays_in_the_house(line, cast, alice) -> None:
    case_id = line.case()
    ask(alice, f"/c/{case_id}/answer", mode="note", text="She rang twice.")
    later(11)
    assert line.network.posts == []
    shown = words(cast.browser(cast.bob).get(f"/c/{case_id}"))
    assert "Alice Archer Internal note" in shown
    assert "She rang twice." in shown


def test_while_everything_is_stopped_the_composer_says_so_and_words_wait(line, cast, alice) -> None:
    case_id = line.case()
    outbox.place_hold(cast.alice, reason="A fire at the station")
    ask(alice, f"/c/{case_id}/answer", mode="reply", text="We are sorry.")
    later(11)
    shown = words(alice.get(f"/c/{case_id}"))
    assert "Sending is stopped: A fire at the station. What you send waits." in shown
    assert "We are sorry." in shown
    assert line.network.posts == []


def test_texts_are_counted_as_the_network_counts(line, alice) -> None:
    case_id = line.case()
    for text, used, over in (("Hello", 5, False), ("👨‍👩‍👧‍👦" * 3, 3, False), ("x" * 300, 300, True)):
        answer = alice.post(f"/c/{case_id}/count", {"mode": "reply", "text": text})
        assert json.loads(answer.content) == {"maximum": 280, "used": used, "over": over}
    assert alice.post(f"/c/{case_id}/count", {"mode": "note", "text": "x"}).status_code == 404


def test_what_was_said_elsewhere_is_not_answered_from_here(line, cast, alice, connect_line) -> None:
    case_id = line.case(1, "ann")
    line.case(2, "ben")
    connect_line(cast.charlie).says(message(7, "fay"))
    for other in ("m2", "m7"):
        target = Message.objects.get(native_id=other).pk
        answer = ask(alice, f"/c/{case_id}/answer", mode="reply", text="Hi", target_reply=str(target))
        assert answer.status_code == 404
    assert not Outbound.objects.exists()


# Working ----------------------------------------------------------------------------------------------


def test_a_case_is_given_away_and_what_is_not_said_stays(line, cast, alice) -> None:
    case_id = line.case()
    team = people.teams(cast.alice)[0]
    ask(alice, f"/c/{case_id}/assign", owner=str(cast.bob.member_id))
    ask(alice, f"/c/{case_id}/assign", team=str(team.id))
    row = Case.objects.get()
    assert (row.owner_id, row.team_id) == (cast.bob.member_id, team.id)
    shown = words(alice.get(f"/c/{case_id}"))
    assert "Alice Archer assigned this to Bob Baker" in shown
    assert f"Alice Archer assigned this to {team.name}" in shown
    assert "Hello 1" in words(cast.browser(cast.bob).get("/inbox/mine/"))
    ask(alice, f"/c/{case_id}/assign", owner="0", team="0")
    assert "unassigned this" in words(alice.get(f"/c/{case_id}"))
    for wrong in ("x", str(cast.charlie.member_id)):
        assert ask(alice, f"/c/{case_id}/assign", owner=wrong).status_code == 422
    assert Case.objects.get().owner_id is None


@pytest.mark.parametrize("status", ["done", "pending", "spam"])
def test_a_status_is_set_said_and_taken_back(line, alice, status: str) -> None:
    case_id = line.case()
    answer = ask(alice, f"/c/{case_id}/status", status=status)
    assert Case.objects.get().status == status
    assert "Hello 1" not in words(alice.get("/inbox/"))
    assert "Hello 1" in words(alice.get(f"/inbox/{status}/"))
    toast = triggers(answer)["heard:toast"]
    back = ask(alice, toast["undo_url"])
    assert "heard:toast" not in back.headers.get("HX-Trigger", "")
    assert "Hello 1" in words(alice.get("/inbox/"))
    assert ask(alice, f"/c/{case_id}/status", status="gone").status_code == 422


def test_who_is_blocked_reaches_the_inbox_no_more(line, alice) -> None:
    case_id = line.case(1, "zorro")
    aside = re.compile(r'id="person-tags"( hx-swap-oob="true")?( hidden)?>(.*?)</div>', re.DOTALL)
    assert aside.search(alice.get(f"/c/{case_id}").content.decode()).groups() == (None, " hidden", "")
    answer = ask(alice, f"/c/{case_id}/block")
    assert "Blocked" in triggers(answer)["heard:toast"]["text"]
    beside, hidden, tags = aside.search(answer.content.decode()).groups()
    assert (bool(beside), bool(hidden), "Blocked" in tags) == (True, False, True)
    line.says(message(2, "zorro"), message(3, "ann"))
    shown = words(alice.get("/inbox/"))
    assert "Hello 3" in shown
    assert "Zorro" not in shown


def test_a_matter_of_its_own_is_split_off_with_what_follows_from_it(line, alice) -> None:
    case_id = line.case(1, "ann")
    line.says(
        message(2, "ben", text="And my bill?", parent=Ref("m1"), mentions_us=False),
        message(3, "ben", text="Number 42.", parent=Ref("m2"), mentions_us=False),
    )
    first, target = (Message.objects.get(native_id=name).pk for name in ("m1", "m2"))
    page = alice.get(f"/c/{case_id}").content.decode()
    assert f'formaction="/c/{case_id}/split/{target}"' in page
    assert f"/split/{first}" not in page  # it opens this conversation
    assert ask(alice, f"/c/{case_id}/split/{target}").status_code == 200
    work()
    other = CaseConversation.objects.exclude(case_id=case_id).get()
    listed = words(alice.get("/inbox/"))
    assert "Hello 1" in listed
    assert "Number 42." in listed
    left = alice.get(f"/c/{case_id}")
    assert "my bill" not in words(left)
    assert f'name="target_reply" value="{first}"' in left.content.decode()
    assert (Case.objects.get(pk=case_id).last_inbound_id, Case.objects.count()) == (first, 2)
    assert {row.native_id for row in Message.objects.filter(conversation_id=other.conversation_id)} == {
        "m2", "m3",
    }  # fmt: skip
    assert Message.objects.get(native_id="m1").conversation_id != other.conversation_id
    assert f"/split/{target}" not in alice.get(f"/c/{other.case_id}").content.decode()
    assert ask(alice, f"/c/{other.case_id}/split/{target}").status_code == 409


def test_who_may_only_read_an_account_is_told_so_and_answers_nothing(line, cast) -> None:
    case_id = line.case()
    channels.change_access(cast.alice, line.channel_id, member_id=cast.bob.member_id, access="view")
    bob = cast.browser(cast.bob)
    shown = words(bob.get(f"/c/{case_id}"))
    assert shown.count("You may read this channel, not answer on it.") == 1
    assert "Public reply, Direct message: You may read" in shown
    assert ask(bob, f"/c/{case_id}/answer", mode="reply", text="Hi").status_code == 403
    assert ask(bob, f"/c/{case_id}/answer", mode="note", text="A note").status_code == 200
    assert not Outbound.objects.exists()
