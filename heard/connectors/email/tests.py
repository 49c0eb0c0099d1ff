"""E-mail: the conformance suite, what a mail becomes, and sending through a real SMTP server."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.connectorkit.conformance import ConnectorConformance, check_events
from heard.connectorkit.errors import (
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
    Unreadable,
    Unsupported,
)
from heard.connectorkit.testing import NOW, FakeVault, RecordedNet, account_for, link, order, target
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    AttachmentKind,
    Author,
    CannotTell,
    MessageKind,
    MessageSeen,
    No,
    OutFile,
    RawDelivery,
    Sent,
    Source,
    Verb,
    Visibility,
    Yes,
)
from heard.connectors.email import CONNECTOR, EmailConnector
from heard.connectors.email.client import MailStore
from heard.connectors.email.compose import compose
from heard.connectors.email.mapping.addresses import is_address, mailboxes, written_at
from heard.connectors.email.mapping.charsets import decode
from heard.connectors.email.mapping.envelope import Envelope, pack
from heard.connectors.email.mapping.headers import decode_words
from heard.connectors.email.settings import read_settings
from tests.servers.certificate import write_certificate
from tests.servers.small_imap import Folder, small_imap
from tests.servers.smtp import TOKEN, smtp

US = "care@nordwind.example"
ANNA = Author("anna@customer.example", "anna@customer.example", "Anna Berg")
TOKEN_URL = "https://login.example/token"


class TestEmail(ConnectorConformance):
    connector = CONNECTOR
    folder = Path(__file__).parent

    @property
    def account(self):
        return replace(account_for(CONNECTOR.manifest), native_id=US, handle=US)


# What a mail becomes.


def receive(mail: bytes | str, account: Account | None = None, **envelope):
    raw = mail if isinstance(mail, bytes) else mail.encode()
    body = pack(Envelope(raw, **envelope)) if envelope else raw
    events = CONNECTOR.receive(account or mailbox(), RawDelivery(Source.POLL, body, NOW))
    check_events(events)
    return events


def one(mail: bytes | str, **envelope) -> MessageSeen:
    (event,) = receive(mail, **envelope)
    assert isinstance(event, MessageSeen)
    return event


def mailbox(**changes) -> Account:
    settings = {
        "address": US,
        "display_name": "Nordwind",
        "imap_host": "127.0.0.1",
        "imap_security": "none",
        "smtp_host": "127.0.0.1",
        "smtp_security": "none",
        **changes.pop("settings", {}),
    }
    secrets = changes.pop("secrets", {"password": "pw"})
    return Account(US, US, "Nordwind", settings=settings, secrets=secrets, **changes)


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


# Composing.


def write(**changes):
    """A new mail to Anna, unless changed."""
    usual = {"verb": Verb.DIRECT_MESSAGE, "target": None, "recipient": ANNA, "subject": "Your parcel"}
    return order(**{**usual, **changes})


def answer(**refs):
    """An answer to Anna's mail."""
    about = target(
        kind=MessageKind.EMAIL,
        visibility=Visibility.PRIVATE,
        author=ANNA,
        subject="Where is it?",
        canonical_id="<2@customer.example>",
        refs={"message_id": "<2@customer.example>", "reply_to": "anna@home.example", **refs},
    )
    return order(target=about)


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


# Sending and reading: real SMTP, and an IMAP server of one page.


class LoopbackNet(RecordedNet):
    """Sockets to loopback; requests from a record."""

    def __init__(self, exchange=(), authority=None):
        super().__init__(exchange)
        self._authority = authority

    def socket(self, host, port, *, tls, timeout_seconds=20.0):
        assert host in ("127.0.0.1", "localhost"), f"a socket to {host}"
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout_seconds)
        except OSError as error:
            raise Unreachable(f"{host} cannot be reached.") from error
        return self.start_tls(plain, host) if tls else plain

    def start_tls(self, plain, host):
        try:
            return ssl.create_default_context(cafile=self._authority).wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            raise Unreachable(f"{host} cannot be reached safely.") from error


@pytest.fixture
def post():
    with smtp() as server:
        yield server


@pytest.fixture
def store():
    with small_imap() as server:
        yield server


@pytest.fixture
def quick():
    return EmailConnector(timeout_seconds=3, answer_seconds=0.5, tick_seconds=0.1, renew_seconds=0.3)


def line(post=None, store=None, account=None, net=None, **changes):
    account = account or mailbox(**changes)
    ports = {"smtp_port": post.port if post else 1, "imap_port": store.port if store else 1}
    settings = {**ports, **account.settings}
    return link(replace(account, settings=settings), net or LoopbackNet())


def test_a_mailbox_is_identified(post, store, quick):
    known = quick.identify(line(post, store))
    assert (known.native_id, known.handle, known.name) == (US, US, "Nordwind")
    assert known.limits["idle"] is False
    assert known.limits["sent_folder"] == "Sent"
    assert known.limits["smtp_bytes"] > 0
    assert known.secrets == {}


@pytest.mark.parametrize(
    ("secret", "words"), [("wrong", "does not accept"), ("p\r\nw", "holds a line break"), ("", "is missing")]
)
def test_a_refused_secret_is_named_and_never_told(post, store, quick, secret, words):
    with pytest.raises(CredentialsRefused) as refused:
        quick.identify(line(post, store, secrets={"password": secret}))
    message = refused.value.message
    for part in ("reading (IMAP)", "sending (SMTP)", words):
        assert part in message
    assert not secret or secret not in message


def test_it_says_which_half_failed(post, store, quick):
    with pytest.raises(Unreachable) as failed:
        quick.identify(line(post, None))
    assert "SMTP" not in failed.value.message
    with pytest.raises(Unreachable) as failed:
        quick.identify(line(None, store))
    assert "IMAP" not in failed.value.message
    store.refuse["LOGIN"] = "[AUTHENTICATIONFAILED] wrong"
    with pytest.raises(CredentialsRefused) as refused:
        quick.identify(line(post, store))
    assert "IMAP" in refused.value.message
    assert "SMTP" not in refused.value.message


def test_a_folder_or_a_sent_folder_that_is_missing_is_named(post, store, quick):
    with pytest.raises(Unreachable, match="“Care” could not be opened"):
        quick.identify(line(post, store, settings={"folder": "Care"}))
    with pytest.raises(Rejected, match="no Sent folder “Elsewhere”"):
        quick.identify(line(post, store, settings={"sent_folder": "Elsewhere"}))


@pytest.mark.parametrize("field", ["imap_port", "largest_megabytes", "imap_security", "imap_host", "address"])
def test_a_field_that_makes_no_sense_is_named(quick, field):
    with pytest.raises(Rejected):
        quick.identify(line(settings={field: "" if field == "imap_host" else "99999999 bananas"}))


def test_a_password_beyond_ascii_signs_in(post, store, quick):
    with pytest.raises(CredentialsRefused) as refused:
        quick.identify(line(post, store, secrets={"password": "pässwort"}))
    # The IMAP server knows this password, the SMTP server another.
    assert "IMAP" not in refused.value.message


def test_a_mail_is_sent_and_its_copy_filed(post, store, quick):
    sent = quick.send(line(post, store), answer())
    (posted,) = post.posted
    assert (posted.sender, posted.recipients) == (US, ["anna@home.example"])
    assert posted.mail["In-Reply-To"] == "<2@customer.example>"
    assert sent == Sent(
        native_id="<key-1@nordwind.example>",
        canonical_id="<key-1@nordwind.example>",
        sent_at=NOW,
        refs={"sent_copy": "saved"},
    )
    (copy,) = store.folders["Sent"].mails.values()
    assert copy.replace(b"\r\n", b"\n").strip() == posted.content.replace(b"\r\n", b"\n").strip()


def test_lines_that_begin_with_a_dot_arrive_as_they_were(post, store, quick):
    quick.send(line(post, store), write(text=".\n..\n.dot\nend"))
    assert post.posted[0].mail.get_content().splitlines() == [".", "..", ".dot", "end"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda store: store.refuse.update(APPEND="[OVERQUOTA] full"), "failed"),
        (lambda store: setattr(store, "hang_up_at", "APPEND"), "failed"),
        (lambda store: setattr(store, "greeting", b"HTTP/1.1 400 Bad Request\r\n"), "failed"),
        (lambda store: store.folders.pop("Sent"), "no_folder"),
    ],
)
def test_a_copy_that_cannot_be_filed_leaves_the_mail_sent(post, store, quick, spoil, told):
    spoil(store)
    assert quick.send(line(post, store), write()).refs == {"sent_copy": told}
    assert len(post.posted) == 1


def test_where_the_provider_files_its_own_copy_we_do_not(post, store, quick):
    known = mailbox(limits={"provider_files_sent": True})
    assert quick.send(line(post, store, known), write()).refs == {"sent_copy": "provider"}
    assert store.folders["Sent"].mails == {}


@pytest.mark.parametrize(
    ("to", "error", "words"),
    [
        ("bounce@customer.example", Rejected, "no such user here"),
        ("defer@customer.example", RateLimited, "come back later"),
        ("full@customer.example", Rejected, "mailbox full"),
    ],
)
def test_a_refusal_has_the_servers_words_and_the_right_name(post, store, quick, to, error, words):
    with pytest.raises((Rejected, Unreachable, RateLimited)) as refused:
        quick.send(line(post, store), write(recipient=Author("x", to)))
    assert words in refused.value.message
    assert to not in refused.value.message
    if to.startswith("defer"):
        assert type(refused.value) is Unreachable
    else:
        assert type(refused.value) is error
    assert store.folders["Sent"].mails == {}


def test_a_server_that_wants_us_slower_says_for_how_long(post, store, quick):
    with pytest.raises(RateLimited) as put_off:
        quick.send(line(post, store, settings={"address": "hasty@nordwind.example"}), write())
    assert put_off.value.retry_after_seconds == 300


def test_an_answer_that_never_comes_is_an_outcome_of_its_own(post, store, quick):
    with pytest.raises(OutcomeUnknown):
        quick.send(line(post, store), write(recipient=Author("h", "hang@customer.example")))
    assert len(post.posted) == 1, "it was taken, which is why nobody may send it again"


def test_a_mail_larger_than_the_server_takes_never_leaves(store, quick):
    with smtp(data_size_limit=100_000) as post, pytest.raises(Rejected, match=r"0\.1 MB at most"):
        quick.send(line(post, store), write(files=(OutFile("a", "a/b", b"x" * 200_000),)))
    assert post.posted == []


def test_an_address_beyond_ascii_needs_a_server_that_knows_it(store, quick):
    to = Author("x", "änne@customer.example")
    with smtp(enable_SMTPUTF8=True) as post:
        quick.send(line(post, store), write(recipient=to))
        assert post.posted[0].recipients == ["änne@customer.example"]
        assert "SMTPUTF8" in post.posted[0].options
    with smtp(enable_SMTPUTF8=False) as post, pytest.raises(Rejected, match="letters beyond ASCII"):
        quick.send(line(post, store), write(recipient=to))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_sending_under_tls_is_verified(store, quick, tmp_path, security):
    certificate = write_certificate(tmp_path)
    settings = {"smtp_security": security, "smtp_host": "localhost"}
    with smtp(certificate=certificate, implicit_tls=security == "tls") as post:
        trusting = LoopbackNet(authority=str(certificate[0]))
        quick.send(line(post, store, settings=settings, net=trusting), write())
        assert len(post.posted) == 1
        with pytest.raises(Unreachable, match="safely"):
            quick.send(line(post, store, settings=settings, net=LoopbackNet()), write())
        assert len(post.posted) == 1


def test_without_starttls_no_password_leaves(post, store, quick):
    with pytest.raises(Unreachable, match="no STARTTLS"):
        quick.send(line(post, store, settings={"smtp_security": "starttls"}), write())
    with pytest.raises(Unreachable, match="no STARTTLS"):
        quick.fetch(line(post, store, settings={"imap_security": "starttls"}), None)
    assert post.office.sign_ins == []
    assert not any("LOGIN" in command for command in store.commands)


class ScriptedPost:
    """The other end of a socket pair, which says its lines whatever it hears."""

    def __init__(self, *lines, last=b"", wait_for_dot=False):
        self.ours, self.theirs = socket.socketpair()
        self._lines, self._last, self._wait_for_dot = lines, last, wait_for_dot
        self.heard = b""
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def _play(self):
        with self.theirs, contextlib.suppress(OSError):
            self.theirs.settimeout(5)
            for said in self._lines:
                self.theirs.sendall(said)
                self.heard += self.theirs.recv(100_000)
            while self._wait_for_dot and not self.heard.endswith(b"\r\n.\r\n"):
                self.heard += self.theirs.recv(100_000)
            self.theirs.sendall(self._last)

    def socket(self, host, port, *, tls, timeout_seconds):
        self.ours.settimeout(timeout_seconds)
        return self.ours


HELLO = (b"220 hi\r\n", b"250-hi\r\n250 AUTH LOGIN PLAIN\r\n", b"235 in\r\n")
TAKEN = (*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (ScriptedPost, Unreachable),
        (lambda: ScriptedPost(last=b"421 too busy\r\n"), Unreachable),
        (lambda: ScriptedPost(last=b"554 go away\r\n"), Unreachable),
        (lambda: ScriptedPost(last=b"HTTP/1.1 400 Bad Request\r\n\r\n<html>"), Unreachable),
        (lambda: ScriptedPost(b"220 hi\r\n"), Unreachable),
        (lambda: ScriptedPost(b"220 hi\r\n", b"250 hi\r\n"), CredentialsRefused),
        (lambda: ScriptedPost(*HELLO[:2], b"535 5.7.8 no\r\n"), CredentialsRefused),
        (lambda: ScriptedPost(*HELLO[:2], b"454 4.7.0 temporary failure\r\n"), RateLimited),
        (lambda: ScriptedPost(*HELLO), Unreachable),
        (lambda: ScriptedPost(*HELLO, b"530 5.7.0 sign in first\r\n"), CredentialsRefused),
        (lambda: ScriptedPost(*HELLO, b"250 ok\r\n", b"450 4.2.0 greylisted\r\n"), RateLimited),
        (lambda: ScriptedPost(*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"451 disk\r\n"), Unreachable),
        (lambda: ScriptedPost(*HELLO, b"250 ok\r\n", b"250 ok\r\n"), Unreachable),
        (lambda: ScriptedPost(*TAKEN, wait_for_dot=True), OutcomeUnknown),
        (lambda: ScriptedPost(*TAKEN, wait_for_dot=True, last=b"huh?\r\n"), OutcomeUnknown),
        (lambda: ScriptedPost(*TAKEN, wait_for_dot=True, last=b"552 too large\r\n"), Rejected),
        (lambda: ScriptedPost(*TAKEN, wait_for_dot=True, last=b"451 disk\r\n"), Unreachable),
    ],
)
def test_each_step_of_sending_fails_by_its_own_name(quick, script, error):
    net = script()
    with (
        net.ours,
        pytest.raises((Unreachable, RateLimited, Rejected, CredentialsRefused, OutcomeUnknown)) as failed,
    ):
        quick.send(link(mailbox(), net), write())
    assert type(failed.value) is error
    assert "pw" not in failed.value.message


def test_a_sign_in_by_login_speaks_its_two_steps(quick):
    net = ScriptedPost(
        b"220 hi\r\n", b"250-hi\r\n250 AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n",
        b"235 in\r\n",
        b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", wait_for_dot=True, last=b"250 queued\r\n",
    )  # fmt: skip
    with net.ours:
        assert quick.send(link(mailbox(), net), write()).refs == {"sent_copy": "failed"}
    assert [base64.b64encode(word) in net.heard for word in (US.encode(), b"pw")] == [True, True]


# XOAUTH2.

GRANT = {"access_token": TOKEN, "expires_in": 3599, "refresh_token": "next"}


def oauth(grants=(), *, post, store, secrets=None, vault=None):
    """A link whose token service gives ``grants`` in turn (a status, or the JSON of a success)."""
    exchange = [
        {
            "request": {"method": "POST", "url": TOKEN_URL},
            "response": {"status": grant, "json": {"error": "invalid_grant"}}
            if isinstance(grant, int)
            else {"json": grant},
        }
        for grant in grants
    ]
    settings = {"auth": "xoauth2", "token_url": TOKEN_URL, "client_id": "heard", "scope": "mail"}
    given = {"refresh_token": "first", "client_secret": "hush", **(secrets or {})}
    opened = line(post, store, settings=settings, secrets=given, net=LoopbackNet(exchange))
    return replace(opened, vault=vault or FakeVault(given))


def test_a_token_is_fetched_once_kept_before_use_and_used_for_both_halves(post, store, quick):
    opened = oauth([GRANT], post=post, store=store)
    known = quick.identify(opened)
    (request,) = opened.net.requests
    assert request.data == {
        "grant_type": "refresh_token", "refresh_token": "first", "scope": "mail",
        "client_id": "heard", "client_secret": "hush",
    }  # fmt: skip
    (kept,) = opened.vault.kept
    assert (kept["access_token"], kept["refresh_token"]) == (TOKEN, "next")
    assert known.secrets["refresh_token"] == "next"
    assert known.secrets["client_secret"] == "hush"
    assert post.office.sign_ins == ["XOAUTH2"]
    # The next call has a token that lives, and asks nobody.
    quick.send(opened, write())
    assert len(opened.net.requests) == 1


def test_a_token_near_its_end_is_renewed_and_a_fresh_one_is_not(post, store, quick):
    for lives, renewed in ((timedelta(seconds=60), 1), (timedelta(minutes=30), 0)):
        ends_at = (NOW + lives).isoformat()
        secrets = {"access_token": TOKEN, "access_token_ends_at": ends_at}
        opened = oauth([GRANT], post=post, store=store, secrets=secrets)
        quick.fetch(opened, None)
        assert len(opened.net.requests) == renewed


def test_a_token_refused_before_its_time_is_renewed_once(post, store, quick):
    stale = {"access_token": "revoked", "access_token_ends_at": (NOW + timedelta(hours=1)).isoformat()}
    opened = oauth([GRANT], post=post, store=store, secrets=stale)
    quick.fetch(opened, None)
    opened.net.finished()
    opened = oauth([{**GRANT, "access_token": "bad too"}], post=post, store=store, secrets=stale)
    with pytest.raises(CredentialsRefused, match="token expired"):
        quick.fetch(opened, None)
    opened = oauth([GRANT], post=post, store=store, secrets=stale)
    quick.send(opened, write())
    assert len(post.posted) == 1


def test_a_token_that_another_process_renewed_meanwhile_is_taken(post, store, quick):
    class OtherProcess(FakeVault):
        @contextlib.contextmanager
        def lock(self):
            ends_at = (NOW + timedelta(hours=1)).isoformat()
            self.keep({**self.current(), "access_token": TOKEN, "access_token_ends_at": ends_at})
            yield

    opened = oauth(post=post, store=store, vault=OtherProcess({"refresh_token": "first"}))
    quick.fetch(opened, None)
    assert opened.net.requests == []


@pytest.mark.parametrize(
    ("grant", "error"),
    [
        (400, CredentialsRefused),
        (401, CredentialsRefused),
        (429, RateLimited),
        (503, Unreachable),
        ({}, Unreachable),
        ([], Unreachable),
    ],
)
def test_a_token_service_that_does_not_give_is_named(post, store, quick, grant, error):
    with pytest.raises(error) as refused:
        quick.fetch(oauth([grant], post=post, store=store), None)
    assert "first" not in refused.value.message
    assert "hush" not in refused.value.message


# Reading.


def mail_of(number: int, text: str = "") -> bytes:
    return (
        f"From: anna@customer.example\nMessage-ID: <{number}@customer.example>\n\n{text or number}\n".encode()
    )


def seen_in(account, body: bytes) -> MessageSeen:
    (event,) = CONNECTOR.receive(account, RawDelivery(Source.POLL, body, NOW))
    assert isinstance(event, MessageSeen)
    return event


def texts(account, page):
    return [seen_in(account, body).text.strip() for body in page.bodies]


def test_what_is_new_comes_once_and_in_order(store, quick):
    opened = line(None, store)
    for number in range(3):
        store.inbox.add(mail_of(number))
    first = quick.fetch(opened, None)
    assert texts(opened.account, first) == ["0", "1", "2"]
    store.inbox.add(mail_of(3))
    second = quick.fetch(opened, json.loads(json.dumps(first.cursor)))
    assert texts(opened.account, second) == ["3"]
    third = quick.fetch(opened, second.cursor)
    assert (third.bodies, third.more, third.gap) == ([], False, "")


def test_a_mail_that_vanishes_between_two_commands_is_passed_over(store, quick, monkeypatch):
    opened = line(None, store)
    for number in range(3):
        store.inbox.add(mail_of(number))
    fetch = MailStore.whole

    def somebody_deletes_one(self, uids):
        store.inbox.mails.pop(2, None)
        return fetch(self, uids)

    monkeypatch.setattr(MailStore, "whole", somebody_deletes_one)
    page = quick.fetch(opened, None)
    assert texts(opened.account, page) == ["0", "2"]


def test_after_a_renumbering_too_much_to_read_again_is_named(store, quick, monkeypatch):
    monkeypatch.setattr("heard.connectors.email.catch_up.MOST_BACK", 2)
    opened = line(None, store)
    for number in range(4):
        store.inbox.add(mail_of(number))
    first = quick.fetch(opened, None)
    assert (texts(opened.account, first), first.gap) == (["2", "3"], "")
    store.inbox.uidvalidity += 1
    second = quick.fetch(opened, first.cursor)
    assert texts(opened.account, second) == ["2", "3"]
    assert "renumbered the folder “INBOX”" in second.gap
    assert quick.fetch(opened, second.cursor).gap == ""


def test_a_huge_folder_is_read_in_slices(store, quick, monkeypatch):
    monkeypatch.setattr("heard.connectors.email.client.imap.SLICE", 3)
    opened = line(None, store)
    for number in range(11):
        store.inbox.add(mail_of(number))
    cursor = {"folders": {"INBOX": {"uidvalidity": 7, "uid": 1}}}
    seen, more = [], True
    for _ in range(10):
        page = quick.fetch(opened, cursor)
        cursor, more = page.cursor, page.more
        seen += texts(opened.account, page)
        if not more:
            break
    assert seen == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize(
    "cursor",
    [
        {},
        {"folders": 5},
        {"folders": {"INBOX": {"uidvalidity": "x"}}},
        {"folders": {"INBOX": {"uidvalidity": 7}}},
    ],
)
def test_a_cursor_of_another_time_begins_anew(store, quick, cursor):
    opened = line(None, store)
    store.inbox.add(mail_of(1))
    assert texts(opened.account, quick.fetch(opened, cursor)) == ["1"]


def test_a_mailbox_without_a_sent_folder_is_read_all_the_same(store, quick):
    store.folders.pop("Sent")
    store.inbox.add(mail_of(1))
    opened = line(None, store)
    assert texts(opened.account, quick.fetch(opened, None)) == ["1"]


def test_a_mail_of_300_mb_is_not_fetched_and_its_text_is(store, quick):
    raw = (
        b"From: anna@customer.example\nMessage-ID: <big@customer.example>\nSubject: Film\n"
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        b"--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"Sch=C3=B6n, nicht=3F\n--b\nContent-Type: video/mp4\n\nxxxx\n--b--\n"
    )
    uid = store.inbox.add(raw)
    store.sizes[uid] = 300_000_000
    store.structures = {
        uid: b'(("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 20 1 NIL NIL NIL)'
        b'("VIDEO" "MP4" ("NAME" "=?utf-8?q?K=C3=BCche.mp4?=") NIL NIL "BASE64" 299000000 NIL NIL NIL)'
        b' "MIXED" NIL NIL)'
    }
    opened = line(None, store)
    (body,) = quick.fetch(opened, None).bodies
    seen = seen_in(opened.account, body)
    assert (seen.subject, seen.text.strip()) == ("Film", "Schön, nicht?")
    (file,) = seen.attachments
    assert (file.name, file.size_bytes, file.data, file.kind) == (
        "Küche.mp4",
        299_000_000,
        None,
        AttachmentKind.VIDEO,
    )
    assert not any("BODY.PEEK[]" in command for command in store.commands)


@pytest.mark.parametrize(
    "structure", [b"NIL", b'("TEXT" "PLAIN")', b'(("A" "B") ("C"))', b"()", b"(NIL NIL NIL NIL NIL NIL NIL)"]
)
def test_a_large_mail_whose_structure_makes_no_sense_still_comes(store, quick, structure):
    uid = store.inbox.add(mail_of(1))
    store.sizes[uid] = 300_000_000
    store.structures = {uid: structure}
    opened = line(None, store)
    try:
        (body,) = quick.fetch(opened, None).bodies
    except Unreachable:
        # What cannot even be read as IMAP is the server's fault, and named so.
        assert structure in (b"()", b"NIL")
        return
    seen = seen_in(opened.account, body)
    assert seen.canonical_id == "<1@customer.example>"
    assert [file.data for file in seen.attachments] == [None] * len(seen.attachments)
    assert seen.attachments


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"greeting": b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\r\n"}, Unreachable),
        ({"greeting": b"* BYE overloaded\r\n"}, Unreachable),
        ({"greeting": b""}, Unreachable),
        ({"hang_up_at": "LOGIN"}, Unreachable),
        ({"hang_up_at": "EXAMINE"}, Unreachable),
        ({"hang_up_at": "FETCH"}, Unreachable),
        ({"refuse": {"LOGIN": "[UNAVAILABLE] try again later"}}, RateLimited),
        ({"refuse": {"LOGIN": "[ALERT] Too many simultaneous connections"}}, RateLimited),
        ({"refuse": {"LOGIN": "[ALERT] Application-specific password required"}}, CredentialsRefused),
        ({"refuse": {"SEARCH": "no"}}, Unreachable),
        ({"capabilities": "IMAP4rev1 LOGINDISABLED"}, CredentialsRefused),
    ],
)
def test_a_server_that_is_not_itself_is_named(options, error):
    impatient = EmailConnector(timeout_seconds=0.5)
    with small_imap(**options) as store:
        store.inbox.add(mail_of(1))
        opened = line(None, store)
        with pytest.raises((Unreachable, RateLimited, CredentialsRefused)) as failed:
            impatient.fetch(opened, None)
    assert type(failed.value) is error


def test_a_server_without_idle_is_polled(store, quick):
    with pytest.raises(Unsupported, match="keep looking"):
        next(quick.stream(line(None, store)))


@pytest.mark.parametrize("death", [{"drops_listeners": True}, {"hang_up_at": "IDLE"}])
def test_a_line_that_dies_while_we_listen_ends_the_stream(quick, death):
    with small_imap(capabilities="IMAP4rev1 IDLE") as store:
        bodies = quick.stream(line(None, store))
        assert [next(bodies), next(bodies)] == [b"", b""]
        for name, value in death.items():
            setattr(store, name, value)
        with pytest.raises(Unreachable, match="hung up"):
            list(itertools.islice(bodies, 5))


def test_a_quiet_line_is_renewed_and_let_go_at_once(quick):
    with small_imap(capabilities="IMAP4rev1 IDLE") as store:
        bodies = quick.stream(line(None, store))
        assert [next(bodies) for _ in range(6)] == [b""] * 6
        assert store.commands.count("IDLE") > 1
        began_at = time.monotonic()
        bodies.close()
        assert time.monotonic() - began_at < 1


def test_a_mail_filed_by_us_is_found_again_and_another_is_not(post, store, quick):
    opened = line(post, store)
    quick.send(opened, write())
    found = quick.look_up(opened, write())
    assert isinstance(found, Sent)
    assert found.native_id == "<key-1@nordwind.example>"
    assert isinstance(quick.look_up(opened, write(key="key-2")), CannotTell)


def test_a_mail_whose_id_the_provider_replaced_is_found_by_our_key(store, quick):
    store.folders["Sent"].add(b"Message-ID: <theirs@provider.example>\nX-Heard-Key: key-1\n\nhi\n")
    assert isinstance(quick.look_up(line(None, store), write()), Sent)


@pytest.mark.parametrize(
    ("key", "sent", "canonical"),
    [
        ("key-1", True, "<key-1@nordwind.example>"),
        ("", True, "<theirs@provider.example>"),
        ("not a key", True, "<theirs@provider.example>"),
        ("key-1", False, "<theirs@provider.example>"),  # in the inbox anybody can write anything
    ],
)
def test_a_copy_whose_id_the_provider_replaced_is_the_mail_that_we_sent(key, sent, canonical):
    mail = (
        "From: Nordwind <help@nordwind.example>\nTo: anna@b.example\n"
        f"Message-ID: <theirs@provider.example>\nX-Heard-Key: {key}\n\nDear Anna"
    )
    echo = one(mail, folder="Sent", uidvalidity=3, uid=9, sent=sent)
    assert echo.author.is_us == sent
    assert echo.canonical_id == canonical


IN_OUR_NAME = (
    f"From: Nordwind <{US}>\nTo: {US}\nMessage-ID: <form@www.nordwind.example>\n\nThe door fell off."
)


def test_in_the_inbox_anybody_can_write_in_our_name_and_in_the_sent_folder_only_we():
    said = one(IN_OUR_NAME, folder="INBOX", uidvalidity=7, uid=1)
    assert (said.author.is_us, said.author.handle) == (False, US)
    ours = one(IN_OUR_NAME, folder="Sent", uidvalidity=7, uid=1, sent=True)
    assert ours.author.is_us


def test_where_one_folder_holds_both_the_sender_tells_what_was_sent():
    mixed = mailbox(settings={"sent_folder": "INBOX"})
    (ours,) = receive(IN_OUR_NAME, mixed, folder="INBOX", uidvalidity=7, uid=1)
    (theirs,) = receive("From: a@b.example\n\nhi", mixed, folder="INBOX", uidvalidity=7, uid=2)
    assert (ours.author.is_us, theirs.author.is_us) == (True, False)


@pytest.mark.parametrize(("reply_to", "possible"), [("", False), ("Reply-To: anna@customer.example\n", True)])
def test_nobody_answers_a_mail_that_names_only_ourselves(reply_to, possible):
    said = one(reply_to + IN_OUR_NAME)
    answer = CONNECTOR.supports(
        Verb.REPLY,
        target(kind=MessageKind.EMAIL, author=said.author, refs=said.refs),
        ActorKind.HUMAN,
        mailbox(),
        NOW,
    )
    assert isinstance(answer, Yes) == possible
    assert possible or "only ourselves" in answer.reason


def test_without_a_sent_folder_nobody_can_tell(store, quick):
    store.folders.pop("Sent")
    assert isinstance(quick.look_up(line(None, store), write()), CannotTell)


def test_a_file_left_on_the_server_of_a_renumbered_folder_is_refused(store, quick):
    store.folders["INBOX"] = Folder(uidvalidity=8)
    file = one(
        "From: a@b.example\n\nhi", folder="INBOX", uidvalidity=7, uid=1, size_bytes=300_000_000,
        omitted=[{"pointer": "INBOX;7/1/2/base64", "name": "a.mp4", "size": 5}],
    ).attachments[0]  # fmt: skip
    with pytest.raises(Rejected, match="renumbered"):
        quick.fetch_media(line(None, store), file, 1_000)


def test_bytes_that_came_with_the_mail_are_not_asked_for_again():
    mail = "From: a@b.example\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAEC\n"
    (file,) = one(mail).attachments
    assert CONNECTOR.fetch_media(link(mailbox(), RecordedNet()), file, 10) == b"\x00\x01\x02"
