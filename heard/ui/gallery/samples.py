"""What the gallery shows, as the values that views would hand to templates. The words are in samples.toml."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from heard.ui.shapes import (
    Action,
    Attachment,
    Bubble,
    Choice,
    Composer,
    ConversationPart,
    Filter,
    HoldLine,
    IdentityLine,
    Mode,
    NavItem,
    NavSection,
    PastCase,
    Person,
    Present,
    Row,
    Shell,
    Thread,
    View,
    Viewer,
    initials_of,
    tint_of,
)

PRIVATE_KINDS = {"Direct message", "E-mail"}


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("samples.toml").read_text(encoding="utf-8"))


def _ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def shell(current: str = "inbox") -> Shell:
    """The frame, with the door named ``current`` open."""
    doors = [
        NavItem(title, f"/{key}/", icon, count, key == current)
        for key, title, icon, count in (
            ("settings", "Settings", "settings", None),
            ("channels", "Channels", "plug", None),
            ("outbox", "Outbox", "send", 2),
            ("journal", "Record", "scroll-text", None),
        )
    ]
    company = [
        NavItem("General", "/settings/organization/", "building-2"),
        NavItem("Members", "/settings/members/", "users-round", 6),
        NavItem("Channels", "/channels/", "plug", None, current == "channels"),
    ]
    return Shell(
        organization_name="Northbridge Transit",
        viewer=Viewer("Lena Marsh", "LM", 4, "Online until 17:00", "/settings/profile/", "/sign-out/"),
        sections=[NavSection("Work", tuple(doors))],
        bottom=[NavItem("Inbox", "/inbox/", "inbox", None, current == "inbox"), *doors[:3]],
        search_url="/inbox/",
        settings=[NavSection("Company", tuple(company))],
    )


def views() -> list[NavItem]:
    """The lists one can look at."""
    return [
        NavItem("Mine", "/inbox/mine/", "user-round", 6),
        NavItem("All open", "/inbox/", "inbox", 50, is_current=True),
        NavItem("Unassigned", "/inbox/unassigned/", "circle-dashed", 13),
        NavItem("Done", "/inbox/done/", "circle-check", None),
    ]


def view() -> View:
    """The list being looked at."""
    return View("open", "All open", 50, "/inbox/", "Nothing waiting. 14 answered today.")


def filters() -> list[Filter]:
    """Chips, the first one chosen."""
    return [
        Filter("Everything", None, "/inbox/", active=True),
        Filter("Unassigned", 13, "/inbox/?f=unassigned"),
        Filter("Late", 2, "/inbox/?f=late"),
        Filter("Public", None, "/inbox/?f=public"),
    ]


def rows(count: int = 24, selected: str = "3") -> list[Row]:
    """That many rows: the same dozen people, over and over, a little later each time."""
    people = _words()["people"]
    return [_row(index, people[index % len(people)], selected) for index in range(count)]


def _row(index: int, person: dict[str, Any], selected: str) -> Row:
    late = person.get("late", False)
    owner = person.get("owner")
    return Row(
        case_id=str(index + 1),
        url=f"/c/{index + 1}",
        person_name=person["name"],
        tint=tint_of(person["name"]),
        initials=initials_of(person["name"]),
        network=person["network"],
        network_name=_words()["networks"][person["network"]],
        kind_label=person["kind"],
        preview=person["text"],
        at=_ago(minutes=2 + 3 * index),
        waiting_since=_ago(minutes=8 + 4 * index) if late or index % 5 in {2, 4} else None,
        unread=index % 4 in {0, 3},
        tags=tuple(person["tags"]),
        owner_initials=owner,
        owner_name="Maya Ellis" if owner else None,
        visibility="private" if person["kind"] in PRIVATE_KINDS else "public",
        late=late,
        is_selected=str(index + 1) == selected,
    )


def bubbles() -> list[Bubble]:
    """One message of every kind and state."""
    return [_bubble(dict(entry)) for entry in _words()["bubbles"]]


def _bubble(entry: dict[str, Any]) -> Bubble:
    entry["at"] = _ago(minutes=entry.pop("minutes", 0))
    entry["initials"] = initials_of(entry["author_name"])
    entry["actions"] = tuple(Action(**action) for action in entry.get("actions", ()))
    entry["state_actions"] = tuple(Action(**action) for action in entry.get("state_actions", ()))
    entry["attachments"] = tuple(Attachment(**file) for file in entry.get("attachments", ()))
    if "within_seconds" in entry:
        entry["undo_until"] = _ago(seconds=-entry.pop("within_seconds"))
    return Bubble(**entry)


def thread(*, long: bool = False) -> Thread:
    """The open case: short as on a good day, or ``long`` with every state."""
    everything = bubbles()
    good_morning = "Good morning Northbridge. A good service is running on all tram and bus routes."
    post = Bubble(
        "context", "Northbridge Transit", _ago(hours=3), good_morning, "0", url="https://social.example/0"
    )
    shown = everything if long else everything[:5]
    channel = "Northbridge Transit on Mastodon"
    public = ConversationPart("1", "public", "Public thread", "mastodon", channel, "@transit", [post], shown)
    private = ConversationPart(
        "2", "private", "Direct messages", "sandbox", "Sandbox", "", [], everything[:1]
    )
    return Thread(
        case_id="3",
        url="/c/3",
        title="Grace Adeyemi",
        person_name="Grace Adeyemi",
        network="mastodon",
        kind_label="Comment on Mastodon",
        status_label="Open",
        owner="Maya Ellis",
        conversations=[public, private] if long else [public],
        waiting_since=_ago(minutes=12),
        assign_url="/c/3/assign",
        status_url="/c/3/status",
        owners=[Choice("1", "Me"), Choice("2", "Maya Ellis", is_current=True), Choice("", "Nobody")],
        teams=[Choice("1", "Customer service"), Choice("2", "Press")],
        actions=[Action("block", "Block Grace Adeyemi", "/c/3/block", "danger")],
        present=[Present("Rui Costa", "RC", 1, writing=long)],
    )


def composer(held: str = "", kind: str = "modes") -> Composer:
    """Three ways to answer (``modes``), or most of them refused (``narrowed``)."""
    modes = [Mode(**entry) for entry in _words()[kind]]
    first = next(mode.key for mode in modes if mode.enabled)
    return Composer(
        "/c/3/answer",
        modes,
        case_id="3",
        mode=first,
        placeholder="Write a reply to Grace Adeyemi",
        held_reason=held,
        submission_key="sample",
    )


def person() -> Person:
    """Grace, with two identities and a past."""
    page = "https://social.example/@grace"
    return Person(
        "7",
        "Grace Adeyemi",
        2,
        "GA",
        since=_ago(days=700),
        tags=("Commuter", "Route 38", "Step-free user"),
        identities=[
            IdentityLine("mastodon", "Mastodon", "@grace@social.example", page, "12 messages"),
            IdentityLine("email", "E-mail", "ga@example.org", "", "verified"),
        ],
        past_cases=[
            PastCase("Shelter light out at Mill Lane", "/c/1", "Done", _ago(days=60)),
            PastCase("Refund for tram pass", "/c/2", "Done", _ago(days=200)),
        ],
        notes="Prefers short answers. Has asked us to write in plain English, no abbreviations.",
        url="/people/7",
        privacy_url="/people/7/privacy",
        can_erase=True,
    )


def holds() -> list[HoldLine]:
    """One hold in force."""
    return [HoldLine("incident at Northgate, wording is being agreed", "everything", "/outbox/switch/")]


def inbox(**changes: object) -> dict[str, object]:
    """The whole context of ``inbox/inbox.html``."""
    return {
        "shell": shell(),
        "view": view(),
        "views": views(),
        "filters": filters(),
        "rows": rows(),
        "next_url": None,
        "thread": thread(),
        "composer": composer(),
        "person": person(),
        "hold_banner": [],
        "channel_banners": [],
    } | changes
