"""One mail as a delivery: the mail itself, and what only its server knows of it.

    {"folder": "INBOX", "uidvalidity": 7, "uid": 42, "internal_date": "2026-03-02T09:30:00Z",
     "rfc822": "<base64>", "sent": true, "size": 300000000, "omitted": [{"pointer", "name", …}]}

``sent`` marks the Sent folder; ``size`` and ``omitted`` are there only where parts were left on the
server. A bare mail (an ``.eml`` file) is a delivery too: its folder and number are then unknown.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from heard.connectorkit.errors import Unreadable
from heard.connectorkit.payload import need_mapping, parse_json, want_bool, want_instant, want_int

from .addresses import digest
from .charsets import one_line

#: IMAP's numbers have 32 bits.
_BEYOND = 2**32
_LONGEST_FOLDER = 200
_HEADER_LINE = re.compile(rb"\A(?:From |[!-9;-~]+[ \t]*:)")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail and where it lies. ``uid`` is 0 for a bare mail; ``size_bytes`` only if parts are missing."""

    rfc822: bytes
    folder: str = ""
    uidvalidity: int = 0
    uid: int = 0
    internal_at: datetime | None = None
    sent: bool = False
    size_bytes: int | None = None
    omitted: Any = ()

    @property
    def id_scope(self) -> str:
        """Within which the UID is unique; ``""`` for a bare mail."""
        return folder_scope(self.folder, self.uidvalidity) if self.uid else ""


def folder_scope(folder: str, uidvalidity: int) -> str:
    """``INBOX;7``: a folder's numbers mean something only together with its UIDVALIDITY."""
    name = one_line(folder, _LONGEST_FOLDER * 2)
    return f"{name if len(name) <= _LONGEST_FOLDER else digest(folder)};{uidvalidity}"


def pack(envelope: Envelope) -> bytes:
    """The envelope as the body of a delivery."""
    plain: dict[str, Any] = {
        "folder": envelope.folder,
        "uidvalidity": envelope.uidvalidity,
        "uid": envelope.uid,
        "rfc822": base64.b64encode(envelope.rfc822).decode("ascii"),
    }
    if envelope.internal_at is not None:
        plain["internal_date"] = envelope.internal_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if envelope.sent:
        plain["sent"] = True
    if envelope.size_bytes is not None:
        plain |= {"size": envelope.size_bytes, "omitted": list(envelope.omitted)}
    return json.dumps(plain, separators=(",", ":")).encode()


def unpack(body: bytes) -> Envelope:
    """The envelope in a delivery's body, or a bare mail. Raises ``Unreadable``."""
    if body.lstrip()[:1] != b"{":
        return Envelope(_need_mail(body.lstrip(b"\r\n")))
    plain = need_mapping(parse_json(body), "The delivery")
    return Envelope(
        rfc822=_need_mail(_bytes(plain)),
        folder=str(plain.get("folder") or ""),
        uidvalidity=_number(plain, "uidvalidity"),
        uid=_number(plain, "uid"),
        internal_at=want_instant(plain.get("internal_date")),
        sent=want_bool(plain, "sent"),
        size_bytes=want_int(plain, "size"),
        omitted=plain.get("omitted"),
    )


def _bytes(plain: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(plain.get("rfc822", "")), validate=True)
    except (ValueError, binascii.Error) as error:
        raise Unreadable("The mail in this delivery is cut or spoilt.") from error


def _number(plain: Mapping[str, Any], name: str) -> int:
    number = want_int(plain, name)
    if number is None or not 0 < number < _BEYOND:
        raise Unreadable(f"The delivery does not say the mail's {name}.")
    return number


def _need_mail(raw: bytes) -> bytes:
    if not _HEADER_LINE.match(raw):
        raise Unreadable("This is no mail: it does not begin with a header.")
    return raw
