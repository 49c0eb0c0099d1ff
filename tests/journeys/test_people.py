"""A person asks what is held about them, and to be forgotten."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.test_working import begin


def test_export_and_erase(visit, nordwind, tmp_path):
    mara = visit()
    page = mara.page
    begin(mara, nordwind, "I live at Rosenweg 9, please deliver there.", "frieda")
    case = page.url
    page.get_by_role("link", name="Export or erase").click()
    mara.ready()
    mara.accessible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download export").click()
    saved = tmp_path / "export"
    waiting.value.save_as(saved)
    assert "Rosenweg 9" in _all_of(saved)

    mara.expects("422")
    page.get_by_label("Type the name").fill("Somebody else")
    page.get_by_role("button", name="Erase Frieda").click()
    mara.ready()
    expect(page.get_by_text("This is not the name above.")).to_be_visible()
    mara.accessible()

    page.get_by_label("Type the name").fill("Frieda")
    page.get_by_label("Do not collect").check()
    page.get_by_role("button", name="Erase Frieda").click()
    mara.ready()
    expect(page.get_by_role("heading", name="This person was erased")).to_be_visible()
    mara.accessible()
    mara.open(case)
    expect(page.locator("#messages")).to_contain_text("Erased at this person")
    assert "Rosenweg" not in page.content()
    assert "frieda" not in page.content().lower()

    nordwind.network.say("It is me again.", "frieda")
    nordwind.network.say("I came after her.", "gregor")
    mara.open("/inbox/")
    expect(mara.row("came after her")).to_be_visible()
    expect(mara.row("It is me again")).to_have_count(0)


def _all_of(saved: Path) -> str:
    return json.dumps(json.loads(saved.read_text(encoding="utf-8")), ensure_ascii=False)
