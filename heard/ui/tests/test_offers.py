"""What rooms offer for the frame of every page: each alone, in order, one door being where one stands."""

from __future__ import annotations

import pytest

from heard.ui import offers
from heard.ui.shapes import Banner, NavItem


@pytest.fixture(autouse=True)
def _nothing_offered(monkeypatch):
    for name in ("_navigation", "_settings", "_banners"):
        monkeypatch.setattr(offers, name, [])
    monkeypatch.setattr(offers, "_panels", {})


def breaks(*_given):
    raise RuntimeError("This room is ill.")


def shown(path):
    return [
        (section.title, item.title, item.is_current)
        for section in offers.navigation("somebody", path)
        for item in section.items
    ]


def test_of_two_doors_the_nearer_one_is_where_one_stands():
    offers.offer_navigation("", 10)(
        lambda _: [NavItem("Outbox", "/outbox/"), NavItem("Stop", "/outbox/switch/")]
    )
    assert shown("/outbox/switch/") == [("", "Outbox", False), ("", "Stop", True)]
    assert shown("/outbox/7/undo/") == [("", "Outbox", True), ("", "Stop", False)]
    assert shown("/inbox/") == [("", "Outbox", False), ("", "Stop", False)]


def test_rooms_stand_in_their_order_and_a_section_without_doors_is_left_out():
    offers.offer_navigation("Later", 90)(lambda _: [NavItem("Last", "/z/")])
    offers.offer_navigation("Empty", 20)(lambda _: [])
    offers.offer_navigation("First", 10)(lambda _: [NavItem("One", "/a/")])
    assert [title for title, *_ in shown("/")] == ["First", "Later"]


def test_one_that_breaks_takes_nothing_else_along():
    offers.offer_navigation("", 10)(breaks)
    offers.offer_navigation("", 20)(lambda _: [NavItem("Well", "/well/")])
    offers.offer_banners(breaks)
    offers.offer_banners(lambda _: [Banner("Stopped.")])
    offers.panel("person", 10)(breaks)
    offers.panel("person", 20)(lambda _actor, subject: f"<p>{subject}</p>")
    assert shown("/") == [("", "Well", False)]
    assert [banner.text for banner in offers.banners("somebody")] == ["Stopped."]
    assert offers.panels("person", "somebody", 7) == ["<p>7</p>"]
    assert offers.panels("elsewhere", "somebody", 7) == []
