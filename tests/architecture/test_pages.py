from __future__ import annotations

import pytest

from .pages import inline_code
from .tree import complaints, select

HERE = "heard/ui/templates/ui/page.html"


@pytest.mark.parametrize(
    "source",
    [
        '<script src="{% static "ui/live.js" %}" defer></script>',
        '<script type="application/json" id="state">{}</script>',
        '<p class="style" data-on="1">Set style="x" in your page.</p>',
        "{# <script>old</script> #}<p>one = two</p>",
        '<button hx-post="/send" hx-trigger="click">Send</button>',
    ],
)
def test_files_data_and_text_are_fine(source):
    assert inline_code(HERE, source) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("<script>go()</script>", "a script"),
        ('<script type="module">go()</script>', "a script"),
        ("<style>p {}</style>", "a style sheet"),
        ('<p style="color: red">', "a style attribute"),
        ('<p class="x"style="color: red">', "a style attribute"),
        ('<button onclick="go()">', "an event handler"),
        ('<button hx-on:click="go()">', "a handler that needs eval"),
        ('<a href="javascript:go()">', "a javascript: address"),
        ("<div hx-vals='js:{a: 1}'>", "a value that needs eval"),
    ],
)
def test_inline_code_is_refused_with_its_line(source, what):
    assert inline_code(HERE, f"<main>\n{source}") == [
        f"{HERE}:2: has {what} inline; the policy allows files only"
    ]


def test_the_pages_of_this_house_have_none():
    # Letters and fixtures are not pages: mail programs know no style sheets, networks send what they send.
    paths = select(".html", ".svg", under="heard/", but=r"/email/|/mail/|/fixtures/|/tests/|/vendor/")
    assert complaints(inline_code, paths) == ""
