"""Remote pictures of a mail are loaded where a member pressed our button, and by no other address."""

from __future__ import annotations

import re

import pytest
from django.core.signing import Signer

from heard.connectorkit.vocabulary import MessageKind, Visibility
from heard.domains.conversations.models import Message
from tests.cast import Cast, Line

pytestmark = pytest.mark.django_db(databases="__all__")
HTML = '<p>Hello <img src="https://tracker.example/seen.png" alt="Logo"></p>'


@pytest.fixture
def case(line: Line) -> int:
    return line.case(1, kind=MessageKind.EMAIL, visibility=Visibility.PRIVATE, thread_key="t1", html=HTML)


def test_the_button_shows_them_on_that_answer_only(cast: Cast, case: int) -> None:
    browser = cast.browser(cast.alice)
    plain = browser.get(f"/c/{case}")
    assert "tracker.example" not in plain.content.decode()
    assert "https:" not in plain["Content-Security-Policy"].partition("img-src")[2].partition(";")[0]
    button = re.search(r'href="(/c/\d+\?images=[^"]+)"', plain.content.decode())
    assert button is not None
    shown = browser.get(button[1])
    assert 'src="https://tracker.example/seen.png"' in shown.content.decode()
    assert "img-src 'self' https:" in shown["Content-Security-Policy"]


def test_a_link_that_somebody_else_made_shows_nothing(cast: Cast, case: int) -> None:
    number = Message.objects.get().pk
    for made_up in (f"{number}", f"{number}:abc", Signer().sign(str(number)), "²", ""):
        page = cast.browser(cast.alice).get(f"/c/{case}", {"images": made_up})
        assert page.status_code == 200
        assert "tracker.example" not in page.content.decode()
        assert "https:" not in page["Content-Security-Policy"].partition("img-src")[2].partition(";")[0]
