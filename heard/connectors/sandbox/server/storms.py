"""Storms on demand: many people, one matter, in a short time."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from .compose import draw_slots, fill
from .happenings import begin_story
from .matters import MATTERS
from .posts import Refused
from .store import AccountRow
from .texts_of import texts

if TYPE_CHECKING:
    from .world import World

#: No tick lets more of them speak, so that the server stays quick to answer.
_MOST_PER_TICK = 100


def begin(world: World, brand: AccountRow, matter: str, people: int, minutes: float) -> int:
    """Start a storm and give its number; raises ``Refused`` for a matter that nobody knows."""
    if matter not in MATTERS:
        raise Refused(422, f"Nobody knows the matter {matter[:40]}; there are: {', '.join(sorted(MATTERS))}.")
    if not 1 <= people <= 100_000 or not 0 <= minutes <= 100_000:
        raise Refused(422, "A storm has 1 to 100,000 people and takes at most 100,000 minutes.")
    with world.store.writing():
        cursor = world.store.run(
            "INSERT INTO storms (matter, slots, brand, people, spoken, begun_at, minutes) VALUES"
            " (?, '', ?, ?, 0, ?, ?)",
            matter,
            brand.id,
            people,
            world.now(),
            minutes,
        )
    return int(cursor.lastrowid or 0)


def tick(world: World) -> None:
    """Let speak who should have spoken by now."""
    for storm in world.store.rows("SELECT * FROM storms WHERE spoken < people ORDER BY id"):
        passed = world.now() - storm["begun_at"]
        share = 1.0 if storm["minutes"] <= 0 else min(1.0, passed / (storm["minutes"] * 60))
        due = min(_MOST_PER_TICK, round(storm["people"] * share) - storm["spoken"])
        for number in range(storm["spoken"], storm["spoken"] + due):
            _somebody_speaks(world, storm, number)
        world.store.run("UPDATE storms SET spoken = spoken + ? WHERE id = ?", max(0, due), storm["id"])


def _somebody_speaks(world: World, storm: sqlite3.Row, number: int) -> None:
    """One of the storm: on their own, under the company's last post, or joining who began it."""
    rng = world.rng("storm", storm["id"], number)
    brand = world.store.account(storm["brand"])
    roll = rng.random()
    row = world.store.row("SELECT first_post FROM storms WHERE id = ?", storm["id"])
    first = row["first_post"] if row else None
    if first and roll < 0.3:
        person = world.newcomer(rng)
        known = texts(person.language)
        slots = draw_slots(rng, known, person.name)
        still = rng.choice(known.matters[storm["matter"]].still)
        text = f"{fill(rng.choice(known.reactions['joins']), slots)} {fill(still, slots)}"
        if world.say(rng, person, text, in_reply_to=first) is not None:
            return
    under = None
    if roll > 0.75:
        last = world.store.row(
            "SELECT id FROM posts WHERE author = ? AND parent IS NULL AND visibility = 'public'"
            " AND deleted_at IS NULL ORDER BY id DESC LIMIT 1",
            brand.id,
        )
        under = last["id"] if last else None
    post = begin_story(world, rng, brand, matter=MATTERS[storm["matter"]], under=under)
    if first is None and post is not None:
        seen = world.store.row("SELECT visibility FROM posts WHERE id = ?", post)
        if seen and seen["visibility"] == "public":
            world.store.run("UPDATE storms SET first_post = ? WHERE id = ?", post, storm["id"])
