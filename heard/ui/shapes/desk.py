"""What the inbox shows: rows, what was said, who said it, and where it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from heard.ui.shapes.frame import Action


@dataclass(frozen=True, slots=True)
class Row:
    """One case in the list. ``waiting_since`` is when the person began to wait for us, if they do."""

    case_id: str
    url: str
    person_name: str
    tint: int
    initials: str
    network: str
    network_name: str
    kind_label: str
    preview: str
    at: datetime
    waiting_since: datetime | None = None
    unread: bool = False
    tags: tuple[str, ...] = ()
    owner_initials: str | None = None
    owner_name: str | None = None
    visibility: str = "public"
    late: bool = False
    status: str = "open"
    is_selected: bool = False
    has_draft: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message. ``blocked_reason`` set: it is named, not shown, and the sentence says why."""

    name: str
    url: str
    kind: str = "file"
    alt: str = ""
    size_label: str = ""
    blocked_reason: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing said, or one thing that happened.

    ``kind``: inbound | own | note | event | context. ``html`` is sanitised HTML or ``""`` (then
    ``text`` is shown, line breaks kept). ``state``: ``""`` | waiting | sending | sent | failed |
    held | unknown | cancelled, with ``state_label`` for people and ``reason`` where there is one.
    ``state_actions`` change the sending (undo, retry, found, discard), ``actions`` the message on its
    network (like, hide). ``url`` is where it stands on its network. ``blocked_images`` counts remote
    images left out; ``images_url`` shows them.
    """

    kind: str
    author_name: str
    at: datetime
    text: str = ""
    message_id: str = ""
    handle: str = ""
    tint: int = 0
    initials: str = ""
    html: str = ""
    subject: str = ""
    depth: int = 0
    reply_to_name: str = ""
    url: str = ""
    state: str = ""
    state_label: str = ""
    reason: str = ""
    undo_until: datetime | None = None
    outbound_id: str = ""
    edited: bool = False
    deleted: bool = False
    attachments: tuple[Attachment, ...] = ()
    state_actions: tuple[Action, ...] = ()
    actions: tuple[Action, ...] = ()
    reply_url: str = ""
    blocked_images: int = 0
    images_url: str = ""


@dataclass(frozen=True, slots=True)
class ConversationPart:
    """One conversation of a case: the posts above it, then what was said, oldest first."""

    conversation_id: str
    visibility: str
    visibility_label: str
    network: str
    channel_name: str
    account_handle: str = ""
    context_posts: Sequence[Bubble] = ()
    items: Sequence[Bubble] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a menu that posts ``value``."""

    value: str
    label: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Present:
    """A colleague who looks at the same case, or writes in it."""

    name: str
    initials: str
    tint: int = 0
    writing: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """The open case.

    POST ``assign_url`` with ``owner`` and/or ``team``; POST ``status_url`` with ``status``; POST
    ``snooze_url`` with ``until`` (a value of ``snooze_times``) or ``until_local`` (in ``zone``). An empty
    URL means that this member may not, and the control is not drawn. ``actions`` fill the menu.
    """

    case_id: str
    url: str
    title: str
    person_name: str
    network: str
    kind_label: str
    status: str = "open"
    status_label: str = ""
    owner: str = ""
    team: str = ""
    conversations: Sequence[ConversationPart] = ()
    waiting_since: datetime | None = None
    late: bool = False
    assign_url: str = ""
    status_url: str = ""
    snooze_url: str = ""
    snooze_times: Sequence[Choice] = ()
    zone: str = ""
    owners: Sequence[Choice] = ()
    teams: Sequence[Choice] = ()
    actions: Sequence[Action] = ()
    present: Sequence[Present] = ()
    back_url: str = "/inbox/"


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to answer: reply (in public or in the thread), direct, or note.

    ``enabled`` false needs ``reason`` (and ``remedy``). ``maximum`` 0 means no limit; ``unit`` is
    grapheme | codepoint | utf16 | byte; ``url_cost`` is what a link counts (``None``: its length).
    ``media_count`` 0 takes no files. ``visibilities`` are (value, label), the default first.
    """

    key: str
    label: str
    enabled: bool = True
    reason: str = ""
    remedy: str = ""
    account_label: str = ""
    audience_label: str = ""
    network: str = ""
    maximum: int = 0
    unit: str = "grapheme"
    url_cost: int | None = None
    mention_local_only: bool = False
    maximum_bytes: int | None = None
    media_count: int = 0
    media_types: Sequence[str] = ()
    media_bytes: int = 0
    visibilities: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    target_message_id: str = ""
    subject: str | None = None
    subject_label: str = ""


@dataclass(frozen=True, slots=True)
class Composer:
    """Where an answer is written; see ``ui/parts/composer.html`` for what the form posts.

    ``mode`` is the key of the mode chosen first. ``held_reason`` set: sending is stopped, the text
    can be written and will wait. ``draft`` is what this member (``writer``) wrote before, at ``draft_at``;
    POST ``draft_url`` (``mode``, ``text``, ``subject``, ``target``, ``submission_key``, ``sequence``) keeps
    what they write now. ``problems`` are what the server said of the last attempt.
    """

    action_url: str
    modes: Sequence[Mode]
    case_id: str = ""
    mode: str = ""
    draft: str = ""
    placeholder: str = ""
    held_reason: str = ""
    submission_key: str = ""
    problems: Sequence[str] = ()
    subject: str = ""
    draft_url: str = ""
    draft_at: str = ""
    writer: str = ""

    @property
    def can_write(self) -> bool:
        """False where every way of answering is closed: then the page says why, and offers no field."""
        return any(mode.enabled for mode in self.modes)

    @property
    def closed(self) -> list[str]:
        """Why some ways of answering are closed, each reason once: "Public reply, Direct message: …"."""
        by_reason: dict[str, list[str]] = {}
        for mode in self.modes:
            if not mode.enabled:
                by_reason.setdefault(f"{mode.reason} {mode.remedy}".strip(), []).append(mode.label)
        return [f"{', '.join(labels)}: {reason}" for reason, labels in by_reason.items()]


@dataclass(frozen=True, slots=True)
class IdentityLine:
    """A handle of a person. ``url`` is their page on the network, or ``""``."""

    network: str
    network_name: str
    handle: str
    url: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case this person had before."""

    title: str
    url: str
    status_label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who brought the matter. URLs are ``""`` where this member may not."""

    contact_id: str
    name: str
    tint: int
    initials: str
    identities: Sequence[IdentityLine] = ()
    tags: Sequence[str] = ()
    since: datetime | None = None
    past_cases: Sequence[PastCase] = ()
    notes: str = ""
    url: str = ""
    privacy_url: str = ""
    can_erase: bool = False
