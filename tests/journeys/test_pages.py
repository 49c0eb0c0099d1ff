"""Every page: usable by everybody, under its policy, in both lights, on every width; and not heavy."""

from __future__ import annotations

import gzip
import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import expect

from tests.journeys.installation import MARA
from tests.journeys.test_working import begin

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
}  # fmt: skip
PAGES = [
    "/inbox/", "/inbox/mine/", "/inbox/done/", "/inbox/spam/", "/inbox/pending/", "/inbox/open/?waiting=1",
    "{case}", "{person}", "{person}/privacy", "/outbox/", "/outbox/switch/", "/notifications/", "/journal/",
    "/settings/channels/", "/settings/channels/choose/", "/settings/channels/1/",
    "/settings/channels/1/reconnect/", "/settings/channels/connect/sandbox/",
    "/settings/channels/connect/mastodon/", "/settings/channels/connect/bluesky/",
    "/settings/channels/connect/email/",
    "/settings/organization/", "/settings/brands/", "/settings/brands/1/",
    "/settings/teams/", "/settings/teams/1/", "/settings/members/", "/settings/profile/",
    "/account/password/set/", "/account/2fa/", "/account/2fa/totp/activate/", "/account/2fa/webauthn/",
    "/account/2fa/webauthn/add/", "/account/logout/",
]  # fmt: skip
OUTSIDE = ["/account/login/", "/account/password/reset/", "/setup/", "/sign-in/nothing/", "/no/such/page"]
KB = 1024


@pytest.fixture
def places(visit, nordwind):
    """Owner at an open case, and how its pages are called."""

    def prepare(**options):
        mara = visit(**options)
        case = begin_case(mara, nordwind)
        person = mara.page.locator(".person-head a").get_attribute("href")
        return mara, {"case": case, "person": person}

    return prepare


def begin_case(visitor, nordwind) -> str:
    if not nordwind.network.said() or not any(
        "every page" in post["text"] for post in nordwind.network.said()
    ):
        nordwind.network.say("I am on every page, am I not?", "nina")
    visitor.row("every page").click()
    visitor.is_open("every page")
    return str(visitor.page.url)


def strict(answer) -> None:
    """The page's policy allows our own files and nothing else."""
    given = {part.strip() for part in answer.headers["content-security-policy"].split(";")}
    assert given >= POLICY, answer.url
    assert not re.search(r"unsafe|\*|https?:", answer.headers["content-security-policy"]), answer.url


def fits(page) -> None:
    """Nothing has to be scrolled sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide at {page.viewport_size['width']}"


@pytest.mark.timeout(500)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_on_a_desk_and_on_a_phone(places, scheme):
    mara, names = places(color_scheme=scheme)
    mara.expects("404")
    page = mara.page
    wrong = []
    for path in PAGES:
        answer = page.goto(mara.url + path.format(**names).removeprefix(mara.url))
        mara.ready()
        assert answer is not None
        assert answer.status == 200, answer.url
        strict(answer)
        for width, height in ((1440, 900), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            fits(page)
            # What is dark on a desk is as dark on a phone: axe takes its time, and looks there once.
            wrong += mara.barriers() if width > 400 or scheme == "light" else []
        page.set_viewport_size({"width": 320, "height": 640})
        fits(page)
        page.set_viewport_size({"width": 1440, "height": 900})
    assert not wrong, "\n".join(wrong)


def test_pages_outside(browse, nordwind):
    somebody = browse(nordwind.url)
    somebody.expects("404|410|403")
    for path in OUTSIDE:
        for scheme in ("light", "dark"):
            somebody.page.emulate_media(color_scheme=scheme)
            answer = somebody.page.goto(nordwind.url + path)
            somebody.ready()
            strict(answer)
            somebody.accessible()
        somebody.page.set_viewport_size({"width": 320, "height": 640})
        fits(somebody.page)
        somebody.accessible()


def test_no_page_is_forgotten_here():
    """Every address that answers a GET with a page is in the lists above, or says why it is not."""
    covered = [re.sub(r"\{case\}", "/c/1", re.sub(r"\{person\}", "/people/1", path)) for path in PAGES]
    covered = [path.partition("?")[0] for path in covered + OUTSIDE]
    forgotten = [
        route
        for route in _routes(get_resolver())
        if not route.startswith(LEFT_OUT)
        and not any(re.fullmatch(_as_pattern(route), path.lstrip("/")) for path in covered)
    ]
    assert not forgotten, forgotten


LEFT_OUT = (
    "account/", "gallery/", "static/", "metrics", "events", "hooks/", "files/", "healthz", "readyz",
    # Addresses that take a POST, or send on to a page that is listed.
    "switch/", "journal/verify", "journal/checkpoint", "settings/profile/sign-out",
    "settings/brands/<int:brand_id>/",
    "settings/teams/<int:team_id>/", "settings/members/<", "settings/invitations/", "invitation/",
    "settings/channels/<int:channel_id>/", "outbox/<", "outbox/switch/<", "people/<int:contact_id>/",
    "c/<int:case_id>/", "conversations/", "notifications/<", "notifications/read",
)  # fmt: skip


def _routes(resolver: URLResolver, before: str = "") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        found += [route] if isinstance(entry, URLPattern) else _routes(entry, route)
    return [route for route in found if route and route != "settings/"]


def _as_pattern(route: str) -> str:
    return re.sub(r"<[^>]+>", "[^/]+", route)


def test_a_first_visit_is_light(browse, ways_in, nordwind):
    mara = browse(nordwind.url)
    mara.open(ways_in[MARA])
    state = mara.context.storage_state()
    fresh = browse(nordwind.url, storage_state=state)
    weights: dict[str, int] = {}
    heads: dict[str, int] = {}
    kinds: dict[str, str] = {}
    line = fresh.context.new_cdp_session(fresh.page)
    line.send("Network.enable")
    line.on("Network.responseReceived", lambda seen: kinds.update({seen["requestId"]: _kind(seen)}))
    line.on(
        "Network.responseReceived",
        lambda seen: heads.update({seen["requestId"]: int(seen["response"]["encodedDataLength"])}),
    )
    line.on(
        "Network.loadingFinished",
        lambda done: weights.update({done["requestId"]: int(done["encodedDataLength"])}),
    )
    nordwind.network.say("I come for the first time.", "wanda")
    fresh.open("/inbox/")
    expect(fresh.page.locator("#rows .row").first).to_be_visible()
    fresh.page.wait_for_load_state("load")
    fresh.page.evaluate("document.fonts.ready.then(() => true)")
    sums: dict[str, int] = {}
    for number, whole in weights.items():
        weight = whole - heads.get(number, 0)
        sums[kinds.get(number, "other")] = sums.get(kinds.get(number, "other"), 0) + weight
    most = {"html": 12, "css": 12, "script": 40, "icons": 8, "font": 50}
    heavy = {kind: weight for kind, weight in sums.items() if weight > most.get(kind, 4) * KB}
    assert not heavy, sums
    assert sum(sums.values()) <= 120 * KB, sums
    assert {"html", "css", "script"} <= set(sums), sums
    assert fresh.page.locator("*").count() <= 1500


def _kind(seen) -> str:
    kind, url = seen["type"], seen["response"]["url"]
    if url.partition("?")[0].endswith(".svg"):
        return "icons"
    return {"Document": "html", "Stylesheet": "css", "Script": "script", "Font": "font"}.get(kind, "other")


def test_a_conversation_is_light(visit, nordwind):
    mara = visit()
    begin(mara, nordwind, "How heavy is this conversation?", "olga")
    case = mara.page.url
    answer = mara.context.request.get(
        case, headers={"HX-Request": "true", "HX-Target": "div#pane", "Accept-Encoding": "identity"}
    )
    assert answer.ok
    assert "How heavy is this" in answer.text()
    assert len(gzip.compress(answer.body(), 6)) <= 6 * KB
    packed = mara.context.request.get(case, headers={"HX-Request": "true", "HX-Target": "div#pane"})
    assert packed.headers.get("content-encoding") in {"gzip", "br", "zstd"}
    assert mara.page.locator("*").count() <= 1500
