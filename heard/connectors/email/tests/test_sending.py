"""Sending and signing in: real SMTP, an IMAP server of one page, and scripts."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading

import pytest

from heard.connectorkit.errors import CredentialsRefused, OutcomeUnknown, RateLimited, Rejected, Unreachable
from heard.connectorkit.testing import NOW, link
from heard.connectorkit.vocabulary import Author, OutFile, Sent
from tests.servers.certificate import write_certificate
from tests.servers.smtp import smtp

from .played import US, LoopbackNet, answer, line, mailbox, write


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
