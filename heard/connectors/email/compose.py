"""A ``SendOrder`` as a mail (RFC 5322). Pure; no header of it can hold a line break.

The head is written here and not by the standard library, which reads encoded words in a subject or a
name while it writes them, and has let line breaks through on that way (CVE-2024-6923).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.charset import QP, Charset
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime

import idna

from heard.connectorkit.errors import Rejected
from heard.connectorkit.vocabulary import OutFile, SendOrder, Verb

from .mapping import KEY_HEADER
from .mapping.addresses import NO_ID_DOMAIN, digest, is_address, message_ids
from .mapping.charsets import one_line, tidy
from .mapping.headers import file_name, media_type
from .settings import MailSettings

LONGEST_SUBJECT = 500
LONGEST_NAME = 100
#: Twelve characters stand for one letter of four bytes, and a line has 998.
_LONGEST_FOREIGN_NAME = 60

_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*")
_ANSWERED = re.compile(
    r"\s*(re|aw|antw|sv|vs|rif|r|odp|ynt|ref|回复|回覆|답장)\s*(\[\d+\])?\s*[:：]", re.IGNORECASE
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")
_WIDTH = 76


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail ready to leave. ``needs_smtputf8``: an address is not ASCII (RFC 6531)."""

    message_id: str
    sender: str
    recipient: str
    content: bytes
    needs_smtputf8: bool


def compose(settings: MailSettings, order: SendOrder, now: datetime) -> Composed:
    """The mail an order asks for. Raises ``Rejected`` where an address or the text is none.

    The same order gives the same Message-ID whenever it is composed.
    """
    sender = to_wire(settings.address, "Our own address")
    recipient = to_wire(recipient_of(order), "The recipient")
    if not order.text.strip() and not order.files:
        raise Rejected("An e-mail without a text and without a file says nothing.")
    own_id = message_id_for(settings, order.key)
    utf_8 = not (sender + recipient).isascii()
    head = [
        ("From", _box(settings.name, sender)),
        ("To", _box(_recipient_name(order, recipient), recipient)),
        ("Subject", _words("Subject", subject_of(order))),
        ("Date", format_datetime(now)),
        ("Message-ID", own_id),
        *_thread(order),
        *([(KEY_HEADER, order.key)] if own_id.startswith(f"<{order.key}@") else []),
        ("MIME-Version", "1.0"),
    ]
    lines = [f"{name}: {value}\r\n" for name, value in head]
    body = _body(order).as_bytes(policy=compat32.clone(linesep="\r\n", max_line_length=_WIDTH))
    return Composed(own_id, sender, recipient, "".join(lines).encode("utf-8") + body, utf_8)


def message_id_for(settings: MailSettings, key: str) -> str:
    """The Message-ID under which an order stands on the network: the same on every attempt."""
    domain = _ascii_domain(settings.address.rpartition("@")[2]) or NO_ID_DOMAIN
    local = key if len(key) <= 120 and _SAFE_KEY.fullmatch(key) else digest(key)
    return f"<{local}@{domain}>"


def recipient_of(order: SendOrder) -> str:
    """To whom an order goes: Reply-To before the author; ``""`` where nobody is named."""
    target = order.target
    if order.verb is Verb.REPLY and target is not None:
        return target.refs.get("reply_to") or target.author.handle
    if order.recipient is not None:
        return order.recipient.handle or order.recipient.native_id
    return (target.refs.get("reply_to") or target.author.handle) if target is not None else ""


def _recipient_name(order: SendOrder, address: str) -> str:
    """The name beside the address, where it is the name of that address's owner."""
    people = [order.recipient, order.target.author if order.target else None]
    return next((one.name for one in people if one and one.handle.lower() == address.lower()), "")


def subject_of(order: SendOrder) -> str:
    """The subject as asked for, else ``Re:`` and the subject that is answered."""
    asked = one_line(order.subject, LONGEST_SUBJECT)
    if asked or order.target is None or order.verb is not Verb.REPLY:
        return asked
    theirs = one_line(order.target.subject, LONGEST_SUBJECT)
    return theirs if _ANSWERED.match(theirs) else f"Re: {theirs}".rstrip()


def to_wire(address: str, whose: str) -> str:
    """``address`` as it is written on the wire, its domain in ASCII. Raises ``Rejected``."""
    local, _, domain = address.strip().rpartition("@")
    ascii_domain = _ascii_domain(domain)
    written = f"{local}@{ascii_domain}"
    if not ascii_domain or not is_address(written) or local != local.strip("."):
        raise Rejected(f"{whose} has no e-mail address that mail can be sent to.")
    return written


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii") if domain else ""
    except (idna.IDNAError, UnicodeError):
        # Names with an underscore and the like are no host names, and still carry mail inside networks.
        return domain.lower() if re.fullmatch(r"[A-Za-z0-9._-]{1,253}", domain) else ""


def _thread(order: SendOrder) -> Iterator[tuple[str, str]]:
    """``In-Reply-To`` and ``References``: what mail programs thread by."""
    if order.target is None or order.verb is not Verb.REPLY:
        return
    refs = order.target.refs
    parent = message_ids(refs.get("message_id") or order.target.canonical_id)[:1]
    chain = dict.fromkeys([*message_ids(refs.get("references") or refs.get("in_reply_to", "")), *parent])
    # Ids that we made up stand in no other mailbox.
    known = [one for one in chain if one.isascii() and not one.endswith(f"@{NO_ID_DOMAIN}>")]
    if parent and parent[0] in known:
        yield "In-Reply-To", parent[0]
    if known:
        yield "References", "\r\n ".join(known)


def _box(name: str, address: str) -> str:
    shown = one_line(name, LONGEST_NAME)
    if not shown:
        return address
    if not shown.isascii() or "=?" in shown:
        return f"{_words('From', shown)}\r\n <{address}>"
    if not _PLAIN_NAME.fullmatch(shown):
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{escaped}"'
    return f"{shown} <{address}>"


def _words(name: str, value: str) -> str:
    """``value`` as it stands in a header: folded, and encoded (RFC 2047) where it is not plain ASCII."""
    if value.isascii() and "=?" not in value:
        return _folded(name, value)
    return Header(value, "utf-8", maxlinelen=_WIDTH, header_name=name).encode(linesep="\r\n")


def _folded(name: str, value: str) -> str:
    lines = [""]
    room = _WIDTH - len(name) - 2
    for word in value.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = _WIDTH - 1
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _body(order: SendOrder) -> MIMEBase:
    text = MIMEText("", "plain", "us-ascii")
    del text["Content-Transfer-Encoding"]
    text.set_payload(tidy(order.text), _quoted_printable())
    if not order.files:
        del text["MIME-Version"]
        return text
    whole = MIMEMultipart("mixed")
    whole.attach(text)
    for file in order.files:
        whole.attach(_file(file))
    for part in whole.walk():
        del part["MIME-Version"]
    return whole


def _short_name(name: str) -> str:
    """``name``, or so much of it that it fits a header line however many bytes its letters take."""
    if name.isascii() or len(name) <= _LONGEST_FOREIGN_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:_LONGEST_FOREIGN_NAME]}{dot}{ending[:10]}"


def _quoted_printable() -> Charset:
    charset = Charset("utf-8")
    charset.body_encoding = QP
    return charset


def _file(file: OutFile) -> MIMEBase:
    kind = media_type(file.content_type.lower(), "application/octet-stream")
    main, _, sub = kind.partition("/")
    if main in ("multipart", "message"):
        main, sub = "application", "octet-stream"
    part = MIMEBase(main, sub)
    part.set_payload(file.data)
    encode_base64(part)
    name = _short_name(file_name(file.name) or "file")
    part.add_header(
        "Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name)
    )
    if file.alt.strip():
        part["Content-Description"] = _words("Content-Description", one_line(file.alt, LONGEST_SUBJECT))
    return part
