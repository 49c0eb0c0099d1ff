"""The e-mail connector: which questions are asked of which server, in which order."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from heard.connectorkit.errors import ConnectorError, Rejected, Unreachable, Unsupported
from heard.connectorkit.manifest import Manifest
from heard.connectorkit.protocol import Link
from heard.connectorkit.vocabulary import (
    Account,
    ActorKind,
    Answer,
    Attachment,
    CannotTell,
    Event,
    LookUpResult,
    No,
    NotFound,
    Page,
    RawDelivery,
    SendOrder,
    Sent,
    Target,
    Verb,
    WhoAmI,
)

from .abilities import answer_to, room_for_mail
from .catch_up import catch_up, listen, sent_folder
from .client import Login, MailPost, MailStore, signed_in
from .compose import Composed, compose, message_id_for, to_wire
from .manifest import MANIFEST
from .mapping import KEY_HEADER, receive
from .partial import fetch_part
from .settings import MailSettings, SentCopy, read_settings

#: Providers that file what they send, as far as their servers' names tell.
_FILES_BY_ITSELF = (".office365.com", ".outlook.com", ".gmail.com", ".googlemail.com")


class EmailConnector:
    """Any mailbox.

    ``answer_seconds`` is how long a server may think about a whole mail, ``tick_seconds`` the time
    between two signs of life of a quiet line, ``renew_seconds`` after how much silence it is renewed.
    """

    manifest: Manifest = MANIFEST

    def __init__(
        self,
        *,
        timeout_seconds: float = 20.0,
        answer_seconds: float = 120.0,
        tick_seconds: float = 5.0,
        renew_seconds: float = 300.0,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._answer_seconds = answer_seconds
        self._tick_seconds = tick_seconds
        self._renew_seconds = renew_seconds

    def identify(self, link: Link) -> WhoAmI:
        """Sign in to both servers and open the folder; nothing is sent.

        Both are tried even if the first fails, so that one test names everything that is wrong.
        """
        settings = read_settings(link.account)
        to_wire(settings.address, "Our side")
        limits: dict[str, Any] = {}
        failures: list[ConnectorError] = []
        for half in (self._try_reading, self._try_sending):
            try:
                limits |= half(link, settings)
            except ConnectorError as error:
                failures.append(error)
        if failures:
            failures[0].message = " ".join(error.message for error in failures)
            failures[0].args = (failures[0].message,)
            raise failures[0]
        kept = dict(link.vault.current())
        address = settings.address.lower()
        return WhoAmI(
            native_id=address,
            handle=settings.address,
            name=settings.name,
            limits=limits,
            secrets={**link.account.secrets, **kept} if kept.get("access_token") else {},
        )

    def _try_reading(self, link: Link, settings: MailSettings) -> Mapping[str, Any]:
        with self._reading(link, settings) as store:
            store.open_folder(settings.folder)
            found = sent_folder(store, settings)
            if settings.sent_folder and not found:
                raise Rejected(f"There is no Sent folder “{settings.sent_folder}” in this mailbox.")
            by_name = settings.smtp.host.lower().endswith(_FILES_BY_ITSELF)
            return {
                "idle": store.pushes,
                "sent_folder": found,
                "provider_files_sent": store.is_gmail or by_name,
            }

    def _try_sending(self, link: Link, settings: MailSettings) -> Mapping[str, Any]:
        with self._sending(link, settings) as post:
            abilities = post.abilities
            return {"smtp_bytes": abilities.largest_bytes, "smtputf8": abilities.smtputf8}

    def receive(self, account: Account, delivery: RawDelivery) -> Sequence[Event]:
        """Translate one mail; a report becomes receipts. Raises ``Unreadable``."""
        return receive(account, delivery)

    def fetch(self, link: Link, cursor: Mapping[str, Any] | None) -> Page:
        """New mail of the watched folder and of the Sent folder."""
        settings = read_settings(link.account)
        with self._reading(link, settings) as store:
            return catch_up(store, settings, cursor, link.now)

    def stream(self, link: Link) -> Generator[bytes, None, None]:
        """Mail as it comes (IDLE). Raises ``Unsupported`` where the server has none: poll it then."""
        settings = read_settings(link.account)
        with self._reading(link, settings) as store:
            yield from listen(
                store, settings, link.now, tick_seconds=self._tick_seconds, renew_seconds=self._renew_seconds
            )

    def supports(
        self,
        verb: Verb,
        target: Target | None,
        actor: ActorKind,
        account: Account,
        now: datetime,  # noqa: ARG002 - the protocol's
    ) -> Answer:
        """Answers and new mails, yes; what has no place in a mailbox, no. Pure."""
        return answer_to(verb, target, actor, account)

    def send(self, link: Link, order: SendOrder) -> Sent:
        """Hand the mail over, then file a copy. A copy that fails is told in ``refs``, not raised."""
        answer = self.supports(order.verb, order.target, ActorKind.HUMAN, link.account, link.now)
        if isinstance(answer, No):
            raise Unsupported(answer.reason)
        settings = read_settings(link.account)
        mail = compose(settings, order, link.now)
        with self._sending(link, settings) as post:
            _check_size(mail, room_for_mail(post.abilities.largest_bytes))
            post.deliver(
                mail.sender,
                mail.recipient,
                mail.content,
                smtputf8=mail.needs_smtputf8,
                answer_seconds=self._answer_seconds,
            )
        copy = self._file_copy(link, settings, mail)
        return replace(_sent(mail.message_id, link.now), refs={"sent_copy": copy})

    def _file_copy(self, link: Link, settings: MailSettings, mail: Composed) -> str:
        """``saved``, ``provider``, ``no_folder`` or ``failed``: the mail is out, whatever happens here."""
        if _provider_files(link.account, settings):
            return "provider"
        try:
            with self._reading(link, settings) as store:
                folder = sent_folder(store, settings)
                if not folder:
                    return "no_folder"
                store.append(folder, mail.content, link.now)
                return "saved"
        except ConnectorError:
            return "failed"

    def look_up(self, link: Link, order: SendOrder) -> LookUpResult:
        """Look for the mail in the Sent folder. Only where the provider files by itself is absence proof."""
        settings = read_settings(link.account)
        own_id = message_id_for(settings, order.key)
        with self._reading(link, settings) as store:
            folder = sent_folder(store, settings)
            if not folder:
                return CannotTell("This mailbox has no Sent folder to look into.")
            store.open_folder(folder)
            # A provider may have given the mail an id of its own; our key travels beside it.
            found = store.find("Message-ID", own_id) or store.find(KEY_HEADER, own_id[1:].partition("@")[0])
        if found is not None:
            return _sent(own_id, found[1])
        if not _provider_files(link.account, settings):
            return CannotTell(
                "It is not in the Sent folder, but mail servers keep no copy by themselves, "
                "so it may have left all the same."
            )
        if order.first_attempt_at and link.now - order.first_attempt_at < timedelta(minutes=2):
            raise Unreachable("The provider may still be filing the mail. It is looked for again soon.")
        return NotFound()

    def fetch_media(self, link: Link, attachment: Attachment, maximum_bytes: int) -> bytes:
        """A file that was left on the server because its mail was too large."""
        if attachment.data is not None:
            return attachment.data
        settings = read_settings(link.account)
        with self._reading(link, settings) as store:
            return fetch_part(store, attachment, maximum_bytes)

    @contextmanager
    def _reading(self, link: Link, settings: MailSettings) -> Iterator[MailStore]:
        def open_session(login: Login) -> MailStore:
            return MailStore(link.net, settings.imap, login, self._timeout_seconds)

        with signed_in(link, settings, open_session) as store:
            yield store

    @contextmanager
    def _sending(self, link: Link, settings: MailSettings) -> Iterator[MailPost]:
        own_name = message_id_for(settings, "x").partition("@")[2].rstrip(">")

        def open_session(login: Login) -> MailPost:
            return MailPost(link.net, settings.smtp, login, own_name, timeout_seconds=self._timeout_seconds)

        with signed_in(link, settings, open_session) as post:
            yield post


def _sent(own_id: str, at: datetime | None) -> Sent:
    # Nobody knows a number yet under which the mail lies in a folder, so its own id is the native one;
    # the copy that turns up in the Sent folder has the same canonical id, and our key.
    return Sent(native_id=own_id, canonical_id=own_id, sent_at=at)


def _check_size(mail: Composed, room_bytes: int) -> None:
    if len(mail.content) > room_bytes:
        have, room = (f"{size / 1_000_000:.1f} MB" for size in (len(mail.content), room_bytes))
        raise Rejected(f"The mail has {have} with its files, and this server takes {room} at most.")


def _provider_files(account: Account, settings: MailSettings) -> bool:
    if settings.sent_copy is SentCopy.AUTO:
        return account.limits.get("provider_files_sent") is True
    return settings.sent_copy is SentCopy.PROVIDER
