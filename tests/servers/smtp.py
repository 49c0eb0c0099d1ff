"""aiosmtpd: a real SMTP server in this process, which keeps what it is given and fails when asked to.

Needs no root and no package of the system, so tests of sending always run. What goes wrong is chosen by
the recipient: ``bounce@…`` is refused for good, ``defer@…`` for now, a mail to ``hang@…`` is taken and
kept without an answer, one to ``full@…`` is refused after its content came.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from .process import LOOPBACK, free_port

PASSWORD = "pw"
TOKEN = "good-token"


@dataclass(frozen=True, slots=True)
class Posted:
    """One mail as it was handed over."""

    sender: str
    recipients: Sequence[str]
    content: bytes
    options: Sequence[str]

    @property
    def mail(self) -> EmailMessage:
        """The mail as the standard library reads it: an oracle that is not ours."""
        return message_from_bytes(self.content, policy=default)


class PostOffice:
    """What the server does with mail. ``forward`` is called with each mail it keeps, if given."""

    def __init__(self, forward: Callable[[Posted], None] | None = None) -> None:
        self.posted: list[Posted] = []
        self.sign_ins: list[str] = []
        self._forward = forward
        self._closing: asyncio.Event | None = None

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        # aiosmtpd warns of every sign-in without TLS that it has to insist on; so we insist.
        if not session.authenticated:
            return "530 5.7.0 authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "451 4.7.1 slow down" if address.startswith("hasty@") else "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith("bounce@"):
            return f"550 5.1.1 <{address}>: no such user here"
        if address.startswith("defer@"):
            return "451 4.3.0 come back later, the disk is being changed"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        posted = Posted(envelope.mail_from, envelope.rcpt_tos, envelope.content, envelope.mail_options)
        if any(recipient.startswith("full@") for recipient in envelope.rcpt_tos):
            return "552 5.2.2 mailbox full"
        self.posted.append(posted)
        if self._forward is not None:
            await asyncio.to_thread(self._forward, posted)
        if any(recipient.startswith("hang@") for recipient in envelope.rcpt_tos):
            self._closing = asyncio.Event()
            await self._closing.wait()
        return "250 2.0.0 queued"

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        """Google's and Microsoft's way: on refusal a challenge that says why, then the verdict."""
        offered = self.authenticate(server, None, None, "XOAUTH2", args[1])
        if not offered.success:
            await server.challenge_auth('{"status":"401"}')
        return offered

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any
    ) -> AuthResult:
        self.sign_ins.append(mechanism)
        if isinstance(given, LoginPassword):
            good = given.password == PASSWORD.encode()
        else:
            good = f"auth=Bearer {TOKEN}\x01" in base64.b64decode(given).decode()
        # handled=True would leave the refused client without an answer.
        return AuthResult(success=True) if good else AuthResult(success=False, handled=False)

    def release(self) -> None:
        """Let go of whoever hangs."""
        if self._closing is not None:
            self._closing.set()


@dataclass(frozen=True, slots=True)
class Smtp:
    """A running server. ``office`` holds what came."""

    port: int
    office: PostOffice
    host: str = LOOPBACK

    @property
    def posted(self) -> list[Posted]:
        return self.office.posted


@contextlib.contextmanager
def smtp(
    *,
    certificate: tuple[Path, Path] | None = None,
    implicit_tls: bool = False,
    forward: Callable[[Posted], None] | None = None,
    **options: Any,
) -> Iterator[Smtp]:
    """A server on loopback that wants a sign-in (any user, ``PASSWORD`` or ``TOKEN``).

    With ``certificate`` it offers STARTTLS, or speaks TLS from the start. ``options`` go to aiosmtpd
    (``data_size_limit``, ``enable_SMTPUTF8``, …).
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    office = PostOffice(forward)
    controller = Controller(
        office,
        hostname=LOOPBACK,
        port=free_port(),
        ssl_context=context if implicit_tls else None,
        tls_context=None if implicit_tls else context,
        auth_require_tls=False,
        authenticator=office.authenticate,
        **options,
    )
    controller.start()
    try:
        yield Smtp(controller.port, office)
    finally:
        controller.loop.call_soon_threadsafe(office.release)
        controller.stop()
