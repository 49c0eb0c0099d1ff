"""What is done with a case besides answering it: who sees it, whose it is, where it stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.journeys.installation import CLAIRE, RAVI
from tests.journeys.test_answering import is_delivered, stands_once
from tests.journeys.visitor import Visitor


def begin(visitor: Visitor, nordwind, words: str, speaker: str, **more: object) -> str:
    """Somebody says this, it arrives, and the visitor opens it; the post's id."""
    said: str = nordwind.network.say(words, speaker, **more)
    visitor.row(words).click()
    visitor.is_open(words)
    return said


def test_a_private_message_is_answered_in_private_only(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "My card number is on the bill, please remove it.", "sven", kind="direct")
    kinds = page.get_by_role("radiogroup", name="Kind of answer")
    expect(kinds.get_by_role("radio")).to_have_count(2)
    expect(kinds.get_by_role("radio", name="Private reply")).to_be_checked()
    expect(kinds.get_by_role("radio", name="Note")).to_be_attached()
    expect(page.locator(".composer")).to_contain_text("only they can see it")
    expect(page.locator("#thread-head")).to_contain_text("Private on Sandbox")
    page.get_by_label("Your words").fill("It is removed, sorry for that.")
    page.get_by_role("button", name="Send").click()
    is_delivered(mara, "It is removed")
    (post,) = nordwind.standing("It is removed")
    assert post["visibility"] == "private"


def test_a_comment_shows_the_post_it_is_about_and_the_tree(visit, nordwind):
    mara = visit()
    page = mara.page
    post = nordwind.network.say("The new Nordwind lamp is on my desk.", "tilda", kind="post")
    first = nordwind.network.say("Does it dim?", "udo", kind="mention", in_reply_to=post)
    third = nordwind.network.say("Mine hums, does yours?", "vera", kind="mention", in_reply_to=first)
    mara.row("Mine hums").click()
    mara.is_open("Mine hums")
    above = page.locator(".post-context")
    expect(above).to_have_text([re.compile("lamp is on my desk"), re.compile("Does it dim")])
    assert above.nth(1).bounding_box()["y"] < mara.bubble("Mine hums").bounding_box()["y"]
    kinds = page.get_by_role("radiogroup", name="Kind of answer")
    expect(kinds.get_by_role("radio", name="Public reply")).to_be_checked()
    expect(kinds.get_by_role("radio", name="Direct message")).to_be_attached()
    mara.accessible()
    page.get_by_label("Your words").fill("Neither dims nor hums, it only shines.")
    page.get_by_role("button", name="Send").click()
    is_delivered(mara, "it only shines")
    stands_once(nordwind, "it only shines", third)
    expect(mara.bubble("it only shines")).to_have_class(re.compile(r"\bdepth-1\b"))


def test_a_note_stays_with_colleagues(visit, nordwind):
    mara, ravi = visit(), visit(RAVI)
    page = mara.page
    begin(mara, nordwind, "My fan makes a noise.", "wim")
    page.keyboard.press("n")
    page.keyboard.type("Batch 12 again, see the recall.")
    expect(page.get_by_role("button", name="Save note")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(mara.bubble("Batch 12 again")).to_contain_text("Internal note")
    mara.accessible()
    ravi.open(re.sub(nordwind.url, "", page.url))
    expect(ravi.bubble("Batch 12 again")).to_contain_text("Mara Lindt")
    assert not [post for post in nordwind.network.standing("") if "Batch 12" in str(post["text"])]


def test_a_case_goes_to_a_colleague_and_to_a_team(visit, nordwind):
    mara, ravi = visit(), visit(RAVI)
    page = mara.page
    begin(mara, nordwind, "Which filter fits my machine?", "xaver")
    page.keyboard.press("a")
    page.locator("#assign").get_by_role("button", name="Ravi Shah").click()
    expect(page.locator("#assign summary")).to_contain_text("Ravi Shah")
    expect(page.locator("#messages")).to_contain_text("Mara Lindt assigned this to Ravi Shah")
    page.locator("#assign summary").click()
    mara.accessible()
    page.locator("#assign").get_by_role("button", name="Press").click()
    expect(page.locator("#messages")).to_contain_text("assigned this to Press")
    ravi.page.get_by_role("link", name="Mine").click()
    ravi.ready()
    expect(ravi.row("Which filter fits")).to_be_visible()
    ravi.open("/notifications/")
    ravi.accessible()
    told = ravi.page.locator("main .item").filter(has_text="A conversation was assigned to you")
    told.first.get_by_role("button", name="Open").click()
    ravi.is_open("Which filter fits")


def test_done_undone_and_opened_again(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "Thanks, all is well now.", "yara")
    page.get_by_role("button", name="Done").click()
    expect(mara.row("all is well")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(mara.row("all is well")).to_be_visible()
    expect(page.locator("heard-toast")).to_have_count(0)
    mara.row("all is well").click()
    mara.is_open("all is well")
    page.keyboard.press("e")
    expect(mara.row("all is well")).to_have_count(0)
    expect(page.locator("heard-toast")).to_contain_text("Done")
    page.locator("#views").get_by_role("link", name="Done").click()
    mara.ready()
    mara.row("all is well").click()
    mara.is_open("all is well")
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("button", name="Done")).to_be_visible()
    mara.open("/inbox/")
    expect(mara.row("all is well")).to_be_visible()


def test_every_command_by_its_name_and_two_keys_to_the_main_pages(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "Is there a manual for the radio?", "vera")
    field = page.get_by_role("combobox", name="Find a command")
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    mara.accessible()
    page.keyboard.type("ravi")
    expect(page.get_by_role("option", name="Assign to: Ravi Shah")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(field).to_be_hidden()
    expect(page.locator("#assign")).to_contain_text("Ravi Shah")
    page.keyboard.press("Control+k")
    page.keyboard.type("nonesuch")
    expect(page.get_by_text("No command is called that here.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    page.get_by_label("Your words").fill("g")
    page.keyboard.press("Control+k")
    page.keyboard.type("inter")
    expect(page.locator("#palette-list li").first).to_contain_text("Write an internal note")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Note")).to_be_checked()
    expect(page.get_by_label("Your words")).to_be_focused()
    page.get_by_label("Your words").fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile(r"/inbox/mine/$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("spam")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/inbox/spam/$"))
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page).to_have_url(re.compile(r"/inbox/$"))


def test_snoozed_by_keyboard_taken_back_and_woken_by_its_person(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "Could you call me tomorrow?", "zoe")
    page.keyboard.press("h")
    expect(page.get_by_role("button", name=re.compile("In three hours"))).to_be_focused()
    mara.accessible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(mara.row("call me tomorrow")).to_have_count(0)
    expect(page.locator("heard-toast")).to_contain_text("Snoozed until")
    page.keyboard.press("z")
    expect(mara.row("call me tomorrow")).to_be_visible()
    expect(page.locator("heard-toast")).to_have_count(0)
    mara.row("call me tomorrow").click()
    mara.is_open("call me tomorrow")
    page.locator("#snooze > summary").click()
    page.get_by_label("Another time").fill(f"{datetime.now(UTC).date() + timedelta(days=30)}T10:15")
    page.get_by_role("button", name="Snooze until that time").click()
    expect(mara.row("call me tomorrow")).to_have_count(0)
    page.locator("#views").get_by_role("link", name="Snoozed").click()
    mara.ready()
    expect(mara.row("call me tomorrow")).to_contain_text("10:15")
    mara.row("call me tomorrow").click()
    mara.is_open("call me tomorrow")
    expect(page.get_by_role("button", name="Wake now")).to_be_visible()
    mara.open("/inbox/")
    nordwind.network.say("Today would be fine, too.", "zoe")
    expect(mara.row("Today would be fine")).to_be_visible()


def test_done_by_mistake_comes_back_when_the_person_writes_again(visit, nordwind):
    mara = visit()
    page = mara.page
    said = begin(mara, nordwind, "Is the shop open on Sunday?", "yves")
    page.get_by_role("button", name="Done").click()
    expect(mara.row("open on Sunday")).to_have_count(0)
    page.mouse.move(700, 300)
    nordwind.network.say("Hello? Nobody there?", "yves", in_reply_to=said)
    mara.open("/inbox/")
    expect(mara.row("Nobody there")).to_be_visible()


def test_spam_and_block(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "Cheap watches, click here.", "zorro")
    page.locator("#thread-head summary").filter(has=page.get_by_label("More actions")).click()
    mara.accessible()
    page.get_by_role("button", name="Mark as spam").click()
    expect(page.locator("#thread-head")).to_contain_text("Spam")
    mara.open("/inbox/spam/")
    mara.row("Cheap watches").click()
    mara.is_open("Cheap watches")
    page.locator("#thread-head summary").filter(has=page.get_by_label("More actions")).click()
    page.get_by_role("button", name="Block this person").click()
    expect(page.locator("heard-toast")).to_contain_text("Blocked")
    expect(page.locator("#person-tags")).to_contain_text("Blocked")
    nordwind.network.say("More cheap watches.", "zorro")
    nordwind.network.say("I come after the watches.", "anton")
    mara.open("/inbox/")
    expect(mara.row("after the watches")).to_be_visible()
    expect(mara.row("More cheap watches")).to_have_count(0)


def test_an_observer_reads_and_cannot_speak(visit, nordwind):
    claire = visit(CLAIRE)
    begin(claire, nordwind, "Do you sell spare lids?", "bruno")
    expect(claire.page.locator(".composer-closed")).to_contain_text("You may read this channel")
    expect(claire.page.get_by_role("button", name="Send")).to_have_count(0)
    expect(claire.page.get_by_label("Your words")).to_have_count(0)
    expect(claire.page.get_by_role("button", name="Done")).to_have_count(0)
    claire.accessible()
    claire.expects("403")
    claire.page.goto(f"{nordwind.url}/settings/members/")
    expect(claire.page.locator("main")).to_be_visible()
    expect(claire.page.get_by_role("heading", name="Members")).to_have_count(0)
    claire.accessible()
