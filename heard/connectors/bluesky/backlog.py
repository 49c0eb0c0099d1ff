"""Read a list that the network gives newest first, back to where we stood.

The app view sorts by the time a post *claims*, unless that lies in the future, so a post that reached
it late stands below ones we already have. Therefore not a time alone says what is new: the newest
entries are remembered by a short digest, every entry of a page that is not among them is new, and the
first page is looked at every time. An idle look finds nothing and costs no delivery.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .answers import Refused
from .syntax import format_datetime, parse_datetime

PAGES_PER_CALL = 5
REMEMBERED = 400
OVERLAP = timedelta(hours=1)
FIRST_LOOK = timedelta(days=7)

Entry = Mapping[str, Any]
GetPage = Callable[[str], tuple[Sequence[Entry], str]]


@dataclass(frozen=True, slots=True)
class Track:
    """Where we stand in one list. ``resume`` is set while a reading back goes on over several calls."""

    since: datetime | None = None
    seen: Sequence[str] = ()
    resume: str = ""
    newest: datetime | None = None
    passed: Sequence[str] = ()

    @classmethod
    def from_json(cls, value: object) -> Track:
        """From the stored cursor; whatever is not understood counts as absent."""
        stored = value if isinstance(value, Mapping) else {}
        return cls(
            since=parse_datetime(stored.get("since")),
            seen=tuple(stored.get("seen") or ()),
            resume=str(stored.get("resume") or ""),
            newest=parse_datetime(stored.get("newest")),
            passed=tuple(stored.get("passed") or ()),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, without what is empty."""
        times = {"since": self.since, "newest": self.newest}
        lists = {"seen": self.seen, "passed": self.passed}
        return {
            **{name: format_datetime(at) for name, at in times.items() if at},
            **{name: list(values) for name, values in lists.items() if values},
            **({"resume": self.resume} if self.resume else {}),
        }


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What one call found: the new entries by page, and where we stand then."""

    pages: Sequence[Sequence[Entry]]
    track: Track

    @property
    def more(self) -> bool:
        """Whether older entries are still to be read."""
        return bool(self.track.resume)


def digest(name: str) -> str:
    """Twelve characters for an entry's name: enough to tell a few hundred apart."""
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=6).hexdigest()


def read_back(
    get_page: GetPage,
    track: Track,
    now: datetime,
    *,
    name: Callable[[Entry], str],
    time: Callable[[Entry], datetime | None],
) -> ReadBack:
    """Read up to ``PAGES_PER_CALL`` pages and say what is new and where to go on.

    ``get_page`` takes the network's own cursor (``""`` for the top) and returns entries and the next.
    ``name`` tells entries apart; ``time`` is what the list is sorted by.
    """
    first = track.since is None
    floor = now - FIRST_LOOK if track.since is None else track.since - OVERLAP
    known = {*track.seen, *track.passed}
    passed, newest, position = list(track.passed), track.newest, track.resume
    pages: list[Sequence[Entry]] = []
    for _ in range(PAGES_PER_CALL):
        try:
            entries, position = get_page(position)
        except Refused:
            if not position:
                raise
            # The network no longer takes its cursor. What was passed is forgotten and read again.
            return ReadBack(_filled(pages), Track(track.since, track.seen))
        marks = [_Mark(entry, digest(name(entry)), time(entry)) for entry in entries]
        pages.append(
            [mark.entry for mark in marks if mark.digest not in known and not (first and mark.before(floor))]
        )
        nothing_new = all(mark.digest in known for mark in marks)
        passed += [mark.digest for mark in marks]
        known.update(passed)
        newest = max((min(at, now) for at in (newest, *(mark.at for mark in marks)) if at), default=None)
        if not position or nothing_new or any(mark.before(floor) for mark in marks):
            # An empty list moves us on as well: the next look is not a first one.
            since = max((at for at in (track.since, newest) if at), default=floor)
            return ReadBack(_filled(pages), Track(since, _newest_of([*passed, *track.seen])))
    return ReadBack(_filled(pages), Track(track.since, track.seen, position, newest, _newest_of(passed)))


@dataclass(frozen=True, slots=True)
class _Mark:
    entry: Entry
    digest: str
    at: datetime | None

    def before(self, floor: datetime) -> bool:
        return self.at is not None and self.at < floor


def _filled(pages: Sequence[Sequence[Entry]]) -> Sequence[Sequence[Entry]]:
    return [page for page in pages if page]


def _newest_of(marks: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(marks))[:REMEMBERED]
