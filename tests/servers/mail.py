"""A mail system: Dovecot to read from, aiosmtpd to send through, and what is sent arrives."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from .dovecot import Dovecot, dovecot
from .smtp import Posted, Smtp, smtp

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Mail:
    """Both servers, wired: what is sent lands in the recipient's inbox, whoever that is."""

    imap: Dovecot
    smtp: Smtp
    password: str = field(default="pw", repr=False)

    def new_address(self, name: str = "care") -> str:
        """An address with an empty mailbox of its own."""
        return f"{name}{next(_NUMBERS)}@nordwind.example"

    def settings(self, address: str, **changes: Any) -> Mapping[str, Any]:
        """What an administrator would fill in to connect this mailbox."""
        return {
            "address": address,
            "display_name": "Nordwind",
            "imap_host": self.imap.host,
            "imap_port": self.imap.port,
            "imap_security": "none",
            "smtp_host": self.smtp.host,
            "smtp_port": self.smtp.port,
            "smtp_security": "none",
            **changes,
        }

    def write(
        self, recipient: str, text: str, *, sender: str = "anna@customer.example", subject: str = "My parcel"
    ) -> str:
        """A customer's mail into ``recipient``'s inbox; its Message-ID."""
        mail = EmailMessage()
        mail["From"] = f"Anna Berg <{sender}>"
        mail["To"] = recipient
        mail["Subject"] = subject
        mail["Message-ID"] = f"<{next(_NUMBERS)}.anna@customer.example>"
        mail.set_content(text)
        self.imap.deliver(mail, recipient, sender)
        return str(mail["Message-ID"])

    def inbox(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Every mail in somebody's folder, as they see it."""
        with self.imap.reader(address) as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]


@contextlib.contextmanager
def mail() -> Iterator[Mail]:
    """A running mail system. Raises ``Missing`` when Dovecot is not installed."""
    with dovecot() as imap:

        def carry(posted: Posted) -> None:
            for recipient in posted.recipients:
                imap.deliver(posted.content, recipient, posted.sender)

        with smtp(forward=carry) as post:
            yield Mail(imap, post)
