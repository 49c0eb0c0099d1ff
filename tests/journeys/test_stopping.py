"""Stop everything: at once, for everybody to see, and let go in two steps."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.installation import RAVI
from tests.journeys.test_answering import is_delivered, stands_once
from tests.journeys.test_working import begin


def test_stopped_with_a_reason_and_released_in_two_steps(visit, nordwind):
    mara, ravi = visit(), visit(RAVI)
    page = mara.page
    page.get_by_role("link", name="Stop everything").first.click()
    mara.ready()
    mara.accessible()
    page.get_by_label("Why").fill("Recall of batch 12")
    page.get_by_role("button", name="Stop sending").click()
    mara.ready()
    expect(page.get_by_role("heading", name="Stopped:")).to_be_visible()
    mara.accessible()
    for path in ("/inbox/", "/outbox/", "/settings/channels/", "/settings/profile/", "/notifications/"):
        ravi.open(path)
        expect(ravi.page.locator(".page-banners")).to_contain_text("Recall of batch 12")

    ravi.open("/inbox/")
    said = begin(ravi, nordwind, "Is my kettle of batch 12?", "carla")
    expect(ravi.page.locator(".composer")).to_contain_text("Recall of batch 12")
    ravi.page.get_by_label("Your words").fill("It is not, enjoy your tea.")
    ravi.page.get_by_role("button", name="Send").click()
    held = ravi.bubble("enjoy your tea")
    expect(held).to_contain_text("Recall of batch 12")
    ravi.accessible()

    page.get_by_role("button", name="Release: first step").click()
    mara.ready()
    assert not nordwind.standing("enjoy your tea")
    expect(page.get_by_text("Release asked by")).to_be_visible()
    page.get_by_role("button", name="Release, and send 1 message").click()
    mara.ready()
    expect(page.get_by_text("Nothing is stopped")).to_be_visible()
    is_delivered(ravi, "enjoy your tea")
    stands_once(nordwind, "enjoy your tea", said)
    ravi.open("/inbox/")
    expect(ravi.page.get_by_text("Recall of batch 12")).to_have_count(0)
