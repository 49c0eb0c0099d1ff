"""What can be asked of a network: limits, and yes or no with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .heard import Author, Ref
from .words import MessageKind, TextUnit, Visibility


@dataclass(frozen=True, slots=True)
class TextLimit:
    """How a network counts a text.

    ``url_cost`` is the fixed price of a URL (``None``: as long as it is). ``mention_local_only``
    counts ``@name@server`` as ``@name``. ``maximum_bytes`` is a second limit in UTF-8 bytes.
    """

    maximum: int
    unit: TextUnit = TextUnit.GRAPHEME
    url_cost: int | None = None
    mention_local_only: bool = False
    maximum_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class MediaLimit:
    """How many files, of which types (``image/png`` or ``image/*``), how large each, in bytes."""

    count: int = 0
    types: Sequence[str] = ()
    maximum_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Constraints:
    """What holds for one verb on one target now.

    ``visibilities`` are the audiences to choose from, the default first. ``warnings`` are sentences
    to show beside Send (Mastodon's "direct" is not encrypted).
    """

    text: TextLimit | None = None
    media: MediaLimit = MediaLimit()
    visibilities: Sequence[Visibility] = ()
    closes_at: datetime | None = None
    subject: bool = False
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Yes:
    """It can be asked, within these constraints."""

    constraints: Constraints = Constraints()


@dataclass(frozen=True, slots=True)
class No:
    """It cannot be asked: why, until when, and what would help (sentences for people)."""

    reason: str
    until: datetime | None = None
    remedy: str = ""


Answer = Yes | No


@dataclass(frozen=True, slots=True)
class Target:
    """The message (or person) a verb is about, with what ``supports`` and ``send`` need of it."""

    native_id: str
    kind: MessageKind
    visibility: Visibility
    author: Author
    id_scope: str = ""
    canonical_id: str = ""
    url: str = ""
    subject: str = ""
    thread_key: str = ""
    sent_at: datetime | None = None
    last_inbound_at: datetime | None = None
    mentions_us: bool = False
    privately_answered: bool = False
    root: Ref | None = None
    refs: Mapping[str, str] = field(default_factory=dict)
