"""Whatever stands where a number belongs, in an address or behind it, is answered and never breaks a page."""

from __future__ import annotations

import re
from itertools import product
from urllib.parse import urlencode

import pytest

from tests.tenants.addresses import routes_but

pytestmark = pytest.mark.django_db(databases="__all__")

NUMBERS = ["9223372036854775808", "9" * 40]
WORDS = ["team-²", "member-9223372036854775808"]
ODD = ["²", "-1", "9" * 25, "\x00", "WyIyMDI2LTExLTIyVDEyOjAwOjAwIiwgOTld"]
PARAMETERS = [
    "after", "before", "channel", "images", "reply_to", "view", "state", "to", "up_to", "token",
    "owner", "team", "target", "target_reply", "status", "mode", "brand", "who", "access", "submission_key",
]  # fmt: skip


ROUTES = routes_but("gallery/")


def _filled(route: str, number: str, word: str) -> str:
    numbered = re.sub(r"<int:\w+>", number, route)
    return "/" + re.sub(r"<(?:\w+:)?\w+>", word, numbered)


def test_an_address_with_an_odd_number_is_answered(cast, line) -> None:
    browser = cast.browser(cast.alice)
    for route in [route for route in ROUTES if "<" in route]:
        for number, word in [(number, "open") for number in NUMBERS] + [("1", word) for word in WORDS]:
            for ask in (browser.get, browser.post):
                address = _filled(route, number, word)
                assert ask(address).status_code < 500, address


PAGES = """
    inbox/ inbox/all/ c/CASE c/CASE/answer c/CASE/count c/CASE/assign c/CASE/status journal/ notifications/
    notifications/read/ outbox/ outbox/switch/ settings/channels/1/access/ settings/members/
""".split()  # noqa: SIM905 - a list of words reads best as words


def test_odd_words_behind_an_address_are_answered(cast, line) -> None:
    browser, case_id = cast.browser(cast.alice), str(line.case())
    for route, odd in product(PAGES, ODD):
        address = "/" + route.replace("CASE", case_id)
        given = {name: odd.encode("utf-8", "surrogatepass") for name in PARAMETERS}
        assert browser.get(address, given).status_code < 500, odd
        for mode in ("reply", "note")[: 2 if "answer" in route else 1]:
            body = urlencode({**given, "mode": mode, "text": "Hello"})
            posted = browser.post(address, body, content_type="application/x-www-form-urlencoded")
            assert posted.status_code < 500, odd
        for name in ("after", "channel", "view"):  # the first that is refused hides the others
            others = {key: value for key, value in given.items() if key not in {"after", "channel", "view"}}
            assert browser.get(address, {**others, name: given[name]}).status_code < 500, (name, odd)
