"""Connecting an account from the form of its manifest, and looking after it."""

from __future__ import annotations

from playwright.sync_api import expect


def test_connect_watch_pause_and_resume(visit, nordwind):
    brand = nordwind.network.control(
        "POST", "accounts", {"handle": "nordwind_press", "name": "Nordwind Press", "kind": "brand"}
    )
    mara = visit()
    page = mara.page
    mara.open("/settings/channels/")
    accounts = page.locator("main .item-list > .item")
    expect(accounts).to_have_count(1)
    page.get_by_role("link", name="Connect an account").click()
    mara.ready()
    mara.accessible()
    page.locator("main").get_by_role("link", name="Sandbox").click()
    mara.ready()
    mara.accessible()

    page.get_by_label("Address").fill(nordwind.network.url)
    page.get_by_label("Access token").fill("wrong-token")
    mara.expects("422")
    page.get_by_role("button", name="Test and connect").click()
    mara.ready()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Access token")).to_have_value("")
    expect(page.get_by_label("Address")).to_have_value(nordwind.network.url)
    assert "wrong-token" not in page.content()
    mara.accessible()
    mara.open("/settings/channels/")
    expect(accounts).to_have_count(1)

    mara.open("/settings/channels/connect/sandbox/")
    page.get_by_label("Address").fill(nordwind.network.url)
    page.get_by_label("Access token").fill(brand["token"])
    page.get_by_role("button", name="Test and connect").click()
    mara.ready()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nordwind Press")
    expect(page.get_by_text("Last heard")).to_be_visible()
    assert brand["token"] not in page.content()
    mara.accessible()
    health = page.url

    page.get_by_role("button", name="Pause").click()
    mara.ready()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    mara.accessible()
    nordwind.network.say("Is anybody of the press there?", "daria", to="nordwind_press")
    nordwind.network.say("I spoke after the press.", "erik")
    mara.open("/inbox/")
    expect(mara.row("spoke after the press")).to_be_visible()
    expect(mara.row("anybody of the press")).to_have_count(0)

    mara.open(health)
    page.get_by_role("button", name="Resume").click()
    mara.ready()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    mara.open("/inbox/")
    expect(mara.row("anybody of the press")).to_be_visible(timeout=40_000)

    mara.open(health)
    page.get_by_text("Disconnect this account").click()
    page.get_by_role("button", name="Disconnect Nordwind Press").click()
    mara.ready()
    mara.open("/settings/channels/")
    expect(accounts.filter(has_text="nordwind_press").filter(has_not_text="Disconnected")).to_have_count(0)
    mara.accessible()
