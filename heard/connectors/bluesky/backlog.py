"""Read a list that the network gives newest first, back to where we stood.

The app view sorts by the time a post *claims*, unless that lies in the future, so a post that reached
it late stands below ones we already have. Therefore not a time alone says what is new: the newest
entries are remembered by a short digest, and every entry of a page that is not among them is new. The
first page is looked at every time, further ones until a page holds nothing new; every few minutes a
deep look goes on through the last hour all the same. An idle look finds nothing and costs no delivery.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .answers import Refused
from .syntax import format_datetime, parse_datetime

PAGES_PER_CALL = 5
REMEMBERED = 400
REMEMBERED_AT_MOST = 3000
OVERLAP = timedelta(hours=1)
DEEP_EVERY = timedelta(minutes=5)
FIRST_LOOK = timedelta(days=7)

Entry = Any  # an object, unless the server is not itself today
GetPage = Callable[[str], tuple[Sequence[Entry], str]]


@dataclass(frozen=True, slots=True)
class Track:
    """Where we stand in one list.

    ``since`` is the newest time seen, ``seen`` the digests of the newest entries, ``deep_at`` when the
    last hour was last read through. While a reading back goes on over several calls, ``resume`` is the
    network's cursor, and ``newest``, ``passed`` and ``deep`` belong to that reading.
    """

    since: datetime | None = None
    seen: Sequence[str] = ()
    deep_at: datetime | None = None
    resume: str = ""
    newest: datetime | None = None
    passed: Sequence[str] = ()
    deep: bool = False

    @classmethod
    def from_json(cls, value: object) -> Track:
        """From the stored cursor; whatever is not understood counts as absent."""
        stored = value if isinstance(value, Mapping) else {}
        return cls(
            since=parse_datetime(stored.get("since")),
            seen=tuple(stored.get("seen") or ()),
            deep_at=parse_datetime(stored.get("deep_at")),
            resume=str(stored.get("resume") or ""),
            newest=parse_datetime(stored.get("newest")),
            passed=tuple(stored.get("passed") or ()),
            deep=bool(stored.get("deep")),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, without what is empty."""
        times = {"since": self.since, "deep_at": self.deep_at, "newest": self.newest}
        rest = {"seen": [*self.seen], "passed": [*self.passed], "resume": self.resume, "deep": self.deep}
        return {
            **{name: format_datetime(at) for name, at in times.items() if at},
            **{name: value for name, value in rest.items() if value},
        }

    def begun(self, now: datetime) -> Track:
        """The reading that goes on, or a new one from the top, deep where it is time for that."""
        if self.resume:
            return self
        due = self.deep_at is None or not self.deep_at <= now < self.deep_at + DEEP_EVERY
        return replace(self, newest=None, passed=(), deep=due)

    def ended(self, newest: datetime | None, passed: Sequence[str], floor: datetime, now: datetime) -> Track:
        """Where we stand after the reading."""
        # An empty list moves us on as well: the next look is not a first one.
        since = max((at for at in (self.since, newest) if at), default=floor)
        # What the last hour held has to be remembered, or the next deep look would bring it again.
        needed = len(passed) if self.deep else len(self.seen)
        kept = min(max(REMEMBERED, needed), REMEMBERED_AT_MOST)
        seen = tuple(dict.fromkeys([*passed, *self.seen]))[:kept]
        return Track(since, seen, now if self.deep else self.deep_at)


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
    track = track.begun(now)
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
            return ReadBack(_filled(pages), Track(track.since, track.seen, track.deep_at))
        marks = [_Mark(entry, digest(name(entry)), time(entry)) for entry in entries]
        fresh = [mark for mark in marks if mark.digest not in known]
        pages.append([mark.entry for mark in fresh if not (first and mark.before(floor))])
        passed += [mark.digest for mark in marks]
        known.update(passed)
        newest = max((min(at, now) for at in (newest, *(mark.at for mark in marks)) if at), default=None)
        at_bottom = not position or any(mark.before(floor) for mark in marks)
        if at_bottom or not (fresh or track.deep):
            return ReadBack(_filled(pages), track.ended(newest, passed, floor, now))
    passed = list(dict.fromkeys(passed))[:REMEMBERED_AT_MOST]
    return ReadBack(_filled(pages), replace(track, resume=position, newest=newest, passed=passed))


@dataclass(frozen=True, slots=True)
class _Mark:
    entry: Entry
    digest: str
    at: datetime | None

    def before(self, floor: datetime) -> bool:
        return self.at is not None and self.at < floor


def _filled(pages: Sequence[Sequence[Entry]]) -> Sequence[Sequence[Entry]]:
    return [page for page in pages if page]
