"""What is composed for a customer, and what never can be."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.errors import Rejected
from heard.connectorkit.testing import NOW, RecordedNet, link
from heard.connectorkit.vocabulary import Author, OutFile
from heard.connectors.email import CONNECTOR
from heard.connectors.email.compose import compose
from heard.connectors.email.mapping.addresses import is_address
from heard.connectors.email.mapping.charsets import decode
from heard.connectors.email.settings import read_settings

from .played import ANNA, answer, mailbox, one, write

HOSTILE = [
    "a\r\nBcc: all@customer.example",
    "a\nBcc: all@customer.example\n\nbody",
    "=?utf-8?q?a=0D=0ABcc:=20all@customer.example?=",
    "a\u2028Bcc: x\u0085Bcc: y\x0bBcc: z",
    "\x00\ud800",
    '"; Bcc: all@customer.example',
    "ü" * 2_000,
    "x" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_field_of_an_order_can_add_a_header(text):
    about = answer(references=f"<1@x.example>\r\nBcc: {text}", in_reply_to=text)
    hostile = replace(
        about,
        key=text,
        subject=text,
        text=text,
        target=replace(about.target, author=replace(ANNA, name=text), canonical_id=text),
        files=(OutFile(text, text, b"1", alt=text),),
    )
    for asked in (hostile, replace(hostile, subject="", target=replace(hostile.target, subject=text))):
        mail = compose(read_settings(mailbox(settings={"display_name": text})), asked, NOW)
        head = mail.content.partition(b"\r\n\r\n")[0]
        read = message_from_bytes(mail.content)
        assert read["Bcc"] is None
        assert "Bcc:" not in [line.split(" ")[0] for line in head.decode().split("\r\n")]
        assert [len(read.get_all(name, [])) for name in ("Subject", "Message-ID", "To")] == [1, 1, 1]
        assert all(len(line) <= 998 for line in mail.content.split(b"\r\n"))
        assert b"\n" not in mail.content.replace(b"\r\n", b"")
        assert mail.recipient == "anna@home.example"


@settings(max_examples=100, deadline=None, database=None)
@given(st.text(max_size=120), st.text(max_size=60), st.text(max_size=300))
def test_what_is_composed_is_read_again_as_it_was_meant(subject, name, text):
    """Ours written, ours read: and the standard library's strict reader agrees on the subject."""
    mail = compose(
        read_settings(mailbox()),
        write(subject=subject, text=text + "!", recipient=replace(ANNA, name=name)),
        NOW,
    )
    seen = one(mail.content)
    assert (
        seen.text.strip()
        == one(
            b"From: a@b.c\nContent-Type: text/plain; charset=utf-8\n\n"
            + decode((text + "!").encode("utf-8", "replace")).encode()
        ).text.strip()
    )
    assert seen.canonical_id == mail.message_id
    assert seen.recipients == (ANNA.handle,)
    assert message_from_bytes(mail.content, policy=default)["To"].addresses[0].addr_spec == ANNA.handle


def test_an_answer_is_threaded_and_goes_where_the_customer_wants_it():
    mail = compose(
        read_settings(mailbox()), answer(references="<0@customer.example> <1@nordwind.example>"), NOW
    )
    read = message_from_bytes(mail.content, policy=default)
    assert mail.recipient == "anna@home.example"
    assert read["To"].addresses == (Address("", "anna", "home.example"),)
    assert read["Subject"] == "Re: Where is it?"
    assert read["In-Reply-To"] == "<2@customer.example>"
    assert read["References"].split() == [
        "<0@customer.example>",
        "<1@nordwind.example>",
        "<2@customer.example>",
    ]
    assert read["Message-ID"] == "<key-1@nordwind.example>"


@pytest.mark.parametrize(
    "subject", ["Re: Lamp", "AW: Lampe", "RE: [Ticket 5] Lamp", "SV: Lampa", "Antw: Lamp", "回复：灯"]
)
def test_a_subject_is_not_answered_twice(subject):
    asked = answer()
    mail = compose(
        read_settings(mailbox()), replace(asked, target=replace(asked.target, subject=subject)), NOW
    )
    assert message_from_bytes(mail.content, policy=default)["Subject"] == subject


def test_ids_that_we_made_up_do_not_leave_the_house():
    asked = answer(message_id="<abc@no-id.invalid>", references="<1@x.example> <abc@no-id.invalid>")
    read = message_from_bytes(compose(read_settings(mailbox()), asked, NOW).content)
    assert read["In-Reply-To"] is None
    assert read["References"] == "<1@x.example>"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "anna@",
        "@b.example",
        "a b@c.example",
        "a@b.example, c@d.example",
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "<a@b.example>",
        ".a@b.example",
        "a@" + "b" * 300,
    ],
)
def test_what_is_no_address_is_refused_before_anything_leaves(address):
    net = RecordedNet()
    with pytest.raises(Rejected, match="no e-mail address"):
        CONNECTOR.send(link(mailbox(), net), write(recipient=Author("x", address)))
    assert not net.requests


def test_an_address_with_a_foreign_domain_is_sent_in_ascii():
    mail = compose(read_settings(mailbox()), write(recipient=Author("x", "info@Bücher.example")), NOW)
    assert mail.recipient == "info@xn--bcher-kva.example"
    assert not mail.needs_smtputf8
    assert is_address(mail.recipient)


def test_an_empty_mail_is_refused():
    with pytest.raises(Rejected, match="says nothing"):
        CONNECTOR.send(link(mailbox(), RecordedNet()), write(text=" \n"))
