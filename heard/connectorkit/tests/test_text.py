"""HTML as plain text: what people read, and markup that nobody meant well."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.text import html_to_text

#: How Mastodon shortens a link for the eye: all of it is there, some of it hidden.
SHORTENED = (
    '<a href="https://www.a.example/long/way"><span class="invisible">https://www.</span>'
    '<span class="ellipsis">a.example/lo</span><span class="invisible">ng/way</span></a>'
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<br>two<br />three</p>", "one\ntwo\nthree"),
        ("a<br><br><br><br><br>b", "a\n\nb"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<p> many \n\t spaces  <b> in </b> it </p>", "many spaces in it"),
        ("1 &lt; 2 &amp;&nbsp;so on", "1 < 2 &\xa0so on"),
        ("<ul><li>tea</li><li>milk</li></ul>", "- tea\n- milk"),
        ("<ol><li>first<li>second</ol>then", "1. first\n2. second\n\nthen"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c"),
        ('<img alt="a cat" src="x">', "a cat"),
        ("<script>alert(1)</script><style>p {}</style>seen<title>not</title>", "seen"),
        ("before<!-- not <b>this</b> -->after", "beforeafter"),
        ("<!doctype html><?xml version='1.0'?>text", "text"),
        ("nul\x00 and \ud800", "nul\ufffd and \ufffd"),
    ],
)
def test_what_a_reader_sees(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://a.example/">https://a.example</a>', "https://a.example"),
        ('<a href="https://a.example/x">our page</a>.', "our page (https://a.example/x)."),
        # A text that looks like one address and leads to another shows where it leads.
        ('<a href="https://evil.example/">https://bank.example/</a>', "https://evil.example/"),
        (
            SHORTENED,
            "https://www.a.example/long/way",
        ),
        ('<a href="https://a.example/tags/x" class="mention hashtag">#<span>x</span></a>', "#x"),
        ('see <a href="https://a.example/">  </a>', "see https://a.example/"),
        ('<a href="javascript:alert(1)">press</a>', "press"),
        ('<a href="mailto:a@b.example">write</a>', "write"),
        (
            '<a href="https://a.example/x">one<a href="https://b.example/y">two</a>',
            "one (https://a.example/x)two (https://b.example/y)",
        ),
        ('<a href="https://a.example/x">never closed<p>next', "never closed (https://a.example/x)\n\nnext"),
    ],
)
def test_links_say_where_they_lead(html, text):
    assert html_to_text(html) == text


def test_mentions_are_written_as_they_are_known():
    html = '<a href="https://b.example/@anna" class="u-url mention">@<span>anna</span></a> hello'
    assert html_to_text(html) == "@anna hello"
    assert html_to_text(html, {"https://b.example/@anna": "@anna@b.example"}) == "@anna@b.example hello"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a <b", "a <b"),
        ("<p>open <b>and <i>open", "open and open"),
        ("</p></li></ol></a>text", "text"),
        ("x <!-- never closed", "x <!-- never closed"),
        ("<![CDATA[ what ]]>x", "x"),
        ("&#0;&#x110000;&bogus;", "\ufffd\ufffd&bogus;"),
    ],
)
def test_broken_markup_loses_no_words(html, text):
    assert html_to_text(html) == text


_PIECES = st.sampled_from(
    [
        "<",
        ">",
        "<a href='https://x.example'>",
        "</a>",
        "<!--",
        "-->",
        "<p>",
        "<ol><li>",
        "</ul>",
        "<![",
        "&#",
        "'",
        '"',
        "\x00",
        "\ud800",
        "word ",
        "<script>",
        "</script",
        "<pre>",
        "\n",
        "<span class=invisible>",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_PIECES, st.text(max_size=4)), max_size=40).map("".join))
def test_any_markup_becomes_a_text_that_can_be_stored(html):
    text = html_to_text(html)
    text.encode("utf-8")
    assert "\x00" not in text
    assert text == text.strip()


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters="<>&"),
        max_size=60,
    )
)
def test_a_text_without_markup_stays_as_it_is(text):
    assert html_to_text(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<!--",
        "</",
        "<![",
        '<a b="',
        "<div>",
        "<ol><li>",
        "<!-- x>",
        "<!D [",
        "<![if >",
        "</a b='>",
        "<a x='>",
        "&#",
    ],
)
def test_time_grows_with_the_text_and_no_faster(piece):
    def seconds(length):
        html = (piece * length)[:length]
        started = time.process_time()
        html_to_text(html)
        return time.process_time() - started

    # Quadratic time would make it sixty-four times as long; the small constant is for the clock's grain.
    assert seconds(160_000) < 24 * seconds(20_000) + 0.1


def test_more_than_a_megabyte_is_cut():
    assert len(html_to_text("x" * 3_000_000)) == 1_000_000
