"""Several people, several tabs, a long thread, a line that breaks."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.installation import RAVI
from tests.journeys.test_answering import is_delivered, stands_once
from tests.journeys.test_working import begin


def test_two_members_see_each_others_answers_arrive(visit, nordwind):
    mara, ravi = visit(), visit(RAVI)
    begin(mara, nordwind, "Does the grill have wheels?", "hanna")
    ravi.row("grill have wheels").click()
    ravi.is_open("grill have wheels")
    ravi.page.get_by_label("Your words").fill("I am still writing this")
    mara.page.get_by_label("Your words").fill("It has two wheels.")
    mara.page.get_by_role("button", name="Send").click()
    expect(ravi.bubble("two wheels")).to_contain_text("Mara Lindt")
    is_delivered(ravi, "two wheels")
    expect(ravi.page.get_by_label("Your words")).to_have_value("I am still writing this")
    ravi.page.get_by_label("Your words").fill("")


def test_a_long_thread_opens_at_its_end_and_stays_quick(visit, nordwind):
    first = nordwind.network.say("This is a long story, part 0.", "igor", kind="direct")
    parts = [
        {"as": "igor", "kind": "direct", "text": f"This is a long story, part {number}."}
        for number in range(1, 200)
    ]
    nordwind.network.control("POST", "say", {"messages": parts})
    mara = visit()
    mara.row("part 199").click()
    mara.is_open("part 199.")
    expect(mara.bubble("part 199.")).to_be_in_viewport()
    mara.page.get_by_label("Your words").fill("A fine story.")
    expect(mara.page.get_by_label("Your words")).to_have_value("A fine story.")
    mara.page.get_by_label("Your words").fill("")
    assert first


def test_seven_tabs_share_one_line(visit, nordwind):
    mara = visit()
    tabs = [mara.page, *(mara.context.new_page() for _ in range(6))]
    streams: list[str] = []
    mara.context.on(
        "request", lambda asked: streams.append(asked.url) if asked.resource_type == "eventsource" else None
    )
    for tab in tabs[1:]:
        tab.goto(f"{nordwind.url}/inbox/")
        tab.locator("html[data-ready]").wait_for(state="attached")
    nordwind.network.say("All seven of you, listen.", "jana")
    for tab in tabs:
        row = tab.locator("#rows .row").filter(has_text="All seven of you")
        expect(row).to_be_visible()
    assert not streams, "a further tab opened a line of its own"
    # When the tab that listens is closed, another takes over.
    tabs[0].close()
    nordwind.network.say("All six of you, listen.", "jana")
    for tab in tabs[1:]:
        expect(tab.locator("#rows .row").filter(has_text="All six of you")).to_be_visible()
    assert streams, "nobody listens any more"


def test_without_a_connection_words_are_kept_and_the_list_catches_up(visit, nordwind):
    mara = visit()
    page = mara.page
    said = begin(mara, nordwind, "Are your cups safe for children?", "kurt")
    mara.expects("ERR_INTERNET_DISCONNECTED|ERR_NETWORK|Failed to fetch|ERR_INCOMPLETE|net::ERR")
    banner = page.locator("#connection")
    expect(banner).to_be_hidden()
    mara.context.set_offline(True)
    page.get_by_label("Your words").fill("They are, from three years on.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#composer-problems")).to_contain_text("Your text is kept")
    expect(banner).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Your words")).to_have_value("They are, from three years on.")
    nordwind.network.say("I spoke while you were away.", "lena")
    mara.context.set_offline(False)
    expect(banner).to_be_hidden(timeout=60_000)
    expect(mara.row("while you were away")).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_value("They are, from three years on.")
    page.get_by_role("button", name="Send").click()
    is_delivered(mara, "from three years on")
    stands_once(nordwind, "from three years on", said)


def test_a_draft_survives_leaving_the_page(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "Where can I see the lamp?", "mona")
    case = page.url
    page.get_by_label("Your words").fill("In any of our shops")
    mara.open("/inbox/")
    mara.open(case)
    expect(page.get_by_label("Your words")).to_have_value("In any of our shops")
    expect(page).to_have_url(re.compile(r"/c/\d+$"))
    page.get_by_label("Your words").fill("")


def test_a_draft_is_found_on_another_device_and_gone_once_it_is_sent(visit, nordwind):
    desk, phone = visit(), visit()
    said = begin(desk, nordwind, "Does the clock tick?", "nora")
    desk.page.get_by_label("Your words").fill("Very softly")
    expect(desk.page.get_by_text("Draft saved")).to_be_visible()
    phone.open("/inbox/")
    expect(phone.row("clock tick").get_by_text("Draft", exact=True)).to_be_visible()
    phone.row("clock tick").click()
    phone.is_open("clock tick")
    expect(phone.page.get_by_label("Your words")).to_have_value("Very softly")
    phone.page.get_by_label("Your words").fill("Very softly indeed.")
    phone.page.get_by_role("button", name="Send").click()
    is_delivered(phone, "softly indeed")
    stands_once(nordwind, "softly indeed", said)
    desk.page.reload()
    expect(desk.page.get_by_label("Your words")).to_have_value("")


def test_what_is_typed_without_a_connection_reaches_the_server_when_it_is_back(visit, nordwind):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "Is the mug blue?", "olaf")
    mara.expects("ERR_INTERNET_DISCONNECTED")
    case = page.url
    mara.context.set_offline(True)
    page.get_by_label("Your words").fill("As blue as the sea")
    expect(page.get_by_text("Draft kept in this browser")).to_be_visible()
    mara.context.set_offline(False)
    expect(page.get_by_text("Draft saved")).to_be_visible(timeout=15_000)
    ravi = visit()
    ravi.open(case)
    expect(ravi.page.get_by_label("Your words")).to_have_value("As blue as the sea")
    page.get_by_label("Your words").fill("")
