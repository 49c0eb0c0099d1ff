"""What an agent does at the desk, in a real browser under the real content security policy."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
TEXT = "#composer-text"
SEND = ".composer [type=submit]"


def open_case(tab, case):
    """Click a row and wait for its thread."""
    tab.click(f"#case-{case} .row")
    tab.wait_for_selector(f'#thread[data-case="{case}"]')


def until(tab, script):
    """Wait until a script says yes. (Playwright's own way evaluates a string, which the policy forbids.)"""
    for _ in range(200):
        if tab.evaluate(script):
            return
        tab.wait_for_timeout(40)
    raise AssertionError(f"never came true: {script}")


def focused(tab):
    """The id or case of the focused element."""
    return tab.evaluate("document.activeElement.dataset.case ?? document.activeElement.id")


def test_opening_walking_and_going_back_have_real_addresses(visit):
    tab = visit().page("/inbox/")
    open_case(tab, 1)
    assert tab.url.endswith("/c/1")
    assert tab.title().startswith("Amara Okafor")
    tab.keyboard.press("j")
    tab.wait_for_selector('#thread[data-case="2"]')
    assert focused(tab) == "2"  # opening does not take the focus off the list
    tab.go_back()
    tab.wait_for_selector('#thread[data-case="1"]')
    tab.go_back()
    tab.wait_for_selector("#pane .empty")
    assert tab.url.endswith("/inbox/")


def test_a_draft_outlives_reloads_and_other_cases(visit):
    tab = visit().page("/c/4")
    tab.keyboard.press("r")
    assert focused(tab) == "composer-text"
    tab.keyboard.type("Hello")
    tab.reload()
    expect(tab.locator(TEXT)).to_have_value("Hello")
    tab.focus(TEXT)
    tab.keyboard.press("Escape")
    assert focused(tab) == "4"
    tab.keyboard.press("j")
    tab.wait_for_selector('#thread[data-case="5"]')
    expect(tab.locator(TEXT)).to_have_value("")
    tab.keyboard.press("k")
    tab.wait_for_selector('#thread[data-case="4"]')
    expect(tab.locator(TEXT)).to_have_value("Hello")


def test_the_counter_counts_as_the_network_does(visit):
    tab = visit().page("/c/4")
    tab.fill(TEXT, f"Hi https://transit.example/{'a' * 80} @me@far.example 👩‍👩‍👧")
    # "Hi " 3, the address 23 whatever its length, " @me " 5, the family 1
    expect(tab.locator("[data-counter]")).to_have_text(str(500 - 3 - 23 - 5 - 1))
    tab.fill(TEXT, "x" * 485)
    expect(tab.locator("#announcer")).to_have_text("Characters left: 15")
    tab.fill(TEXT, "x" * 503)
    expect(tab.locator(SEND)).to_have_attribute("aria-disabled", "true")
    expect(tab.locator("#announcer")).to_have_text("Characters too many: 3")


def test_sending_waits_and_can_be_undone(visit, happenings):
    tab = visit().page("/c/4")
    tab.fill(TEXT, "On its way")
    tab.keyboard.press("Control+Enter")
    expect(tab.locator("#o-99 heard-countdown")).to_contain_text("Sending in")
    expect(tab.locator(TEXT)).to_have_value("")
    assert tab.evaluate("localStorage.length") == 0
    tab.click("#o-99 [data-verb=undo]")
    expect(tab.locator(TEXT)).to_have_value("taken back, übrigens")
    expect(tab.locator("#o-99")).to_have_count(0)
    assert [post["text"] for post in happenings.posted] == ["On its way"]


@pytest.mark.parametrize(
    ("text", "problem"), [("too long", "Mastodon takes at most"), ("broken", "Your text is kept")]
)
def test_a_refused_answer_stays_with_its_reason(visit, text, problem):
    tab = visit().page("/c/4")
    tab.fill(TEXT, text)
    tab.click(SEND)
    expect(tab.locator("#composer-problems")).to_contain_text(problem)
    expect(tab.locator(TEXT)).to_have_value(text)
    expect(tab.locator(SEND)).to_be_enabled()


def test_nothing_moves_under_a_click(visit):
    # Leaving a text area fires "change" in mid-click: a problem that vanished then moved the target.
    tab = visit().page("/c/4")
    tab.fill(TEXT, "x" * 505)
    tab.keyboard.press("Control+Enter")
    expect(tab.locator("#composer-problems p")).to_be_visible()
    tab.check("[name=mode][value=note]")
    expect(tab.locator(SEND)).to_contain_text("Save note")


def test_every_file_asks_for_words(visit, happenings):
    tab = visit().page("/c/4")
    tab.fill(TEXT, "Look")
    picture = {"name": "stop.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
    film = {"name": "board.mp4", "mimeType": "video/mp4", "buffer": b"film"}
    tab.set_input_files(".composer [type=file]", files=[picture, film])
    tab.press(TEXT, "Control+Enter")
    expect(tab.locator("#composer-problems")).to_contain_text("Describe each picture")
    tab.fill(".upload-tile:nth-child(1) [name=alt]", "An empty stop")
    tab.check(".upload-tile:nth-child(2) [type=checkbox]")
    tab.click(SEND)
    tab.wait_for_selector("#o-99")
    expect(tab.locator(".upload-tile")).to_have_count(0)
    assert [(post["files"], post["alts"]) for post in happenings.posted] == [(2, ["An empty stop", ""])]


def test_a_file_the_network_does_not_take_is_refused_before_it_leaves(visit, happenings):
    tab = visit().page("/c/4")
    tab.fill(TEXT, "Look")
    tab.set_input_files(
        ".composer [type=file]", files=[{"name": "a.exe", "mimeType": "application/x-dos", "buffer": b"MZ"}]
    )
    tab.press(TEXT, "Control+Enter")
    expect(tab.locator("#composer-problems")).to_contain_text("a.exe is of a kind this network does not take")
    assert happenings.posted == []


def test_done_goes_on_to_the_next_and_can_be_undone(visit):
    tab = visit().page("/c/4")
    tab.focus("#case-4 .row")
    tab.keyboard.press("e")
    tab.wait_for_selector('#thread[data-case="5"]')
    expect(tab.locator("#case-4")).to_have_count(0)
    expect(tab.locator("[data-count]")).to_have_text("49")
    tab.wait_for_selector("heard-toast")
    tab.keyboard.press("z")
    expect(tab.locator("#case-4")).to_have_count(1)
    expect(tab.locator("[data-count]")).to_have_text("50")


def test_done_where_no_neighbour_is_stays_and_says_so(visit):
    tab = visit().page("/c/4")
    said = []
    tab.on("console", lambda message: said.append(message.text))
    tab.evaluate("document.querySelectorAll('#rows > li').forEach((item) => item.remove())")
    # The posted status asks for the same region; what is waited for here is the fresh look.
    head = tab.expect_response(
        lambda answer: (
            answer.request.headers.get("hx-target") == "header#thread-head" and answer.request.method == "GET"
        )
    )
    with head:
        tab.click("[data-done] button")
    expect(tab.locator("heard-toast")).to_have_text("DoneUndoz×")
    assert focused(tab) == "thread-scroll"
    assert said == []


def test_a_refused_done_puts_the_row_back_and_says_why(visit):
    tab = visit().page("/c/24")
    tab.click("[data-done] button")
    expect(tab.locator("heard-toast")).to_contain_text("Rui Costa has answered meanwhile – look first.")
    expect(tab.locator("#case-24")).to_have_count(1)
    expect(tab.locator("[data-count]")).to_have_text("50")


def test_a_late_pane_never_lands_on_somebody_who_types(visit):
    tab = visit().page("/c/3")
    held = []
    tab.route("**/c/6", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks what it is given
    tab.focus(TEXT)
    tab.evaluate("document.querySelector('#case-6 .row').click()")
    tab.keyboard.type("still writing")
    until(tab, "document.querySelector('#case-6 .row').ariaCurrent === 'true'")
    with tab.expect_event("requestfinished", lambda request: request.url.endswith("/c/6")):
        held[0].continue_()
    tab.wait_for_selector('#case-3 .row[aria-current="true"]')
    assert tab.get_attribute("#thread", "data-case") == "3"
    expect(tab.locator(TEXT)).to_have_value("still writing")


def test_new_rows_wait_behind_a_pill_while_the_list_is_in_use(visit, happenings):
    tab = visit().page("/inbox/")
    tab.evaluate("for (const n of [1, 2]) document.querySelector(`#case-${n}`).remove()")
    tab.focus("#case-7 .row")
    happenings.tell(list=True, cases=[1, 2])
    expect(tab.locator("#list-pill")).to_have_text("2 new")
    expect(tab.locator("#case-1")).to_have_count(0)
    tab.click("#list-pill")
    expect(tab.locator("#rows > :first-child")).to_have_id("case-1")


def test_new_rows_come_in_at_the_top_of_an_idle_list(visit, happenings):
    tab = visit().page("/c/3")
    tab.evaluate("document.querySelector('#case-1').remove()")
    tab.mouse.move(1000, 300)
    happenings.tell(list=True, cases=[1])
    expect(tab.locator("#rows > :first-child")).to_have_id("case-1")
    expect(tab.locator("#list-pill")).to_be_hidden()


def test_the_open_thread_is_refreshed_and_its_composer_is_not(visit, happenings):
    tab = visit().page("/c/3")
    tab.focus(TEXT)
    tab.keyboard.type("half a sen")
    tab.evaluate(
        "window.before = document.querySelector('#composer-text'); document.querySelector('#m-5').remove()"
    )
    happenings.tell(cases=[3])
    tab.wait_for_selector("#m-5")
    assert tab.evaluate("window.before === document.activeElement")
    expect(tab.locator(TEXT)).to_have_value("half a sen")


def test_tabs_share_one_line_and_hand_it_on(visit, happenings):
    visitor = visit()
    first = visitor.page("/c/3")
    second = visitor.page("/c/3")
    for round_trip in (1, 2):
        second.evaluate("document.querySelector('#m-5').remove()")
        happenings.tell(cases=[3])
        second.wait_for_selector("#m-5")
        assert happenings.lines == round_trip
        if not first.is_closed():
            first.close()
            until(second, "document.querySelector('heard-live').source?.readyState === 1")


def test_a_tab_that_was_on_its_way_learns_what_the_others_were_told(visit, happenings):
    visitor = visit()
    first = visitor.page("/c/3")
    until(first, "document.querySelector('heard-live').connected")
    happenings.tell(cases=[3])  # the second tab's page will not have this, and it is not told twice
    until(first, "document.querySelector('heard-live').position === '1'")
    second = visitor.context.new_page()
    with second.expect_request(lambda asked: "section#live" in asked.headers.get("hx-target", "")):
        second.goto(f"{visitor.url}/c/3")
    until(second, "document.querySelector('heard-live').position === '1'")


def test_a_lost_line_is_said_and_made_up_for(visit, happenings):
    tab = visit().page("/c/3")
    until(tab, "document.querySelector('heard-live').connected")
    tab.context.set_offline(True)
    tab.evaluate("document.querySelector('heard-live').lost()")
    expect(tab.locator("#connection")).to_be_visible(timeout=15_000)  # after five seconds
    tab.evaluate("document.querySelector('#m-5').remove()")
    tab.context.set_offline(False)
    tab.wait_for_selector("#m-5", timeout=15_000)  # nothing was told: it looked again by itself
    expect(tab.locator("#connection")).to_be_hidden()


def test_keys_never_act_in_a_field_or_over_a_dialog(visit):
    tab = visit().page("/c/3")
    tab.focus(TEXT)
    tab.keyboard.type("jeez? e")
    expect(tab.locator(TEXT)).to_have_value("jeez? e")
    assert tab.url.endswith("/c/3")
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    expect(tab.locator("#shortcuts")).to_be_visible()
    tab.keyboard.press("j")
    assert tab.get_attribute("#thread", "data-case") == "3"
    tab.keyboard.press("Escape")
    expect(tab.locator("#shortcuts")).to_be_hidden()


def test_what_a_browser_prefers_is_right_from_the_first_frame(visit):
    tab = visit(color_scheme="light").page("/c/3")
    tab.click("[data-theme-switch]")
    tab.click("[data-density-switch]")
    tab.click("[data-person-switch]")
    tab.route("**/*.js", lambda route: route.abort())
    tab.goto(tab.url)
    root = tab.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-density", "compact")
    expect(tab.locator("#person")).to_be_hidden()


def test_on_a_phone_one_pane_shows_at_a_time(visit):
    tab = visit(width=390, height=844, has_touch=True).page("/inbox/")
    expect(tab.locator(".bottom-bar")).to_be_visible()
    open_case(tab, 2)
    expect(tab.locator("#list")).to_be_hidden()
    expect(tab.locator(".bottom-bar")).to_be_hidden()
    tab.click(".back-link")
    expect(tab.locator("#list")).to_be_visible()
    assert tab.url.endswith("/inbox/")
    tab.go_back()
    tab.wait_for_selector('#thread[data-case="2"]')


def test_drawers_hold_the_focus_and_give_it_back(visit):
    tab = visit(width=900).page("/c/3")
    tab.click("[data-drawer-open=navigation]:visible")
    expect(tab.locator("#navigation")).to_be_visible()
    assert tab.evaluate("document.querySelector('#navigation').contains(document.activeElement)")
    assert tab.evaluate("document.querySelector('#content').inert")
    tab.keyboard.press("Escape")
    expect(tab.locator("#navigation")).to_be_hidden()
    assert tab.evaluate("document.activeElement.dataset.drawerOpen") == "navigation"


def test_it_works_without_script(chromium, desk_url, happenings):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 900, "height": 900})
    tab = context.new_page()
    tab.goto(f"{desk_url}/inbox/")
    tab.click("#case-3 .row")
    assert tab.url.endswith("/c/3")
    expect(tab.locator("#navigation")).to_be_hidden()
    tab.click('[href="#navigation"]:visible')
    expect(tab.locator("#navigation")).to_be_visible()
    tab.goto(f"{desk_url}/c/3")
    tab.click(".composer-mode:has([value=note])")
    expect(tab.locator(SEND)).to_contain_text("Save note")
    tab.fill(TEXT, "By hand")
    tab.click(SEND)
    assert tab.url.endswith("/c/3")
    assert [(post["mode"], post["text"]) for post in happenings.posted] == [("note", "By hand")]
    context.close()


LOOKS = {
    "desktop": {},
    "desktop dark": {"color_scheme": "dark"},
    "phone": {"width": 390, "height": 844},
    "phone dark": {"width": 390, "height": 844, "color_scheme": "dark"},
    "narrow": {"width": 320, "height": 640},
    "right to left": {"locale": "ar"},
    "forced colours": {"forced_colors": "active"},
}


@pytest.mark.parametrize(
    ("look", "path"),
    [
        *((look, "/c/3") for look in LOOKS),
        *((look, "/inbox/") for look in ("desktop dark", "phone")),
        *((look, "/gallery/") for look in LOOKS if not look.startswith("phone")),
        ("desktop", "/gallery/composer-held/"),
        ("desktop", "/gallery/composer-narrowed/"),
    ],
)
def test_everybody_can_use_it(visit, look, path):
    tab = visit(**LOOKS[look], reduced_motion="reduce").page(path)
    found = Axe().run(tab).response["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == []
    # Reflow: no sideways scrolling of the page, however narrow.
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    direction = "rtl" if look == "right to left" else "ltr"
    assert tab.get_attribute("html", "dir") == direction
