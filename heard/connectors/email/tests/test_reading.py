"""Reading a mailbox: once, in order, in slices, and what happens when a server is not itself."""

from __future__ import annotations

import itertools
import json
import time

import pytest

from heard.connectorkit.errors import CredentialsRefused, RateLimited, Rejected, Unreachable, Unsupported
from heard.connectorkit.testing import NOW, RecordedNet, link, target
from heard.connectorkit.vocabulary import (
    ActorKind,
    AttachmentKind,
    CannotTell,
    MessageKind,
    MessageSeen,
    RawDelivery,
    Sent,
    Source,
    Verb,
    Yes,
)
from heard.connectors.email import CONNECTOR, EmailConnector
from heard.connectors.email.client import MailStore
from tests.servers.small_imap import Folder, small_imap

from .played import US, line, mailbox, one, receive, write


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
