"""The main job: a customer speaks, the right person answers, and it stands on the network once."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.visitor import LEAVES_MS, Visitor

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def is_delivered(visitor: Visitor, words: str) -> None:
    """Wait until the answer's state says so."""
    expect(visitor.bubble(words).get_by_text("Delivered")).to_be_visible(timeout=LEAVES_MS)
    expect(visitor.bubble(words)).to_have_count(1)


def stands_once(nordwind, words: str, under: str) -> None:
    """On the network: once, public, under the post it answers."""
    (post,) = nordwind.standing(words)
    assert (post["in_reply_to"], post["visibility"]) == (under, "public")


def counts_down(visitor: Visitor, words: str) -> None:
    """The answer waits in the thread, says for how long, and offers Undo."""
    waiting = visitor.bubble(words)
    expect(waiting.locator("heard-countdown")).to_have_text(re.compile(r"Sending in \d+ s"))
    expect(waiting.get_by_role("button", name="Undo")).to_be_visible()


def test_by_mouse(visit, nordwind):
    mara = visit()
    page = mara.page
    page.evaluate("window.heardNoReload = true")
    mara.accessible()
    said = nordwind.network.say("Where is my blue kettle?", "ines")
    expect(mara.row("blue kettle")).to_be_visible()
    expect(page.locator("#rows .row").first).to_contain_text("blue kettle")
    mara.row("blue kettle").click()
    mara.is_open("blue kettle")
    expect(page).to_have_url(re.compile(r"/c/\d+$"))
    expect(page).to_have_title(re.compile("^Ines · Nordwind"))
    expect(page.get_by_role("textbox", name="Your words")).to_be_visible()
    expect(page.locator(".composer-hint, [id^=composer-hint]").first).to_contain_text("everybody can see it")
    page.get_by_label("Your words").fill("Your kettle left on Monday.")
    page.get_by_role("button", name="Send").click()
    counts_down(mara, "left on Monday")
    expect(page.get_by_label("Your words")).to_have_value("")
    mara.accessible()
    assert not nordwind.standing("left on Monday"), "it left before its time to be undone was over"
    is_delivered(mara, "left on Monday")
    stands_once(nordwind, "left on Monday", said)
    assert page.evaluate("window.heardNoReload"), "the page was loaded again"


def test_by_keyboard_alone(visit, nordwind):
    mara = visit()
    page = mara.page
    said = nordwind.network.say("Do you ship green teapots?", "oskar")
    expect(mara.row("green teapots")).to_be_visible()
    page.keyboard.press("j")
    expect(mara.row("green teapots")).to_be_focused()
    page.keyboard.press("Enter")
    mara.is_open("green teapots")
    page.keyboard.press("r")
    expect(page.get_by_label("Your words")).to_be_focused()
    page.keyboard.type("Yes, we ship them anywhere.")
    page.keyboard.press("Control+Enter")
    counts_down(mara, "ship them anywhere")
    is_delivered(mara, "ship them anywhere")
    stands_once(nordwind, "ship them anywhere", said)


def test_on_a_phone(visit, nordwind):
    mara = visit(**PHONE)
    page = mara.page
    said = nordwind.network.say("Is the red lamp back?", "petra")
    expect(mara.row("red lamp")).to_be_visible()
    mara.accessible()
    mara.row("red lamp").tap()
    mara.is_open("red lamp")
    expect(page.locator("#list")).to_be_hidden()
    mara.accessible()
    page.get_by_label("Your words").fill("It is back on Friday.")
    page.get_by_role("button", name="Send").tap()
    counts_down(mara, "back on Friday")
    is_delivered(mara, "back on Friday")
    stands_once(nordwind, "back on Friday", said)
    page.get_by_role("link", name="Back to the list").tap()
    expect(page.locator("#list")).to_be_visible()
    expect(mara.row("back on Friday")).to_contain_text("You:")


def test_undo_gives_the_words_back_and_nothing_leaves(visit, nordwind):
    mara = visit()
    page = mara.page
    nordwind.network.say("My order 77 came twice.", "quentin")
    mara.row("came twice").click()
    mara.is_open("came twice")
    page.get_by_label("Your words").fill("Please keep both, with our thanks.")
    page.keyboard.press("Control+Enter")
    counts_down(mara, "Please keep both")
    mara.bubble("Please keep both").get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Your words")).to_have_value("Please keep both, with our thanks.")
    expect(mara.bubble("Please keep both")).to_have_count(0)
    # Another answer goes all the way; had the first not been undone, it would stand before it.
    page.get_by_label("Your words").fill("We will collect one of them.")
    page.keyboard.press("Control+Enter")
    is_delivered(mara, "collect one of them")
    assert not nordwind.standing("Please keep both")


def test_a_refused_message_stays_with_its_reason_and_retry_works(visit, nordwind):
    mara = visit()
    page = mara.page
    said = nordwind.network.say("Can I pay by card?", "rosa")
    mara.row("pay by card").click()
    mara.is_open("pay by card")
    nordwind.network.fault("status", status=422)
    page.get_by_label("Your words").fill("Cards are welcome.")
    page.get_by_role("button", name="Send").click()
    refused = mara.bubble("Cards are welcome")
    expect(refused.locator(".message-reason")).to_be_visible(timeout=LEAVES_MS)
    expect(refused.get_by_role("button", name="Discard")).to_be_visible()
    mara.accessible()
    assert not nordwind.standing("Cards are welcome")
    refused.get_by_role("button", name="Retry").click()
    is_delivered(mara, "Cards are welcome")
    stands_once(nordwind, "Cards are welcome", said)
