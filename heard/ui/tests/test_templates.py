"""Every template of the house can be read by Django, and what users write never becomes markup."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory

import heard
from heard.ui.gallery import samples
from heard.ui.shapes import Attachment, Bubble

HOUSE = Path(heard.__file__).parent
TEMPLATES = sorted(
    str(path.relative_to(root))
    for root in [HOUSE / "ui" / "templates", *HOUSE.glob("domains/*/templates")]
    for path in root.rglob("*.html")
)
HOSTILE = """<script>alert("1")</script><img src=x onerror=alert(2)> "' -->"""


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text, as a browser reads them."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def inbox(**changes):
    request = RequestFactory().get("/inbox/")
    return render_to_string("inbox/inbox.html", samples.inbox(**changes), request=request)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_can_be_read(name):
    get_template(name)


def test_what_people_write_is_shown_as_they_wrote_it():
    part = samples.thread().conversations[0]
    said = Bubble(
        "inbound",
        HOSTILE,
        datetime.now(UTC),
        HOSTILE,
        "1",
        handle=HOSTILE,
        attachments=(Attachment(HOSTILE, "/files/1/", "image", HOSTILE),),
    )
    page = inbox(
        rows=[replace(row, person_name=HOSTILE, preview=HOSTILE, tags=(HOSTILE,)) for row in samples.rows(2)],
        thread=replace(samples.thread(), title=HOSTILE, conversations=[replace(part, items=[said])]),
        composer=replace(samples.composer(), draft=HOSTILE, problems=[HOSTILE]),
        person=replace(samples.person(), name=HOSTILE, notes=HOSTILE),
    )
    seen = Elements(page)
    assert HOSTILE in "".join(seen.text)
    assert HOSTILE in {attributes.get("alt") for tag, attributes in seen.elements if tag == "img"}
    assert not [tag for tag, attributes in seen.elements if tag == "script" and "src" not in attributes]
    assert not [tag for tag, attributes in seen.elements if any(name.startswith("on") for name in attributes)]


def test_page_has_one_main_one_title_and_a_way_past_the_navigation():
    page = inbox()
    assert page.count("<main") == 1
    assert page.count("<h1") == 1
    assert 'href="#content"' in page
    assert 'id="content"' in page


def test_page_of_fifty_rows_keeps_its_budget():
    page = inbox(rows=samples.rows(50))
    assert len(re.findall(r"<[a-z]", page)) <= 1_500
    assert len(gzip.compress(page.encode())) <= 12 * 1024


def test_one_conversation_is_a_small_answer():
    fragment = render_to_string("inbox/_pane.html", samples.inbox())
    assert len(gzip.compress(fragment.encode())) <= 6 * 1024


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("empty", "Nothing waiting. 14 answered today."),
        ("filtered", "Clear filters"),
        ("unconnected", "Connect an account"),
    ],
)
def test_empty_lists_say_why_they_are_empty(kind, sentence):
    addresses = {"clear_url": "/inbox/open/", "connect_url": "/settings/channels/"}
    assert sentence in inbox(rows=[], empty_kind=kind, **addresses)


def test_a_hold_is_said_where_people_write():
    page = inbox(hold_banner=samples.holds(), composer=samples.composer("Your reply will wait."))
    assert "incident at Northgate" in page
    assert "Your reply will wait." in page


def test_composer_names_account_and_audience_of_every_way_to_answer():
    page = inbox()
    assert "as <b>Northbridge Transit</b> on Mastodon" in page
    assert "as <b>Northbridge Transit</b> to @grace only" in page
    assert "Only your colleagues see this" in page


def test_a_refused_way_to_answer_cannot_be_chosen_and_says_why():
    page = inbox(composer=samples.composer(kind="narrowed"))
    assert re.search(r'value="direct" disabled', page)
    assert "follow each other" in page


@pytest.mark.parametrize("status", ["400", "403", "404", "500", "csrf", "offline"])
def test_error_pages_stand_without_database_and_request(status):
    page = render_to_string(f"ui/errors/{status}.html", {"message": "", "status": status})
    assert "<h1>" in page
