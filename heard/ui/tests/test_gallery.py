"""The gallery shows every part in every state, and only where it was asked for."""

from __future__ import annotations

import pytest
from django.http import Http404
from django.test import Client, RequestFactory, override_settings

from heard.ui.gallery import views


@pytest.mark.parametrize("part", [*views.PARTS, *views.ALONE])
@override_settings(HEARD_GALLERY=True)
def test_part_has_a_page(part):
    page = views.one(RequestFactory().get("/gallery/"), part).content.decode()
    assert {**views.PARTS, **views.ALONE}[part] in page


@override_settings(HEARD_GALLERY=True)
def test_every_state_of_a_message_is_shown():
    page = views.one(RequestFactory().get("/gallery/"), "messages").content.decode()
    for state in ("waiting", "sending", "sent", "failed", "held", "unknown", "cancelled"):
        assert f"is-{state}" in page
    for kind in ("inbound", "own", "note"):
        assert f"message-{kind}" in page


@override_settings(HEARD_GALLERY=True)
def test_numbers_stand_under_their_heading():
    page = views.one(RequestFactory().get("/gallery/"), "tables").content.decode()
    assert '<th scope="col" class="number">Answered</th>' in page
    assert '<td class="number">214</td>' in page
    assert "<td>Customer service</td>" in page


@override_settings(HEARD_GALLERY=True)
def test_unknown_part_is_not_found():
    with pytest.raises(Http404):
        views.one(RequestFactory().get("/gallery/"), "nothing")


@override_settings(HEARD_GALLERY=False)
def test_gallery_is_closed_unless_asked_for():
    with pytest.raises(Http404):
        views.everything(RequestFactory().get("/gallery/"))


@pytest.mark.django_db
def test_gallery_has_no_address_in_an_ordinary_installation():
    assert Client().get("/gallery/").status_code == 404
