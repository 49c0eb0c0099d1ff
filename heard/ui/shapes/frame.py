"""What stands around a page's own matter: navigation, banners, filters, tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

TINTS = 6


def tint_of(key: str) -> int:
    """The avatar tint (0 to 5) of a person or member, the same for ever: a hash of their id."""
    return hashlib.sha256(key.encode()).digest()[0] % TINTS


def initials_of(name: str) -> str:
    """One or two letters for an avatar: the first of the first and of the last word, ``?`` for none."""
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    if not words:
        return "?"
    chosen = words if len(words) == 1 else [words[0], words[-1]]
    return "".join(word[0] for word in chosen).upper()


@dataclass(frozen=True, slots=True)
class NavItem:
    """A door in the navigation. ``icon`` names a symbol of the sprite; ``""`` shows a dot.

    ``bar_title`` is its short name in the phone's bar; ``""`` leaves it to the drawer.
    """

    title: str
    url: str
    icon: str = ""
    count: int | None = None
    is_current: bool = False
    bar_title: str = ""


@dataclass(frozen=True, slots=True)
class NavSection:
    """Doors that belong together; ``title`` may be empty."""

    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page."""

    name: str
    initials: str
    tint: int = 0
    status_line: str = ""
    profile_url: str = ""
    sign_out_url: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """Something every page has to say: a hold, an expired account. ``kind`` is a state colour."""

    text: str
    kind: str = "warning"
    url: str = ""
    link_label: str = ""
    icon: str = "triangle-alert"


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of every signed-in page; templates find it as ``shell``.

    ``events_url`` is the live stream (``""``: none), ``position`` the last event this page has
    already seen, ``stream_key`` tells streams of different members apart within one browser.
    ``bottom`` is the phone's bar: at most four, "More" is added.
    """

    organization_name: str
    viewer: Viewer
    sections: Sequence[NavSection] = ()
    bottom: Sequence[NavItem] = ()
    banners: Sequence[Banner] = ()
    search_url: str = ""
    search_text: str = ""
    events_url: str = ""
    position: str = ""
    stream_key: str = ""
    home_url: str = "/inbox/"
    settings: Sequence[NavSection] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """A thing to be done by one POST to ``url``. ``style`` is "", "primary" or "danger"."""

    verb: str
    label: str
    url: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The list being looked at. ``empty_text`` is its sentence when nothing is in it."""

    key: str
    title: str
    count: int
    url: str = ""
    empty_text: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A chip above the list."""

    label: str
    count: int | None
    url: str
    active: bool = False


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A hold in force: why, over what ("everything", a channel's name), where to release it."""

    reason: str
    scope: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """A state in one word. ``state``: good | warning | danger | off."""

    state: str
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a data table."""

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table: rows are sequences of cells in the order of the columns."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]] = field(default_factory=tuple)

    @property
    def lines(self) -> list[list[tuple[Column, object]]]:
        """The rows, each cell with its column: numbers stand under the end of their heading."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]
