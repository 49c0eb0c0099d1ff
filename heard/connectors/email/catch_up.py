"""What is new in a mailbox: from a cursor, folder by folder, and from an open line (IDLE).

A cursor is ``{"folders": {"INBOX": {"uidvalidity": 7, "uid": 42, "looked_at": "…Z"}}}``. A number is
worth something only under its UIDVALIDITY. When that changes, the folder's recent past is read again;
the platform knows those mails by their Message-ID, so they come in twice and stay one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from heard.connectorkit.payload import want_instant, want_int, want_mapping
from heard.connectorkit.vocabulary import Page

from .client import Facts, Folder, MailStore
from .mapping.envelope import Envelope, folder_scope, pack
from .partial import fetch_partly
from .settings import MailSettings

#: One page holds at most so many mails and (but for the last of them) bytes.
PAGE_MAILS = 200
PAGE_BYTES = 20_000_000
#: Mails fetched by one command, while they are small.
GROUP_MAILS = 25
GROUP_BYTES = 4_000_000
#: A first look, or one after a renumbering, goes back at most so many mails.
MOST_BACK = 2_000
#: A line that is opened reports what came in shortly before, in case nobody looked in between.
JUST_BEFORE = timedelta(minutes=15)
JUST_BEFORE_MAILS = 20


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder has been read."""

    uidvalidity: int
    uid: int
    looked_at: datetime | None


def catch_up(
    store: MailStore, settings: MailSettings, cursor: Mapping[str, Any] | None, now: datetime
) -> Page:
    """One page of what is new in the folder that is watched and in the Sent folder."""
    known = want_mapping(cursor or {}, "folders")
    bodies: list[bytes] = []
    places: dict[str, Any] = {}
    gaps: list[str] = []
    more = False
    for name in _folders(store, settings):
        folder = store.open_folder(name)
        place, gap = _begin(store, settings, folder, _place(want_mapping(known, name)), now)
        if len(bodies) >= PAGE_MAILS or sum(map(len, bodies)) >= PAGE_BYTES:
            reached, left = place.uid, True
        else:
            found, reached, left = _read_on(store, settings, folder, place.uid)
            bodies += found
        more = more or left
        gaps += [gap] if gap else []
        # Only a look that saw everything says up to when nothing can be missing.
        looked_at = place.looked_at if left and place.looked_at else now
        places[name] = {"uidvalidity": folder.uidvalidity, "uid": reached, "looked_at": _written(looked_at)}
    return Page(bodies=bodies, cursor={"folders": {**known, **places}}, more=more, gap=" ".join(gaps))


def listen(
    store: MailStore, settings: MailSettings, now: datetime, *, tick_seconds: float, renew_seconds: float
) -> Iterator[bytes]:
    """New mails as they come, ``b""`` after each ``tick_seconds`` without; ends by raising.

    The line is renewed after ``renew_seconds`` of silence: servers hang up after half an hour.
    """
    store.need_idle()
    folder = store.open_folder(settings.folder)
    recent, _ = store.recent_uids(folder, now - timedelta(days=1), JUST_BEFORE_MAILS)
    facts = store.facts(recent)
    fresh = [uid for uid in recent if _is_fresh(facts.get(uid), now)]
    yield from _read(store, settings, folder, fresh, facts)
    last = max([folder.next_uid - 1, *recent, 0])
    yield b""
    while True:
        store.begin_listening()
        heard = False
        for _ in range(max(1, int(renew_seconds / tick_seconds))):
            heard = store.hears(tick_seconds)
            if heard:
                break
            yield b""
        store.end_listening()
        if heard:
            uids, last = store.uids_after(last, folder)
            yield from _read(store, settings, folder, uids, store.facts(uids))


def _folders(store: MailStore, settings: MailSettings) -> Sequence[str]:
    sent = sent_folder(store, settings)
    return [settings.folder] if sent in ("", settings.folder) else [settings.folder, sent]


def sent_folder(store: MailStore, settings: MailSettings) -> str:
    """The Sent folder as set, or as the server names it; ``""`` where there is none."""
    if not settings.sent_folder:
        return store.sent_folder()
    return settings.sent_folder if store.has_folder(settings.sent_folder) else ""


def _begin(
    store: MailStore, settings: MailSettings, folder: Folder, place: Place | None, now: datetime
) -> tuple[Place, str]:
    """Where to go on, and a sentence where something may be missing in between."""
    if place is not None and place.uidvalidity == folder.uidvalidity:
        return place, ""
    since = now - timedelta(days=settings.back_fill_days)
    if place is not None and place.looked_at is not None:
        since = min(since, place.looked_at - timedelta(days=1))
    uids, older = store.recent_uids(folder, since, MOST_BACK)
    if uids:
        before_first = uids[0] - 1
    else:
        before_first = (
            folder.next_uid - 1 if folder.next_uid else max(store.uids_after(0, folder)[0], default=0)
        )
    gap = ""
    if place is not None and older:
        gap = (
            f"The mail server renumbered the folder “{folder.name}”. Its newest {MOST_BACK} mails were read "
            "again; what came in before them since the last look may be missing."
        )
    return Place(folder.uidvalidity, before_first, place.looked_at if place else None), gap


def _read_on(
    store: MailStore, settings: MailSettings, folder: Folder, after_uid: int
) -> tuple[list[bytes], int, bool]:
    """The next mails, up to which number that is, and whether there are more."""
    uids, complete_to = store.uids_after(after_uid, folder)
    facts = store.facts(uids[:PAGE_MAILS])
    taken: list[int] = []
    size = 0
    for uid in uids[:PAGE_MAILS]:
        if taken and size >= PAGE_BYTES:
            break
        taken.append(uid)
        size += min(facts[uid].size_bytes, settings.largest_bytes) if uid in facts else 0
    bodies = list(_read(store, settings, folder, taken, facts))
    if len(taken) < len(uids):
        return bodies, taken[-1], True
    return bodies, complete_to, complete_to < folder.next_uid - 1


def _read(
    store: MailStore, settings: MailSettings, folder: Folder, uids: Sequence[int], facts: Mapping[int, Facts]
) -> Iterator[bytes]:
    """The deliveries for these mails, in their order. One that vanished meanwhile is passed over."""
    scope = folder_scope(folder.name, folder.uidvalidity)
    bare = Envelope(b"", folder.name, folder.uidvalidity, sent=folder.name != settings.folder)
    for group in _groups([uid for uid in uids if uid in facts], facts):
        whole = store.whole([uid for uid in group if facts[uid].size_bytes <= settings.largest_bytes])
        for uid in group:
            here = replace(bare, uid=uid, internal_at=facts[uid].internal_at)
            size = facts[uid].size_bytes
            if size > settings.largest_bytes:
                mail, omitted = fetch_partly(store, uid, scope)
                yield pack(replace(here, rfc822=mail, size_bytes=size, omitted=omitted))
            elif whole.get(uid):
                yield pack(replace(here, rfc822=whole[uid]))


def _groups(uids: Sequence[int], facts: Mapping[int, Facts]) -> Iterator[list[int]]:
    """Runs of mails that are small together; a large one stands alone."""
    group: list[int] = []
    size = 0
    for uid in uids:
        own = facts[uid].size_bytes
        if group and (len(group) >= GROUP_MAILS or size + own > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(uid)
        size += own
    if group:
        yield group


def _is_fresh(facts: Facts | None, now: datetime) -> bool:
    return facts is not None and (facts.internal_at is None or facts.internal_at >= now - JUST_BEFORE)


def _place(written: Mapping[str, Any]) -> Place | None:
    uidvalidity, uid = want_int(written, "uidvalidity"), want_int(written, "uid")
    if uidvalidity is None or uid is None:
        return None
    return Place(uidvalidity, uid, want_instant(written.get("looked_at")))


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
