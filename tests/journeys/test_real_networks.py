"""Real servers, their own clients as customers, and nothing of ours in between but the pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from atproto import client_utils
from mastodon import Mastodon
from playwright.sync_api import expect

from tests.journeys.test_answering import is_delivered
from tests.journeys.visitor import Visitor

ARRIVES_MS = 60_000
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def mara(visit):
    """The owner; what is connected in a journey is disconnected after it."""
    visitor = visit()
    yield visitor
    for address in connected.pop(visitor, []):
        visitor.open(address)
        visitor.page.get_by_text("Disconnect this account").click()
        visitor.page.get_by_role("button", name="Disconnect").click()
        visitor.ready()


connected: dict[Visitor, list[str]] = {}


def connect(mara: Visitor, network: str, secret: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Through the form: a wrong secret first, which is refused in words, then the right one."""
    mara.expects("422")
    page = mara.open(f"/settings/channels/connect/{network}/")
    for right in (False, True):
        fill(mara, values)
        fill(mara, secret if right else dict.fromkeys(secret, "wrong"))
        page.get_by_role("button", name="Test and connect").click()
        if not right:
            expect(page.get_by_role("alert")).to_be_visible(timeout=30_000)
            mara.ready()
    expect(page.get_by_text("Last heard")).to_be_visible(timeout=30_000)
    mara.ready()
    connected.setdefault(mara, []).append(page.url)
    mara.open("/inbox/")


def fill(mara: Visitor, values: Mapping[str, str]) -> None:
    """Fill in fields by their labels; those that are folded away are unfolded."""
    for label, value in values.items():
        field = mara.page.get_by_label(label, exact=False).first
        if not field.is_visible():
            mara.page.get_by_text("More settings").click()
        if field.evaluate("(one) => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def answer(mara: Visitor, said: str, words: str) -> None:
    """Open what somebody said, answer it, and wait until the network took the answer."""
    expect(mara.row(said)).to_be_visible(timeout=ARRIVES_MS)
    mara.row(said).click()
    mara.is_open(said)
    mara.accessible()
    mara.page.get_by_label("Your words").fill(words)
    mara.page.get_by_role("button", name="Send").click()
    is_delivered(mara, words)


def test_mastodon(mara, mastodon_server):
    customer = Mastodon(
        access_token=mastodon_server.customer_token,
        api_base_url=mastodon_server.url,
        ratelimit_method="throw",
    )
    connect(mara, "mastodon", {"Access token": mastodon_server.brand_token}, {"Server": mastodon_server.url})
    said = customer.status_post("@brand my parcel went to the moon")
    answer(mara, "went to the moon", "We will fetch it back.")
    (read,) = customer.status_context(said.id).descendants
    assert (read.account.acct, read.visibility) == ("brand", "public")
    assert "We will fetch it back." in read.content
    mara.page.reload()
    mara.ready()
    expect(mara.bubble("fetch it back")).to_have_count(1)


def test_mail(mara, mail_server):
    address = mail_server.new_address()
    settings = mail_server.settings(address)
    connect(
        mara,
        "email",
        {"Password": mail_server.password},
        {
            "E-mail address": address,
            "Server for reading": settings["imap_host"],
            "Server for sending": settings["smtp_host"],
            "Protection of reading": "none",
            "Port for reading": str(settings["imap_port"]),
            "Protection of sending": "none",
            "Port for sending": str(settings["smtp_port"]),
        },
    )
    customer = mail_server.new_address("anna")
    about = mail_server.write(address, "The lid of my pot is missing.", sender=customer, subject="Pot 12")
    answer(mara, "lid of my pot", "A new lid is in the post.")
    (raw,) = mail_server.inbox(customer)
    read = message_from_bytes(raw, _class=EmailMessage, policy=default)
    assert (read["In-Reply-To"], read["Subject"]) == (about, "Re: Pot 12")
    assert "A new lid is in the post." in read.get_body(("plain",)).get_content()


def test_bluesky(mara, bluesky_server):
    company = bluesky_server.create_account("nordwind")
    anna = bluesky_server.create_account("anna")
    connect(
        mara,
        "bluesky",
        {"App password": bluesky_server.app_password(company)},
        {"Handle": company.me.handle, "Server": bluesky_server.url},
    )
    words = client_utils.TextBuilder().mention(f"@{company.me.handle}", company.me.did)
    said = anna.send_post(words.text(" my umbrella has wings"))
    answer(mara, "umbrella has wings", "Do not let go of it.")
    # Its app view shows a post a moment after its data server has it.
    deadline = time.monotonic() + 30
    while not (replies := anna.get_post_thread(said.uri).thread.replies) and time.monotonic() < deadline:
        time.sleep(0.2)
    (read,) = replies
    assert (read.post.author.handle, read.post.record.text) == (company.me.handle, "Do not let go of it.")
