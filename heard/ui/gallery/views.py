"""The gallery's pages: every part, and each on a page of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from heard.ui.build import icon_names, network_names
from heard.ui.gallery import samples
from heard.ui.shapes import Banner, Column, Composer, DataTable, Health, NavItem, NavSection

PARTS = {
    "avatars": "Avatars and networks",
    "tags": "Tags, time left, presence",
    "chips": "Filter chips",
    "buttons": "Buttons and menus",
    "rows": "Conversation rows",
    "messages": "Messages",
    "composer": "Composer",
    "fields": "Form fields",
    "banners": "Banners, toasts, pill",
    "empty": "Empty states",
    "cards": "Sections, cards, health",
    "tables": "Tables",
    "dialogs": "Dialog",
    "icons": "Icons",
}
# What can stand on a page only once, and so has pages of its own for its other states.
ALONE = {"composer-held": "Composer, sending stopped", "composer-narrowed": "Composer, most of it refused"}


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name", help_text="As colleagues see it.", max_length=120)
    email = forms.EmailField(label="E-mail address")
    password = forms.CharField(label="Password", widget=forms.PasswordInput, required=False)
    role = forms.ChoiceField(label="Role", choices=[("agent", "Agent"), ("reviewer", "Reviewer")])
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    teams = forms.MultipleChoiceField(
        label="Teams",
        choices=[("1", "Customer service"), ("2", "Press"), ("3", "Product")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    urgency = forms.ChoiceField(
        label="How urgent", choices=[("low", "It can wait"), ("high", "Today")], widget=forms.RadioSelect
    )
    remember = forms.BooleanField(label="Remember this", required=False, help_text="On this device only.")


def _composer(part: str) -> Composer:
    if part == "composer-held":
        return samples.composer("Sending is stopped for everything. Your reply will wait.")
    return samples.composer(kind="narrowed" if part == "composer-narrowed" else "modes")


def _context(parts: list[str]) -> dict[str, Any]:
    doors = [
        NavItem(title, f"/gallery/{slug}/", "", None, parts == [slug])
        for slug, title in {**PARTS, **ALONE}.items()
    ]
    refused = SampleForm({"name": "", "email": "no address", "urgency": "low", "role": "agent"})
    refused.add_error(None, "Mastodon did not accept these credentials.")
    return {
        "shell": samples.shell("gallery"),
        "doors": NavSection("Gallery", tuple(doors)),
        "parts": [
            (slug, {**PARTS, **ALONE}[slug], f"ui/gallery/{slug.split('-', 1)[0]}.html") for slug in parts
        ],
        "title": {**PARTS, **ALONE}[parts[0]] if len(parts) == 1 else "Gallery",
        "rows": samples.rows(12),
        "thread": samples.thread(long=True),
        "composer": _composer(parts[0]),
        "filters": samples.filters(),
        "form": SampleForm(),
        "refused": refused,
        "banners": [Banner(f"A banner that says {kind}.", kind, "#", "Do it") for kind in STATES],
        "states": STATES,
        "healths": [
            Health("good", "Listening"),
            Health("warning", "Late"),
            Health("danger", "Refused"),
            Health("off", "Paused"),
        ],
        "tints": range(6),
        "networks": [*network_names(), "somewhere"],
        "icons": icon_names(),
        "table": DataTable(
            "Answered today",
            [Column("Team"), Column("Answered", numeric=True), Column("Median", numeric=True)],
            [("Customer service", 214, "14 min"), ("Press", 3, "2 h"), ("Product", 21, "1 d")],
        ),
    }


STATES = ("info", "good", "warning", "danger")


def _page(request: HttpRequest, parts: list[str]) -> HttpResponse:
    if not settings.HEARD_GALLERY:
        raise Http404
    return render(request, "ui/gallery/gallery.html", _context(parts))


def everything(request: HttpRequest) -> HttpResponse:
    """``/gallery/``: all parts."""
    return _page(request, list(PARTS))


def one(request: HttpRequest, part: str) -> HttpResponse:
    """``/gallery/<part>/``."""
    if part not in PARTS and part not in ALONE:
        raise Http404
    return _page(request, [part])
