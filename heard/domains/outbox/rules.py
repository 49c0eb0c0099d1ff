"""Decisions of the gate, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from heard.connectorkit.counting import count
from heard.connectorkit.vocabulary import Answer, Constraints, No, Verb, Visibility, Yes

UNDO_SECONDS = 10
GATE_LEASE_SECONDS = 15
"""From being chosen to having passed the gate: two short transactions."""

LOOK_AFTER_SECONDS = 5
MOST_LOOKS = 6
MOST_ATTEMPTS = 12

TRANSITIONS: dict[str, frozenset[str]] = {
    "waiting": frozenset({"held", "sending", "cancelled"}),
    "held": frozenset({"waiting", "cancelled"}),
    "sending": frozenset({"sent", "rejected", "waiting", "unknown", "asked"}),
    "unknown": frozenset({"sent", "waiting", "asked", "cancelled"}),
    "asked": frozenset({"sent", "waiting", "cancelled"}),
    "rejected": frozenset({"waiting", "cancelled"}),
    "sent": frozenset(),
    "cancelled": frozenset(),
}


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """An open hold, as the gate reads it."""

    hold_id: int
    channel_id: int | None
    reason: str


def stopping(holds: Sequence[HoldFacts], channel_id: int) -> HoldFacts | None:
    """The hold that stops this channel, the organization's first."""
    for hold in sorted(holds, key=lambda item: (item.channel_id is not None, item.hold_id)):
        if hold.channel_id is None or hold.channel_id == channel_id:
            return hold
    return None


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to leave."""

    verb: Verb
    text: str
    subject: str = ""
    visibility: Visibility | None = None
    files: int = 0
    largest_file_bytes: int = 0
    file_types: tuple[str, ...] = ()


def problems(draft: Draft, answer: Answer) -> list[tuple[str, str]]:
    """(field, sentence) for everything that keeps this draft from leaving; empty when nothing does."""
    if isinstance(answer, No):
        return [("text", " ".join(part for part in (answer.reason, answer.remedy) if part))]
    return _text_problems(draft, answer.constraints) + _file_problems(draft, answer.constraints)


def _text_problems(draft: Draft, limits: Constraints) -> list[tuple[str, str]]:
    found = []
    says_something = draft.verb in {Verb.REPLY, Verb.DIRECT_MESSAGE, Verb.POST}
    if says_something and not draft.text.strip() and not draft.files:
        found.append(("text", "Write something first."))
    if limits.text is not None and draft.text:
        counted = count(draft.text, limits.text)
        if counted.over > 0:
            found.append(("text", f"The text is {counted.over} over the limit of {counted.maximum}."))
        elif limits.text.maximum_bytes and counted.used_bytes > limits.text.maximum_bytes:
            found.append(
                (
                    "text",
                    f"The text has {counted.used_bytes} bytes; the limit is {limits.text.maximum_bytes}.",
                )
            )
    if draft.visibility is not None and limits.visibilities and draft.visibility not in limits.visibilities:
        found.append(("visibility", "This audience is not possible here."))
    return found


def _file_problems(draft: Draft, limits: Constraints) -> list[tuple[str, str]]:
    media = limits.media
    if draft.files > media.count:
        return [("files", f"At most {media.count} files can be attached here.")]
    found = []
    if media.maximum_bytes and draft.largest_file_bytes > media.maximum_bytes:
        found.append(
            ("files", f"A file is larger than {media.maximum_bytes // 1_000_000} MB, this network's limit.")
        )
    found += [
        ("files", f"This network does not take files of type {content_type}.")
        for content_type in draft.file_types
        if media.types and not any(_fits(content_type, allowed) for allowed in media.types)
    ]
    return found


def _fits(content_type: str, allowed: str) -> bool:
    return allowed in {"*/*", content_type} or (
        allowed.endswith("/*") and content_type.startswith(allowed[:-1])
    )


def constraints(answer: Answer) -> Constraints:
    """What holds where the answer is yes; nothing allowed where it is no."""
    return answer.constraints if isinstance(answer, Yes) else Constraints()


def is_key_alive(
    *,
    takes_key: bool,
    lifetime_seconds: int | None,
    first_attempt_at: datetime | None,
    now: datetime,
) -> bool:
    """May the same key be handed over again? Never beyond its lifetime, with a minute to spare."""
    if not takes_key or first_attempt_at is None:
        return False
    return lifetime_seconds is None or now < first_attempt_at + timedelta(seconds=lifetime_seconds - 60)


def look_pause_seconds(looks: int) -> float:
    """How long to wait before looking (again): the network may still be busy with our request."""
    return min(LOOK_AFTER_SECONDS * 2.0**looks, 600.0)
