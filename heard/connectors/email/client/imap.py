"""One session with an IMAP server: the commands we need, over the guarded net, faults by name.

IMAPClient speaks the protocol; its socket comes from ``net``, so the SSRF guard holds, and STARTTLS goes
through ``net`` too: where a TLS context is expected, it gets an object that asks the net to wrap.
"""

from __future__ import annotations

import imaplib
import re
import select
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from imapclient import IMAPClient
from imapclient.imapclient import SEEN, SENT

from heard.connectorkit.errors import (
    ConnectorError,
    CredentialsRefused,
    RateLimited,
    Unreachable,
    Unsupported,
)
from heard.connectorkit.net import Net
from heard.connectors.email.settings import Security, Server

from .login import Login, own_words

#: A server that announces more than this in one piece is cut off: we ask for sizes before contents.
LONGEST_LITERAL = 120_000_000
#: Where a folder holds more mails than this, its numbers are asked for in slices of them: a longer
#: answer would not fit the one line a server has for it.
SLICE = 20_000

#: What the protocol libraries raise when the other side does not speak IMAP, or stops in mid-word.
_BROKEN = (imaplib.IMAP4.error, OSError, EOFError, ValueError, LookupError, TypeError, AssertionError)
_BUSY = re.compile(
    r"too many|\[(inuse|limit|unavailable|overquota)\]|try again|temporar|throttl", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Folder:
    """An opened folder. ``next_uid`` is 0 where the server does not say it."""

    name: str
    uidvalidity: int
    next_uid: int
    mails: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is asked of a mail before its content: its size in bytes and when its server took it in."""

    size_bytes: int
    internal_at: datetime | None


class _Wire(imaplib.IMAP4):
    """imaplib on a socket of the guarded net, with a bound on what a server may announce."""

    def __init__(self, net: Net, server: Server, timeout_seconds: float) -> None:
        self._net = net
        self._server = server
        self._timeout_seconds = timeout_seconds
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:  # noqa: ARG002 - imaplib's
        implicit = self._server.security is Security.TLS
        host, port = self._server.host, self._server.port
        return self._net.socket(host, port, tls=implicit, timeout_seconds=self._timeout_seconds)

    def read(self, size: int) -> bytes:
        """``size`` bytes of the connection; aborts where that is beyond reason."""
        if size > LONGEST_LITERAL:
            raise self.abort("the server announces too much")
        return super().read(size)


class NetTls:
    """Stands where imaplib and smtplib expect an ``ssl.SSLContext``: the net wraps, and verifies."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def wrap_socket(self, plain: socket.socket, server_hostname: str) -> socket.socket:
        """``plain`` under TLS."""
        return self._net.start_tls(plain, server_hostname)


class _Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient on our wire. Its own logger would see every mail's text, so it is given nothing."""

    def __init__(self, net: Net, server: Server, timeout_seconds: float) -> None:
        self._line = (net, server, timeout_seconds)
        super().__init__(server.host, server.port, ssl=False, timeout=timeout_seconds)
        self._imap.debug = 0
        self.normalise_times = False

    def _create_IMAP4(self) -> _Wire:  # noqa: N802 - imapclient's name
        return _Wire(*self._line)

    def sign_in(self, login: Login) -> None:
        """Sign in. IMAPClient's own ways make one error of a refusal and of a line that dropped."""
        if login.token:
            # A refusal comes as a challenge with the reason in it, which an empty line answers.
            self._authenticate("XOAUTH2", login.xoauth2())
        elif (login.username + login.password).isascii():
            self._command_and_check("login", login.username, login.password)
        else:
            self._authenticate("PLAIN", f"\0{login.username}\0{login.password}")

    def _authenticate(self, mechanism: str, payload: str) -> None:
        answers = iter((payload,))
        self._command_and_check("authenticate", mechanism, lambda _challenge: next(answers, ""))

    def something_waits(self, seconds: float) -> bool:
        """Whether the server has said something, waiting up to ``seconds`` for it. Reads nothing away."""
        connection = self.socket()
        connection.settimeout(0)
        try:
            # What came in one packet with the last answer lies in the buffer, where poll cannot see it.
            # Python 3.14 calls it _file.
            if (getattr(self._imap, "_file", None) or self._imap.file).peek(1):
                return True
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        finally:
            connection.settimeout(self._timeout.read)
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        return bool(poller.poll(seconds * 1000))


class MailStore:
    """A signed-in IMAP session. Every method raises ``ConnectorError``s only. Close it after use."""

    def __init__(self, net: Net, server: Server, login: Login, timeout_seconds: float) -> None:
        self._server = server
        self._listening = False
        with self._faults():
            self._client = _Client(net, server, timeout_seconds)
        try:
            self._sign_in(net, login)
        except ConnectorError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye if anyone listens, and hang up."""
        if self._listening:
            # A server that waits for the end of IDLE takes no other word.
            self._hang_up()
            return
        try:
            self._client.logout()
        except _BROKEN:
            self._hang_up()

    def _hang_up(self) -> None:
        try:
            self._client.shutdown()
        except _BROKEN:
            return

    def _sign_in(self, net: Net, login: Login) -> None:
        with self._faults():
            if self._server.security is Security.STARTTLS:
                if not self._client.has_capability("STARTTLS"):
                    raise Unreachable(f"{self._server.what} offers no STARTTLS. Choose TLS or another port.")
                self._client.starttls(NetTls(net))
            if login.token == "" and self._client.has_capability("LOGINDISABLED"):
                raise CredentialsRefused(f"{self._server.what} takes no password on this connection.")
        login.check(self._server.what)
        try:
            self._client.sign_in(login)
        except imaplib.IMAP4.abort as error:
            raise Unreachable(f"{self._server.what} hung up while we signed in.") from error
        except imaplib.IMAP4.error as error:
            raise self._refusal(error) from error
        except _BROKEN as error:
            raise Unreachable(f"{self._server.what} stopped answering while we signed in.") from error

    def _refusal(self, error: Exception) -> ConnectorError:
        said = own_words(str(error))
        if _BUSY.search(said):
            sentence = f"{self._server.what} is busy and asks us to wait: “{said}”."
            return RateLimited(sentence, retry_after_seconds=120)
        return CredentialsRefused(f"{self._server.what} does not accept the user name and secret: “{said}”.")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except imaplib.IMAP4.abort as error:
            raise Unreachable(f"{self._server.what} hung up.") from error
        except imaplib.IMAP4.error as error:
            said = own_words(str(error))
            raise Unreachable(f"{self._server.what} refused what we asked: “{said}”.") from error
        except _BROKEN as error:
            raise Unreachable(f"{self._server.what} stopped answering, or does not speak IMAP.") from error
        except RecursionError as error:
            raise Unreachable(f"{self._server.what} gave an answer without end.") from error

    @property
    def pushes(self) -> bool:
        """Whether the server tells of new mail by itself (IDLE)."""
        with self._faults():
            return bool(self._client.has_capability("IDLE"))

    @property
    def is_gmail(self) -> bool:
        """Whether this is Gmail, which files what it sends by itself."""
        with self._faults():
            return bool(self._client.has_capability("X-GM-EXT-1"))

    def open_folder(self, name: str) -> Folder:
        """Open a folder for reading only: nothing we do marks a mail as read."""
        try:
            with self._faults():
                told = self._client.select_folder(name, readonly=True)
        except Unreachable as error:
            raise Unreachable(f"The folder “{name}” could not be opened. {error.message}") from error
        return Folder(
            name, _number(told, b"UIDVALIDITY"), _number(told, b"UIDNEXT"), _number(told, b"EXISTS")
        )

    def sent_folder(self) -> str:
        """The folder the server keeps for sent mail, ``""`` where it names none."""
        with self._faults():
            return str(self._client.find_special_folder(SENT) or "")

    def has_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        with self._faults():
            return bool(self._client.folder_exists(name))

    def uids_after(self, uid: int, folder: Folder) -> tuple[list[int], int]:
        """The numbers above ``uid`` in order, and up to which number they are complete."""
        last = max(folder.next_uid - 1, uid)
        if folder.mails > SLICE and last > uid + SLICE:
            last = uid + SLICE
            span = f"{uid + 1}:{last}"
        else:
            span = f"{uid + 1}:*"
        with self._faults():
            # "7:*" names the last mail even where its number is below 7.
            found = sorted(number for number in self._client.search(["UID", span]) if number > uid)
        return found, max(last, *found) if found else last

    def recent_uids(self, folder: Folder, since: datetime, most: int) -> tuple[list[int], bool]:
        """Of the last ``most`` mails those taken in since a day; and whether there may be older ones."""
        if not folder.mails:
            return [], False
        first = max(1, folder.mails - most + 1)
        with self._faults():
            found = sorted(self._client.search([f"{first}:*", "SINCE", since.date()]))
        return found, first > 1 and len(found) == most

    def facts(self, uids: Sequence[int]) -> dict[int, Facts]:
        """Size and arrival of each mail that is still there."""
        with self._faults():
            told = self._client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
            return {
                uid: Facts(_number(one, b"RFC822.SIZE"), _instant(one.get(b"INTERNALDATE")))
                for uid, one in told.items()
            }

    def whole(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The mails themselves, unread as before."""
        with self._faults():
            told = self._client.fetch(uids, ["BODY.PEEK[]"])
            return {uid: _bytes(one.get(b"BODY[]")) for uid, one in told.items()}

    def outline(self, uid: int) -> tuple[bytes, Any]:
        """A mail's head and its ``BODYSTRUCTURE`` as IMAPClient reads it (``None`` where it cannot)."""
        with self._faults():
            told = self._client.fetch([uid], ["BODY.PEEK[HEADER]", "BODYSTRUCTURE"]).get(uid, {})
            return _bytes(told.get(b"BODY[HEADER]")), told.get(b"BODYSTRUCTURE")

    def section(self, uid: int, section: str, maximum_bytes: int) -> bytes:
        """At most so much of one part (``2.1``), as it was sent, or of its head (``2.1.MIME``)."""
        wanted = [f"BODY.PEEK[{section}]<0.{maximum_bytes}>"]
        with self._faults():
            told = self._client.fetch([uid], wanted).get(uid, {})
        # A server may leave the "<0>" out where all of it fitted.
        keys = (f"BODY[{section}]<0>".encode(), f"BODY[{section}]".encode())
        return next((found for key in keys if (found := _bytes(told.get(key)))), b"")

    def find(self, header: str, value: str) -> tuple[int, datetime | None] | None:
        """The newest mail of the open folder with this header: its number and its arrival."""
        with self._faults():
            found = self._client.search(["HEADER", header, value])
        if not found:
            return None
        uid = max(found)
        return uid, self.facts([uid]).get(uid, Facts(0, None)).internal_at

    def append(self, folder: str, mail: bytes, at: datetime) -> None:
        """File a mail, marked as read."""
        with self._faults():
            self._client.append(folder, mail, (SEEN,), at)

    def begin_listening(self) -> None:
        """Begin to listen (IDLE). Until ``end_listening`` nothing else can be asked."""
        with self._faults():
            self._client.idle()
        self._listening = True

    def hears(self, seconds: float) -> bool:
        """Whether the server says something within so many seconds."""
        with self._faults():
            return self._client.something_waits(seconds)

    def end_listening(self) -> None:
        """Stop listening; the server has to answer, so a line that is dead without a word is noticed."""
        with self._faults():
            self._client.idle_done()
        self._listening = False

    def need_idle(self) -> None:
        """Raises ``Unsupported`` where the server does not tell of new mail."""
        if not self.pushes:
            raise Unsupported(f"{self._server.what} does not tell of new mail by itself, so we keep looking.")


def _number(told: Any, key: bytes) -> int:
    value = told.get(key)
    if isinstance(value, list | tuple):
        value = value[0] if value else 0
    return value if isinstance(value, int) else 0


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""


def _instant(value: Any) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else None
