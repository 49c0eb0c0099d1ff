"""Who a mail is from and to, which ids it names, and when it says it was written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from .charsets import one_line
from .headers import decode_words

LONGEST_ADDRESS = 320
LONGEST_NAME = 200
#: Ids beyond this become a digest of themselves: no column is longer, and no mailer needs more.
LONGEST_ID = 250
#: The domain of ids that are ours because the mail's own was missing or too long.
NO_ID_DOMAIN = "no-id.invalid"
MOST_REFERENCES = 100

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]{1,200}@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]{1,253}")
_ID = re.compile(r"<([^<>\s]+)>")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address as it was written, with the name beside it."""

    address: str
    name: str = ""

    @property
    def key(self) -> str:
        """The address in the form in which two of them are compared."""
        return self.address.lower()


def is_address(text: str) -> bool:
    """Whether ``text`` is one plain e-mail address: nothing quoted, nothing that could hide a second."""
    return len(text) <= LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(text))


def mailboxes(value: str) -> list[Mailbox]:
    """The addresses of a ``From`` or ``To`` value, in their order; what is none is left out."""
    return [found for piece in _pieces(value) if (found := _mailbox(piece))]


def _pieces(value: str) -> Iterator[tuple[str, str]]:
    """What stands between the commas, as (text, comments). Quotes and comments may nest as they like."""
    text: list[str] = []
    comments: list[str] = []
    quoted, depth = False, 0
    characters = iter(value)
    for character in characters:
        if character == "\\" and (quoted or depth):
            (comments if depth else text).append(next(characters, ""))
            continue
        if character == '"' and not depth:
            quoted = not quoted
            continue
        elif character in "()" and not quoted:
            depth = max(0, depth + (1 if character == "(" else -1))
            continue
        elif character in ",;" and not quoted and not depth:
            yield "".join(text), "".join(comments)
            text, comments = [], []
            continue
        (comments if depth else text).append(character)
    yield "".join(text), "".join(comments)


def _mailbox(piece: tuple[str, str]) -> Mailbox | None:
    text, comment = piece
    before, angle, inside = text.rpartition("<")
    if angle:
        address, name = inside.partition(">")[0], before
    else:
        # "Team: a@b" is a group; "a@b (Anna)" is how names were once written.
        address, name = text.rpartition(":")[2], comment
    address = address.rpartition(":")[2].strip()
    if not is_address(address):
        return None
    return Mailbox(address, one_line(decode_words(name), LONGEST_NAME).strip("\"' "))


def message_ids(value: str) -> list[str]:
    """The ids in a ``References`` value, each as ``<…>``, the first and the newest kept if too many."""
    found = [normal_id(match) for match in _ID.findall(value)]
    if len(found) > MOST_REFERENCES:
        found = [found[0], *found[-MOST_REFERENCES + 1 :]]
    return list(dict.fromkeys(found))


def message_id(value: str) -> str:
    """The id in a ``Message-ID`` value as ``<…>``, ``""`` where there is none to speak of."""
    found = _ID.findall(value)
    bare = found[0] if found else "".join(value.split()).strip("<>")
    return normal_id(bare) if len(bare) >= 3 and bare.strip("@.") else ""


def normal_id(bare: str) -> str:
    """``<bare>``, or the digest of it where it is too long for any column."""
    return f"<{bare}>" if len(bare) <= LONGEST_ID else f"<{digest(bare)}@{NO_ID_DOMAIN}>"


def digest(text: str) -> str:
    """Forty hexadecimal characters that stand for ``text``."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def written_at(value: str, internal_at: datetime | None, received_at: datetime) -> datetime:
    """When a mail was written: its ``Date`` if that can be, else when its server or we took it in.

    Never before 1990 and never after we received it, so that a wrong clock cannot put a mail on top
    of an inbox for years.
    """
    latest = received_at.astimezone(UTC)
    arrived = internal_at if internal_at and _EARLIEST <= internal_at <= latest else latest
    said = _date(value)
    if said is None or not _EARLIEST <= said <= arrived + timedelta(days=1):
        return arrived
    return min(said, latest)


def _date(value: str) -> datetime | None:
    try:
        said = parsedate_to_datetime(value[:200])
        return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def addresses_of(boxes: Sequence[Mailbox]) -> tuple[str, ...]:
    """The addresses alone, each once."""
    return tuple(dict.fromkeys(box.address for box in boxes))
