"""The e-mail connector against Dovecot and aiosmtpd: a customer writes, we hear, we answer, they read it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from heard.connectorkit.errors import CredentialsRefused, OutcomeUnknown, Rejected, Unreachable
from heard.connectorkit.testing import link
from heard.connectorkit.vocabulary import (
    Account,
    Author,
    CannotTell,
    MessageSeen,
    NotFound,
    OutFile,
    RawDelivery,
    Receipt,
    ReceiptState,
    SendOrder,
    Sent,
    Source,
    Target,
    Verb,
)
from heard.connectors.email import EmailConnector
from heard.foundation.net import AllowList, Guard, GuardedNet

LONG_TICK_SECONDS = 5.0


@pytest.fixture(scope="module")
def net(mail_server):
    """The real guard: loopback is allowed because an operator said so, and for no other reason."""
    guarded = GuardedNet(
        Guard(AllowList.parse("127.0.0.1, localhost")), extra_ca_file=str(mail_server.imap.certificate)
    )
    with closing(guarded):
        yield guarded


@pytest.fixture
def connector():
    return EmailConnector(timeout_seconds=10, answer_seconds=1, tick_seconds=LONG_TICK_SECONDS)


@pytest.fixture
def account(mail_server):
    address = mail_server.new_address()
    return Account(
        native_id=address,
        handle=address,
        name="Nordwind",
        settings=mail_server.settings(address),
        secrets={"password": mail_server.password},
    )


@pytest.fixture
def line(account, net):
    return _line(account, net)


def _line(account, net):
    return link(account, net, now=datetime.now(UTC))


def _with(account, **settings):
    return Account(
        native_id=account.native_id,
        handle=account.handle,
        name=account.name,
        settings={**account.settings, **settings},
        secrets=account.secrets,
        limits=account.limits,
    )


def _events(connector, account, bodies):
    found = []
    for body in bodies:
        found += connector.receive(account, RawDelivery(Source.POLL, body, datetime.now(UTC)))
    return found


def _all(connector, line, cursor=None):
    """Fetch until there is no more: the events and the last cursor."""
    events = []
    for _ in range(20):
        page = connector.fetch(line, cursor)
        events += _events(connector, line.account, page.bodies)
        cursor = page.cursor
        if not page.more:
            return events, cursor, page
    raise AssertionError("fetch never came to an end")


def _answer(said: MessageSeen, key: str, text: str = "It is on its way.", **changes) -> SendOrder:
    target = Target(
        native_id=said.native_id,
        id_scope=said.id_scope,
        kind=said.kind,
        visibility=said.visibility,
        author=said.author,
        canonical_id=said.canonical_id,
        subject=said.subject,
        refs=said.refs,
    )
    values = {"verb": Verb.REPLY, "target": target, "text": text, "first_attempt_at": datetime.now(UTC)}
    return SendOrder(key=key, **{**values, **changes})


def test_a_mailbox_is_identified_with_its_limits(connector, line):
    known = connector.identify(line)
    assert known.native_id == known.handle == line.account.handle
    assert known.limits == {
        "idle": True,
        "sent_folder": "Sent",
        "provider_files_sent": False,
        "smtp_bytes": 33_554_432,
        "smtputf8": True,
    }


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_reading_under_tls_is_verified_by_name(connector, account, net, mail_server, security):
    port = mail_server.imap.port if security == "starttls" else mail_server.imap.tls_port
    secured = _with(account, imap_security=security, imap_port=port, imap_host="localhost")
    mail_server.write(account.handle, "under cover")
    events, _, _ = _all(connector, _line(secured, net))
    assert [event.text.strip() for event in events] == ["under cover"]


def test_a_certificate_nobody_vouches_for_is_refused(connector, account, mail_server):
    with closing(GuardedNet(Guard(AllowList.parse("127.0.0.1, localhost")))) as stranger:
        secured = _with(account, imap_security="tls", imap_port=mail_server.imap.tls_port)
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            connector.fetch(_line(secured, stranger), None)


def test_without_the_operators_word_no_inner_server_is_spoken_to(connector, account):
    with closing(GuardedNet(Guard(AllowList.parse("")))) as guarded, pytest.raises(Unreachable):
        connector.identify(_line(account, guarded))


def test_a_wrong_password_is_named_for_both_halves(connector, account, net):
    wrong = Account(
        account.native_id, account.handle, settings=account.settings, secrets={"password": "wrong"}
    )
    with pytest.raises(CredentialsRefused) as refused:
        connector.identify(_line(wrong, net))
    assert "reading (IMAP) does not accept" in refused.value.message
    assert "sending (SMTP) does not accept" in refused.value.message
    with pytest.raises(CredentialsRefused):
        connector.fetch(_line(wrong, net), None)


def test_a_folder_that_is_not_there_is_named(connector, account, net):
    with pytest.raises(Unreachable, match="“Elsewhere” could not be opened"):
        connector.identify(_line(_with(account, folder="Elsewhere"), net))


def test_a_customer_writes_and_reads_our_answer(connector, line, mail_server):
    mail_server.write(line.account.handle, "Where is it?", subject="Päckchen – wo?")
    events, cursor, _ = _all(connector, line)
    (said,) = events
    assert (said.author.handle, said.author.name) == ("anna@customer.example", "Anna Berg")
    assert (said.subject, said.text.strip(), said.automatic) == ("Päckchen – wo?", "Where is it?", False)

    file = OutFile("Beleg.pdf", "application/pdf", b"%PDF-", alt="Your receipt")
    order = _answer(said, "answer-1", "Grüße, es ist unterwegs.", files=(file,))
    sent = connector.send(line, order)
    domain = line.account.handle.partition("@")[2]
    assert sent.canonical_id == sent.native_id == f"<answer-1@{domain}>"
    assert sent.refs == {"sent_copy": "saved"}

    # What the customer reads, by a reader that is not ours.
    (read,) = [
        message_from_bytes(raw, policy=default) for raw in mail_server.inbox("anna@customer.example")[-1:]
    ]
    assert read["From"] == f"Nordwind <{line.account.handle}>"
    assert read["To"] == "Anna Berg <anna@customer.example>"
    assert read["Subject"] == "Re: Päckchen – wo?"
    assert read["In-Reply-To"] == read["References"] == said.canonical_id
    assert read.get_body().get_content().strip() == "Grüße, es ist unterwegs."
    assert [part.get_content() for part in read.iter_attachments()] == [b"%PDF-"]

    # The copy in Sent comes back as an echo of this very answer, and of the same thread.
    echoes, cursor, _ = _all(connector, line, cursor)
    (echo,) = echoes
    assert (echo.author.is_us, echo.client_key, echo.canonical_id) == (True, "answer-1", sent.canonical_id)
    assert echo.thread_key == said.thread_key == said.canonical_id
    assert echo.id_scope.startswith("Sent;")
    assert _all(connector, line, cursor)[0] == []

    found = connector.look_up(line, order)
    assert isinstance(found, Sent)
    assert found.canonical_id == sent.canonical_id


def test_what_was_answered_in_another_mail_program_is_ours(connector, line, mail_server):
    mine = EmailMessage()
    mine["From"], mine["To"] = line.account.handle, "anna@customer.example"
    mine["Subject"], mine["Message-ID"] = "Re: lost", "<elsewhere@nordwind.example>"
    mine.set_content("Answered from my phone.")
    with mail_server.imap.reader(line.account.handle) as client:
        client.append("Sent", mine.as_bytes(), [rb"\Seen"])
    ((echo,), _, _) = _all(connector, line)
    assert echo.author.is_us
    assert (echo.client_key, echo.recipients) == ("", ("anna@customer.example",))


def test_idle_sees_a_mail_within_seconds(connector, line, mail_server):
    heard: list[tuple[float, bytes]] = []
    listening, done = threading.Event(), threading.Event()

    def listen():
        with closing(connector.stream(line)) as bodies:
            for body in bodies:
                heard.append((time.monotonic(), body))
                listening.set()
                if body:
                    break
        done.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(10)
    time.sleep(0.3)
    written_at = time.monotonic()
    mail_server.write(line.account.handle, "Is anybody there?")
    assert done.wait(10)
    thread.join()
    at, body = heard[-1]
    assert at - written_at < LONG_TICK_SECONDS - 1, "it waited for the tick instead of listening"
    assert [event.text.strip() for event in _events(connector, line.account, [body])] == ["Is anybody there?"]


def test_a_quiet_line_gives_signs_of_life(line, mail_server):
    quick = EmailConnector(tick_seconds=0.1, renew_seconds=0.3)
    with closing(quick.stream(line)) as bodies:
        assert [next(bodies) for _ in range(8)] == [b""] * 8


def test_what_came_while_nobody_listened_opens_the_line(connector, line, mail_server):
    mail_server.write(line.account.handle, "just before")
    with closing(connector.stream(line)) as bodies:
        ((said,)) = _events(connector, line.account, [next(bodies)])
    assert said.text.strip() == "just before"


def test_a_renumbered_folder_gives_the_same_mails_and_no_new_ones(connector, account, net, mail_server):
    watched = _with(account, folder="Care")
    line = _line(watched, net)
    with mail_server.imap.reader(account.handle) as client:
        client.create_folder("Care")
        mails = []
        for number in range(3):
            one = EmailMessage()
            one["From"] = "anna@customer.example"
            one["Subject"] = f"mail {number}"
            if number:  # the first has no Message-ID at all
                one["Message-ID"] = f"<{number}@customer.example>"
            one.set_content(f"text {number}")
            mails.append(one.as_bytes())
            client.append("Care", mails[-1])
        before, cursor, _ = _all(connector, line)
        assert len(before) == 3

        client.delete_folder("Care")
        time.sleep(1.1)  # Dovecot numbers folders by the second in which they were made
        client.create_folder("Care")
        for raw in reversed(mails):
            client.append("Care", raw)
        client.append("Care", b"Subject: new\nMessage-ID: <new@customer.example>\nFrom: b@c.example\n\nnew\n")
    after, cursor, page = _all(connector, line, cursor)
    assert {event.id_scope for event in before}.isdisjoint(event.id_scope for event in after)
    known = {event.canonical_id for event in before}
    assert [event.text.strip() for event in after if event.canonical_id not in known] == ["new"]
    assert known < {event.canonical_id for event in after}
    assert page.gap == ""
    assert _all(connector, line, cursor)[0] == []


def test_nothing_we_do_marks_a_mail_as_read(connector, line, mail_server):
    mail_server.write(line.account.handle, "unread")
    _all(connector, line)
    with mail_server.imap.reader(line.account.handle) as client:
        client.select_folder("INBOX")
        assert len(client.search("UNSEEN")) == 1


def test_of_a_large_mail_the_text_comes_and_the_file_on_request(connector, account, net, mail_server):
    line = _line(_with(account, largest_megabytes=1), net)
    movie = bytes(range(256)) * 8_000
    large = EmailMessage()
    large["From"], large["To"] = "anna@customer.example", account.handle
    large["Subject"], large["Message-ID"] = "Schaden", "<large@customer.example>"
    large.set_content("Hier ist der Film, schöne Grüße.")
    large.add_alternative("<p>Hier ist der Film.</p>", subtype="html")
    large.add_attachment(movie, maintype="video", subtype="mp4", filename="Schaden – Küche.mp4")
    mail_server.imap.deliver(large, account.handle)
    mail_server.write(account.handle, "a small one after it")
    (said, small), _, _ = _all(connector, line)
    assert said.text.strip() == "Hier ist der Film, schöne Grüße."
    assert (said.subject, said.canonical_id) == ("Schaden", "<large@customer.example>")
    (file,) = said.attachments
    assert (file.name, file.content_type, file.data) == ("Schaden – Küche.mp4", "video/mp4", None)
    assert file.size_bytes > len(movie)
    assert small.text.strip() == "a small one after it"

    assert connector.fetch_media(line, file, 10_000_000) == movie
    with pytest.raises(Rejected, match="larger than"):
        connector.fetch_media(line, file, 1_000_000)


def test_a_backlog_comes_in_pages_and_whole(connector, line, mail_server, monkeypatch):
    monkeypatch.setattr("heard.connectors.email.catch_up.PAGE_MAILS", 4)
    for number in range(10):
        mail_server.write(line.account.handle, f"number {number}")
    events, cursor, _ = _all(connector, line)
    assert [event.text.strip() for event in events] == [f"number {number}" for number in range(10)]
    mail_server.write(line.account.handle, "and one more")
    assert [event.text.strip() for event in _all(connector, line, cursor)[0]] == ["and one more"]


def test_a_bounce_is_refused_with_the_servers_words(connector, line, mail_server):
    order = SendOrder("b-1", Verb.DIRECT_MESSAGE, "hello", recipient=Author("b", "bounce@nowhere.example"))
    with pytest.raises(Rejected, match="no such user here") as refused:
        connector.send(line, order)
    assert "bounce@" not in refused.value.message, "an address reached the log"
    assert mail_server.inbox(line.account.handle, "Sent") == []


def test_a_later_bounce_is_a_receipt_for_what_we_sent(connector, line, mail_server):
    order = SendOrder("later-1", Verb.DIRECT_MESSAGE, "hello", recipient=Author("b", "gone@nowhere.example"))
    sent = connector.send(line, order)
    report = (
        f"From: MAILER-DAEMON@mx.example\nTo: {line.account.handle}\nMessage-ID: <dsn@mx.example>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n'
        "--x\n\nCould not deliver.\n--x\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; gone@nowhere.example\nAction: failed\n"
        "Status: 5.2.2\nDiagnostic-Code: smtp; 552 over quota\n\n"
        f"--x\nContent-Type: text/rfc822-headers\n\nMessage-ID: {sent.native_id}\n\n--x--\n"
    )
    mail_server.imap.deliver(report.encode(), line.account.handle, sender="")
    receipts = [event for event in _all(connector, line)[0] if isinstance(event, Receipt)]
    (receipt,) = receipts
    assert (receipt.native_id, receipt.state) == (sent.native_id, ReceiptState.FAILED)
    assert "the mailbox is full" in receipt.reason


def test_an_answer_that_never_comes_is_unknown_and_then_looked_up(connector, line, mail_server):
    order = SendOrder("hang-1", Verb.DIRECT_MESSAGE, "hello", recipient=Author("h", "hang@nowhere.example"))
    with pytest.raises(OutcomeUnknown):
        connector.send(line, order)
    # It did leave, and nothing on our side can know: no copy was filed, and absence proves nothing.
    assert [b"hang-1@" in raw for raw in mail_server.inbox("hang@nowhere.example")] == [True]
    assert isinstance(connector.look_up(line, order), CannotTell)


def test_where_the_provider_files_what_it_sends_absence_is_proof(connector, account, net):
    line = _line(_with(account, sent_copy="provider"), net)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    order = SendOrder("p-1", Verb.DIRECT_MESSAGE, "hello", first_attempt_at=long_ago)
    assert connector.look_up(line, order) == NotFound()
    young = SendOrder("p-1", Verb.DIRECT_MESSAGE, "hello", first_attempt_at=line.now)
    with pytest.raises(Unreachable, match="still be filing"):
        connector.look_up(line, young)


def test_a_copy_that_cannot_be_filed_leaves_the_mail_sent(connector, account, net, mail_server, monkeypatch):
    monkeypatch.setattr("heard.connectors.email.connector.sent_folder", lambda *_: "No/Such/Folder")
    order = SendOrder("copy-1", Verb.DIRECT_MESSAGE, "hello", recipient=Author("k", "karl@nowhere.example"))
    sent = connector.send(_line(account, net), order)
    assert sent.refs == {"sent_copy": "failed"}
    assert len(mail_server.inbox("karl@nowhere.example")) == 1
