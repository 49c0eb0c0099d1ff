"""What a browser is told and what it must bring: policy, cookies, forms, host names, patience at the door."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from heard.domains.contacts.models import Contact
from heard.domains.organizations.models import User
from tests.cast import Cast, Line
from tests.memory_network import message

pytestmark = pytest.mark.django_db(databases="__all__")
PAGES = ["/account/login/", "/inbox/", "/settings/channels/", "/nowhere/"]
PASSWORD = "a sentence nobody guesses"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_its_policy(cast: Cast, path: str) -> None:
    answer = cast.browser(cast.alice).get(path) if path != "/account/login/" else Client().get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert "<script>" not in answer.content.decode()


def test_a_form_of_another_site_does_nothing(cast: Cast, line: Line) -> None:
    line.says(message(1))
    contact = Contact.objects.get()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(pk=cast.users[cast.alice.member_id or 0]))
    address = f"/people/{contact.pk}/block"
    assert browser.post(address).status_code == 403
    contact.refresh_from_db()
    assert contact.blocked_at is None
    browser.get(f"/people/{contact.pk}")
    token = browser.cookies["csrftoken"].value
    assert browser.post(address, {"csrfmiddlewaretoken": token}).status_code == 302
    contact.refresh_from_db()
    assert contact.blocked_at is not None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8400", "@evil"])
def test_a_forged_host_name_is_refused(cast: Cast, host: str) -> None:
    assert Client().get("/account/login/", headers={"host": host}).status_code == 400
    assert Client().get("/account/login/", headers={"host": "localhost"}).status_code == 200


def test_cookies_are_for_this_site_only_and_no_script_reads_them(cast: Cast) -> None:
    user = User.objects.get(pk=cast.users[cast.alice.member_id or 0])
    user.set_password(PASSWORD)
    user.save()
    browser = Client()
    browser.get("/account/login/")
    answer = browser.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    for name in ("heard_session", "csrftoken"):
        cookie = browser.cookies[name]
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name


@pytest.mark.parametrize(
    ("url", "secure"), [("https://heard.example.com", "True"), ("http://127.0.0.1:8400", "False")]
)
def test_behind_tls_cookies_and_pages_stay_behind_it(tmp_path: Path, url: str, secure: str) -> None:
    script = (
        "from heard.config import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, bool(s.SECURE_HSTS_SECONDS))"
    )
    environment = {**os.environ, "HEARD_URL": url, "HEARD_DATA": str(tmp_path), "HEARD_TESTING": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == [secure] * 3


def test_who_guesses_passwords_must_wait_and_others_need_not(cast: Cast) -> None:
    cache.clear()
    users = {name: User.objects.get(email__startswith=f"{name}@") for name in ("alice", "charlie")}
    for user in users.values():
        user.set_password(PASSWORD)
        user.save()

    def sign_in(name: str, password: str, address: str) -> Any:
        given = {"login": users[name].email, "password": password}
        return Client(REMOTE_ADDR=address).post("/account/login/", given)

    for _ in range(5):
        assert sign_in("alice", "wrong", "203.0.113.7").status_code == 200
    refused = sign_in("alice", PASSWORD, "203.0.113.8")
    assert refused.status_code == 200
    assert "Too many attempts" in refused.content.decode()
    assert sign_in("charlie", PASSWORD, "203.0.113.8").status_code == 302
    cache.clear()
    assert sign_in("alice", PASSWORD, "203.0.113.8").status_code == 302
