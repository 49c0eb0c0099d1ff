"""What a mail becomes."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.connectorkit.errors import Unreadable
from heard.connectorkit.testing import NOW, target
from heard.connectorkit.vocabulary import (
    ActorKind,
    MessageKind,
    No,
    OutFile,
    RawDelivery,
    Source,
    Verb,
    Visibility,
    Yes,
)
from heard.connectors.email import CONNECTOR
from heard.connectors.email.compose import compose
from heard.connectors.email.mapping.addresses import mailboxes, written_at
from heard.connectors.email.mapping.charsets import decode
from heard.connectors.email.mapping.headers import decode_words
from heard.connectors.email.settings import read_settings

from .played import ANNA, mailbox, one, write


def test_a_mail_of_one_mailbox_has_its_number_and_its_own_id():
    seen = one("From: a@b.example\nMessage-ID: <x@b.example>\n\nhi", folder="INBOX", uidvalidity=7, uid=42)
    assert (seen.id_scope, seen.native_id, seen.canonical_id) == ("INBOX;7", "42", "<x@b.example>")


def test_the_same_mail_in_two_folders_or_after_renumbering_has_one_canonical_id():
    for mail in ("From: a@b.example\nMessage-ID: <x@b.example>\n\nhi", "From: a@b.example\nSubject: s\n\nhi"):
        seen = [
            one(mail, folder=folder, uidvalidity=validity, uid=uid)
            for folder, validity, uid in (("INBOX", 7, 42), ("INBOX", 8, 1), ("Archive", 7, 42))
        ]
        assert len({event.canonical_id for event in seen}) == 1
        assert len({(event.id_scope, event.native_id) for event in seen}) == 3


def test_mails_without_an_id_that_say_different_things_stay_apart():
    assert one("From: a@b.example\n\nhi").canonical_id != one("From: a@b.example\n\nho").canonical_id


def test_ids_fit_every_column_and_still_join_a_thread():
    long = "<" + "9" * 5_000 + "@b.example>"
    root = one(f"From: a@b.example\nMessage-ID: {long}\n\nhi")
    answer = one(f"From: a@b.example\nMessage-ID: <2@b.example>\nReferences: {long}\n\nhi")
    assert len(root.canonical_id) <= 255
    assert answer.thread_key == root.thread_key == root.canonical_id


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(
            "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(3_000)),
            id="deep",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 200_000, id="many parts"
        ),
        pytest.param("Content-Type: multipart/mixed; boundary=b\n\n" + "--b" * 2_000_000, id="one long line"),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=b\n\n" + "--bX\n" * 1_000_000, id="almost parts"
        ),
        pytest.param("X: y\n" * 10_000 + "\nhi", id="10k header lines"),
        pytest.param("X: y\n" + " y\n" * 200_000 + "\nhi", id="one endless header"),
        pytest.param("To: " + "(" * 100_000 + "\n\nhi", id="nested comments"),
        pytest.param("To: " + "a@b.example, " * 100_000 + "\n\nhi", id="a crowd"),
        pytest.param("Subject: " + "=?a?q?" * 20_000 + "\n\nhi", id="unfinished words"),
        pytest.param("Content-Type: text/plain; x=" + '";' * 20_000 + "\n\nhi", id="unclosed quotes"),
        pytest.param("Content-Type: text/html\n\n" + "<a href=" * 100_000, id="unfinished tags"),
        pytest.param("Subject: x\n\ne" + "\u0301" * 32_768, id="64 KiB of combining characters"),
        pytest.param("Subject: a\x00b\n\nnul \x00 byte", id="NUL"),
    ],
)
def test_a_hostile_mail_costs_seconds_and_gives_a_message(bomb):
    began_at = time.monotonic()
    seen = one("From: anna@customer.example\n" + bomb)
    assert seen.author.handle == "anna@customer.example"
    assert time.monotonic() - began_at < 10
    assert len(seen.attachments) <= 300
    assert len(seen.recipients) <= 500


def test_of_too_many_parts_none_is_lost():
    mail = "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 500 + "--b--\n"
    seen = one(mail)
    assert (seen.attachments[-1].data or b"").count(b"--b\n") == 500


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=200), st.sampled_from(["utf-8", "cp1252", "koi8-r", "utf-16", "shift_jis", "big5"]))
def test_whatever_charset_is_declared_text_comes_out(text, charset):
    data = text.encode(charset, "replace")
    for declared in ("", charset, "utf-8", "x-none", "rot13", "utf-7", "idna", "\x00", "a" * 500):
        read = decode(data, declared)
        assert "\x00" not in read
        read.encode("utf-8")


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=80))
def test_encoded_words_come_back_as_they_were(text):
    encoded = base64.b64encode(text.encode()).decode()
    assert decode_words(f"=?utf-8?B?{encoded}?=") == text
    # A character may be cut in two by the gap between two words.
    data = text.encode()
    pieces = (data[: len(data) // 2], data[len(data) // 2 :])
    words = [f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in pieces]
    assert decode_words("\n ".join(words)) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("anna@b.example", [("anna@b.example", "")]),
        (
            '"Berg, Anna" <anna@b.example>, Karl <k@b.example>',
            [("anna@b.example", "Berg, Anna"), ("k@b.example", "Karl")],
        ),
        ("anna@b.example (Anna (at home) Berg)", [("anna@b.example", "Anna at home Berg")]),
        ("undisclosed-recipients:;", []),
        ("Team: a@b.example, c@d.example;", [("a@b.example", ""), ("c@d.example", "")]),
        ("support@bank.example <evil@x.example>", [("evil@x.example", "support@bank.example")]),
        (
            "=?utf-8?q?Anna_=3Cfoo=40bar=2Eexample=3E?= <anna@b.example>",
            [("anna@b.example", "Anna <foo@bar.example>")],
        ),
        ("<@relay.example:anna@b.example>", [("anna@b.example", "")]),
        ("nobody at all", []),
        ("<>", []),
    ],
)
def test_addresses_are_read_as_they_are_meant(written, read):
    assert [(box.address, box.name) for box in mailboxes(written)] == read


@pytest.mark.parametrize(
    ("date", "internal_at", "expected"),
    [
        ("Mon, 2 Mar 2026 09:00:00 +0100", None, datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("Mon, 2 Mar 2026 08:00:00 -0000", None, datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("Mon, 01 Jan 1601 00:00:00 +0000", NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
        ("Fri, 31 Dec 9999 23:59:59 -1400", NOW - timedelta(hours=1), NOW - timedelta(hours=1)),
        ("Fri, 31 Dec 9999 23:59:59 -1400", None, NOW),
        ("garbage", datetime(9999, 1, 1, tzinfo=UTC), NOW),
        ("Mon, 2 Mar 2026 10:00:00 +0000", None, NOW),  # half an hour ahead of us: their clock is fast
    ],
)
def test_a_wrong_clock_is_put_right(date, internal_at, expected):
    assert written_at(date, internal_at, NOW) == expected


def test_what_is_no_mail_is_unreadable():
    for body in (b"", b"\x00\x01", b"{", b'{"rfc822": "!"}', b"no header here\n\nat all", b"[1]"):
        with pytest.raises(Unreadable):
            CONNECTOR.receive(mailbox(), RawDelivery(Source.POLL, body, NOW))


def test_a_bot_may_not_answer_a_machine_and_a_person_may():
    seen = one("From: a@b.example\nAuto-Submitted: auto-replied\nMessage-ID: <x@b.example>\n\nI am away.")
    about = target(kind=MessageKind.EMAIL, visibility=Visibility.PRIVATE, author=seen.author, refs=seen.refs)
    refusal = CONNECTOR.supports(Verb.REPLY, about, ActorKind.BOT, mailbox(), NOW)
    assert isinstance(refusal, No)
    assert "without end" in refusal.reason
    assert isinstance(CONNECTOR.supports(Verb.REPLY, about, ActorKind.HUMAN, mailbox(), NOW), Yes)


def test_what_may_be_attached_follows_from_what_the_server_said():
    about = target(kind=MessageKind.EMAIL, author=ANNA)
    said = mailbox(limits={"smtp_bytes": 10_000_000})
    answer = CONNECTOR.supports(Verb.REPLY, about, ActorKind.HUMAN, said, NOW)
    assert isinstance(answer, Yes)
    assert answer.constraints.subject
    assert answer.constraints.visibilities == (Visibility.PRIVATE,)
    largest = answer.constraints.media.maximum_bytes
    assert 6_000_000 < largest < 7_500_000
    mail = compose(
        read_settings(said), write(text="x" * 100_000, files=(OutFile("f", "a/b", b"x" * largest),)), NOW
    )
    assert len(mail.content) <= 10_000_000
