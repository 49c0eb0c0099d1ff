"""One session with an SMTP server, spoken step by step, because each step fails with another meaning.

before DATA is taken        nothing was sent: ``Unreachable`` | ``RateLimited`` | ``Rejected``
while the mail is written   the server must drop it without the final dot: ``Unreachable``
after the final dot         without an answer nobody knows: ``OutcomeUnknown``
"""

from __future__ import annotations

import base64
import re
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from heard.connectorkit.errors import (
    ConnectorError,
    CredentialsRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from heard.connectorkit.net import Net
from heard.connectors.email.settings import Security, Server

from .imap import NetTls
from .login import Login, own_words

_BROKEN = (smtplib.SMTPException, OSError, EOFError, ValueError, LookupError)
#: Words and codes with which servers put off a sender that is too fast, or unknown (greylisting).
_PATIENCE = re.compile(
    r"4\.7\.\d+|4\.2\.1|rate|too many|throttl|grey|gray|try again|slow down|limit", re.IGNORECASE
)
PUT_OFF_SECONDS = 300.0
#: Every line break as CRLF; a dot that begins a line is doubled, or it would end the mail.
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server said of itself after EHLO. ``largest_bytes`` is 0 where it names no limit."""

    largest_bytes: int
    smtputf8: bool


class _Wire(smtplib.SMTP):
    """smtplib on a socket of the guarded net."""

    def __init__(self, net: Net, server: Server, own_name: str, timeout_seconds: float) -> None:
        self._net = net
        self._implicit_tls = server.security is Security.TLS
        super().__init__(server.host, server.port, own_name, timeout_seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._net.socket(host, port, tls=self._implicit_tls, timeout_seconds=timeout)


class MailPost:
    """A signed-in SMTP session. Every method raises ``ConnectorError``s only. Close it after use."""

    def __init__(
        self, net: Net, server: Server, login: Login, own_name: str, *, timeout_seconds: float
    ) -> None:
        self._server = server
        with self._faults():
            self._wire = _Wire(net, server, own_name, timeout_seconds)
        try:
            self._greet(net)
            self._sign_in(login)
        except ConnectorError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye if anyone listens, and hang up."""
        try:
            self._wire.docmd("QUIT")
        except _BROKEN:
            return
        finally:
            self._wire.close()

    @property
    def abilities(self) -> Abilities:
        """The server's limits."""
        said = self._wire.esmtp_features.get("size", "").strip()
        size = int(said) if said.isdecimal() and len(said) < 16 else 0
        return Abilities(size, self._wire.has_extn("smtputf8"))

    def deliver(
        self, sender: str, recipient: str, mail: bytes, *, smtputf8: bool, answer_seconds: float
    ) -> None:
        """Hand over one mail. ``answer_seconds`` is how long the final answer may take.

        Raises ``Rejected`` with the server's words, ``Unreachable`` or ``RateLimited`` where nothing was
        sent and it may be tried again, ``OutcomeUnknown`` where the answer to the whole mail never came.
        """
        if smtputf8 and not self.abilities.smtputf8:
            raise Rejected(f"{self._server.what} cannot send to addresses with letters beyond ASCII.")
        options = ([f"SIZE={len(mail)}"] if self._wire.has_extn("size") else []) + (
            ["BODY=8BITMIME", "SMTPUTF8"] if smtputf8 else []
        )
        with self._faults():
            # smtplib writes a command in ASCII unless it is told otherwise.
            self._wire.command_encoding = "utf-8" if smtputf8 else "ascii"
            self._accept(self._wire.docmd("MAIL", " ".join([f"FROM:<{sender}>", *options])), (250,))
            self._accept(self._wire.docmd("RCPT", f"TO:<{recipient}>"), (250, 251))
            self._accept(self._wire.docmd("DATA"), (354,))
            self._wire.send(_DOT.sub(b"..", _LINE_END.sub(b"\r\n", mail)))
        self._end(mail, answer_seconds)

    def _end(self, mail: bytes, answer_seconds: float) -> None:
        try:
            if self._wire.sock is not None:
                self._wire.sock.settimeout(answer_seconds)
            self._wire.send(b".\r\n" if mail.endswith((b"\n", b"\r")) else b"\r\n.\r\n")
            answer = self._wire.getreply()
        except _BROKEN as error:
            raise OutcomeUnknown(
                f"{self._server.what} took the whole mail and never said whether it keeps it."
            ) from error
        if answer[0] == -1:
            raise OutcomeUnknown(f"{self._server.what} answered the mail with something unreadable.")
        self._accept(answer, (250,))

    def _greet(self, net: Net) -> None:
        with self._faults():
            self._accept(self._wire.ehlo(), (250,))
            if self._server.security is not Security.STARTTLS:
                return
            if not self._wire.has_extn("starttls"):
                raise Unreachable(f"{self._server.what} offers no STARTTLS. Choose TLS or another port.")
            wraps: Any = NetTls(net)
            self._wire.starttls(context=wraps)
            self._accept(self._wire.ehlo(), (250,))

    def _sign_in(self, login: Login) -> None:
        login.check(self._server.what)
        offered = self._wire.esmtp_features.get("auth", "").upper().split()
        if not offered:
            raise CredentialsRefused(f"{self._server.what} offers no way to sign in on this connection.")
        with self._faults():
            code, said = self._speak(login, offered)
        if code == 235:
            return
        words = own_words(_text(said))
        if 400 <= code < 500 or code == 554:
            raise self._put_off(words)
        raise CredentialsRefused(f"{self._server.what} does not accept the user name and secret: “{words}”.")

    def _speak(self, login: Login, offered: list[str]) -> tuple[int, bytes]:
        if login.token:
            code, said = self._wire.docmd("AUTH", f"XOAUTH2 {_base64(login.xoauth2())}")
            # The refusal comes as a challenge with the reason in it; an empty line asks for the verdict.
            return self._wire.docmd("") if code == 334 else (code, said)
        if "PLAIN" in offered:
            both = _base64(f"\0{login.username}\0{login.password}")
            return self._wire.docmd("AUTH", f"PLAIN {both}")
        if "LOGIN" not in offered:
            raise CredentialsRefused(
                f"{self._server.what} offers no way to sign in with a password that we know."
            )
        code, said = self._wire.docmd("AUTH", "LOGIN")
        for secret in (login.username, login.password):
            if code != 334:
                break
            code, said = self._wire.docmd(_base64(secret))
        return code, said

    def _accept(self, answer: tuple[int, bytes], wanted: tuple[int, ...]) -> None:
        """Raises what an answer other than the ``wanted`` stands for."""
        code, said = answer
        if code in wanted:
            return
        words = own_words(_text(said))
        if code in (530, 535, 538):
            raise CredentialsRefused(f"{self._server.what} wants us to sign in anew: “{words}”.")
        if code >= 500:
            raise Rejected(f"{self._server.what} refused the mail: “{words}” ({code}).")
        raise self._put_off(words)

    def _put_off(self, words: str) -> ConnectorError:
        sentence = f"{self._server.what} put us off: “{words}”."
        if _PATIENCE.search(words):
            return RateLimited(sentence, retry_after_seconds=PUT_OFF_SECONDS)
        return Unreachable(sentence)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPConnectError as error:
            words = own_words(_text(error.smtp_error))
            raise self._put_off(words) from error
        except smtplib.SMTPServerDisconnected as error:
            raise Unreachable(f"{self._server.what} hung up before it took the mail.") from error
        except _BROKEN as error:
            raise Unreachable(f"{self._server.what} stopped answering, or does not speak SMTP.") from error


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
