"""Stories: what one person goes through with one company over one matter, kept in the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .store import Store


class StoryState(StrEnum):
    """Where a story stands."""

    WAITING = "waiting"
    ANSWERED = "answered"
    SETTLED = "settled"
    GONE = "gone"


@dataclass(slots=True)
class Story:
    """One matter of one person. Minutes are those of the people's clock.

    ``plan`` is what happens at ``wake_at_minutes``: ``patience`` (nobody answered), ``reaction`` (to
    ``answer``) or nothing.
    """

    person: int
    brand: int
    matter: str
    slots: Mapping[str, str]
    private: bool
    mood: float
    asked_at_minutes: float
    last_post: int = 0
    state: StoryState = StoryState.WAITING
    answer: int | None = None
    follow_ups: int = 0
    data_given: bool = False
    wake_at_minutes: float | None = None
    plan: str = ""
    id: int = field(default=0)


def save_story(store: Store, story: Story) -> None:
    """Insert or update."""
    values = (
        story.person,
        story.brand,
        story.matter,
        json.dumps(dict(story.slots)),
        story.state.value,
        int(story.private),
        story.last_post,
        story.answer,
        story.mood,
        story.follow_ups,
        int(story.data_given),
        story.asked_at_minutes,
        story.wake_at_minutes,
        story.plan,
    )
    if story.id:
        store.run(
            "UPDATE stories SET person = ?, brand = ?, matter = ?, slots = ?, state = ?, private = ?,"
            " last_post = ?, answer = ?, mood = ?, follow_ups = ?, data_given = ?, asked_at = ?, wake_at = ?,"
            " plan = ? WHERE id = ?",
            *values,
            story.id,
        )
        return
    cursor = store.run(
        "INSERT INTO stories (person, brand, matter, slots, state, private, last_post, answer, mood,"
        " follow_ups, data_given, asked_at, wake_at, plan) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *values,
    )
    story.id = int(cursor.lastrowid or 0)


def awake_stories(store: Store, now_minutes: float, limit: int = 200) -> list[Story]:
    """Those whose time has come, the longest waiting first."""
    rows = store.rows(
        "SELECT * FROM stories WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY wake_at, id LIMIT ?",
        now_minutes,
        limit,
    )
    return [_story(row) for row in rows]


def story_of(store: Store, person: int, brand: int) -> Story | None:
    """The newest story of a person with a company, unless they have gone."""
    row = store.row(
        "SELECT * FROM stories WHERE person = ? AND brand = ? ORDER BY id DESC LIMIT 1", person, brand
    )
    return _story(row) if row and row["state"] != StoryState.GONE else None


def resting_people(store: Store, brand: int, limit: int = 50) -> list[int]:
    """People who had a matter settled by a company, newest first: they may come again."""
    rows = store.rows(
        "SELECT person FROM stories WHERE brand = ? AND state = ? ORDER BY id DESC LIMIT ?",
        brand,
        StoryState.SETTLED.value,
        limit,
    )
    return list(dict.fromkeys(row["person"] for row in rows))


def _story(row: sqlite3.Row) -> Story:
    return Story(
        id=row["id"],
        person=row["person"],
        brand=row["brand"],
        matter=row["matter"],
        slots=json.loads(row["slots"]),
        state=StoryState(row["state"]),
        private=bool(row["private"]),
        last_post=row["last_post"],
        answer=row["answer"],
        mood=row["mood"],
        follow_ups=row["follow_ups"],
        data_given=bool(row["data_given"]),
        asked_at_minutes=row["asked_at"],
        wake_at_minutes=row["wake_at"],
        plan=row["plan"],
    )
