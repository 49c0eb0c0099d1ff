"""The words that templates use to draw: times, avatars, addresses, what a browser chose before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from heard.ui.fragments import template_for, varied
from heard.ui.shapes import TINTS, initials_of, tint_of
from heard.ui.templatetags import ui


def drawn(source, request=None, **context):
    return Template("{% load ui %}" + source).render(Context({"request": request, **context}))


def ago(**span):
    return datetime.now(UTC) - timedelta(**span)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"seconds": 5}, "now"),
        ({"seconds": 61}, "1m"),
        ({"minutes": 59, "seconds": 30}, "59m"),
        ({"minutes": 61}, "1h"),
        ({"hours": 23}, "23h"),
    ],
)
def test_under_a_day_a_time_is_relative_and_kept_fresh(span, words):
    shown = drawn("{% ago at %}", at=ago(**span))
    assert f">{words}</time>" in shown
    assert "data-ago" in shown


def test_after_a_day_a_time_is_a_date_and_stays():
    shown = drawn("{% ago at %}", at=datetime(2001, 3, 4, 5, 6, tzinfo=UTC))
    assert "2001" in shown
    assert "data-ago" not in shown


def test_below_the_name_of_its_day_a_time_is_an_hour():
    long_ago = datetime(2001, 3, 4, 5, 6, tzinfo=UTC)
    assert "2001, " in drawn("{% clock at %}", at=long_ago)
    assert "2001, " not in drawn("{% clock at day=False %}", at=long_ago).partition(">")[2]


def test_a_time_from_the_future_is_now():
    # The network's clock may be ahead of ours.
    assert ">now</time>" in drawn("{% ago at %}", at=ago(hours=-5))


def test_no_time_draws_nothing():
    assert drawn("{% ago at %}{% clock at %}{% span_since at %}", at=None) == ""


@given(st.floats(min_value=0, max_value=1e9))
def test_spans_are_whole_numbers(seconds):
    assert "." not in ui.short_span(seconds)


def test_countdown_is_never_negative():
    assert drawn("{% seconds_until at %}", at=ago(minutes=1)) == "0"
    assert drawn("{% seconds_until at %}", at=ago(seconds=-10)) in {"9", "10"}


@given(st.text())
def test_tint_is_one_of_six_and_stays(key):
    assert 0 <= tint_of(key) < TINTS
    assert tint_of(key) == tint_of(key)


@given(st.text())
def test_initials_are_short_and_never_empty(name):
    # Some letters grow when they are made capital (ß becomes SS).
    assert 1 <= len(initials_of(name)) <= 6


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Grace Adeyemi", "GA"),
        ("@grace", "G"),
        ("Ana Maria de la Cruz", "AC"),
        ("", "?"),
        ("???", "?"),
        ("李 小龍", "李小"),
    ],
)
def test_initials(name, initials):
    assert initials_of(name) == initials


def test_an_icon_is_silent_unless_it_means_something():
    assert 'aria-hidden="true"' in drawn('{% icon "inbox" %}')
    assert 'role="img" aria-label="Late"' in drawn('{% icon "clock" "Late" %}')


def test_a_network_without_a_mark_shows_a_globe():
    assert "#network-mastodon" in drawn('{% network_icon "mastodon" %}')
    assert "#globe" in drawn('{% network_icon "somewhere" %}')


def test_query_string_changes_and_drops():
    request = RequestFactory().get("/", {"a": "1", "b": "2"})
    assert drawn("{% query_string b=None c='x y' %}", request) == "?a=1&amp;c=x+y"


def test_what_the_browser_chose_is_on_the_root():
    request = RequestFactory().get("/")
    request.COOKIES.update(heard_theme="dark", heard_density="compact")
    assert drawn("{% preferences %}", request) == ' data-theme="dark" data-density="compact"'


@given(st.text())
def test_a_cookie_cannot_write_into_the_page(value):
    request = RequestFactory().get("/")
    request.COOKIES["heard_theme"] = value
    assert drawn("{% preferences %}", request) in {"", ' data-theme="light"', ' data-theme="dark"'}


REGIONS = {"messages": "inbox/_messages.html"}


@pytest.mark.parametrize(
    ("headers", "template"),
    [
        ({}, "page.html"),
        ({"HX-Request": "true", "HX-Target": "div#messages"}, "inbox/_messages.html"),
        ({"HX-Request": "true", "HX-Target": "div#elsewhere"}, "page.html"),
        ({"HX-Request": "true", "HX-Target": "body"}, "page.html"),
        ({"HX-Target": "div#messages"}, "page.html"),
        (
            {"HX-Request": "true", "HX-Target": "div#messages", "HX-History-Restore-Request": "true"},
            "page.html",
        ),
    ],
)
def test_htmx_gets_the_region_it_asks_for_and_a_browser_the_page(headers, template):
    request = RequestFactory().get("/c/1", headers=headers)
    assert template_for(request, "page.html", REGIONS) == template


def test_caches_are_told_that_answers_differ():
    # Else the browser's Back shows a fragment where the page was.
    assert "HX-Target" in varied(HttpResponse())["Vary"]
