"""What happens by itself: people begin matters, comment, join others, correct and delete themselves."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .compose import addressed, draw_slots, fill, opening, reaction_text
from .matters import MATTERS, Matter, draw_matter
from .moods import mood_word, patience_minutes
from .posts import Refused, delete_post, edit_post
from .store import AccountRow
from .stories import Story, resting_people, save_story, story_of
from .texts_of import texts

if TYPE_CHECKING:
    from .world import World

#: Posts older than this are left alone, in seconds.
_RECENT_SECONDS = 3 * 86_400


def happen(world: World, number: int) -> None:
    """The ``number``-th thing that happens by itself."""
    rng = world.rng("happening", number)
    brands = world.store.brands()
    if not brands:
        return
    brand = rng.choice(brands)
    roll = rng.random()
    done = False
    if roll < 0.10:
        done = _comment(world, rng, brand)
    elif roll < 0.20:
        done = _join(world, rng, brand)
    elif roll < 0.24:
        done = _edit(world, rng)
    elif roll < 0.26:
        done = _delete(world, rng)
    if not done:
        begin_story(world, rng, brand)


def begin_story(
    world: World,
    rng: random.Random,
    brand: AccountRow,
    *,
    matter: Matter | None = None,
    shared: Mapping[str, str] | None = None,
    under: int | None = None,
) -> int | None:
    """Somebody brings a matter to a company; the post's number. ``shared`` particulars override theirs.

    ``under`` makes it a public comment on that post.
    """
    person, remembered = _somebody(world, rng, brand)
    matter = matter or draw_matter(rng)
    known = texts(person.language)
    slots = {**draw_slots(rng, known, person.name), **(shared or {})}
    mood = max(-1.0, min(1.0, matter.mood + rng.uniform(-0.35, 0.2)))
    text = opening(rng, known, matter.name, mood, slots, remembered=remembered if matter.severity else "")
    private = under is None and rng.random() < matter.private
    post = world.say(
        rng,
        person,
        text if private or (under and rng.random() < 0.6) else addressed(rng, text, brand.handle),
        to=brand.id if private else None,
        in_reply_to=under,
        photo=rng.random() < matter.photo,
    )
    if post is None:
        return None
    story = Story(person.id, brand.id, matter.name, slots, private, mood, world.minutes, last_post=post)
    wait_for_answer(world, rng, story)
    save_story(world.store, story)
    return post


def wait_for_answer(world: World, rng: random.Random, story: Story, *, times: float = 1.0) -> None:
    """Set when patience ends; nobody waits for an answer to praise."""
    severity = MATTERS[story.matter].severity
    if severity == 0:
        story.wake_at_minutes, story.plan = None, ""
        return
    temper = world.temper(world.store.account(story.person))
    wait = patience_minutes(temper, severity, story.follow_ups) * rng.uniform(0.8, 1.3) * times
    story.wake_at_minutes, story.plan = world.minutes + wait, "patience"


def _somebody(world: World, rng: random.Random, brand: AccountRow) -> tuple[AccountRow, str]:
    """A newcomer, or somebody of old, with what they remember (``good``, ``bad``)."""
    resting = resting_people(world.store, brand.id) if rng.random() < 0.25 else []
    if resting:
        person = world.store.account(rng.choice(resting))
        last = story_of(world.store, person.id, brand.id)
        if last is not None and last.wake_at_minutes is None and last.state.value == "settled":
            return person, "good" if mood_word(last.mood).value in ("glad", "calm") else "bad"
    return world.newcomer(rng), ""


def _comment(world: World, rng: random.Random, brand: AccountRow) -> bool:
    """A remark under one of the company's own posts."""
    posts = world.store.rows(
        "SELECT id FROM posts WHERE author = ? AND parent IS NULL AND visibility = 'public'"
        " AND deleted_at IS NULL AND created_at > ? ORDER BY id DESC LIMIT 3",
        brand.id,
        world.now() - _RECENT_SECONDS,
    )
    if not posts:
        return False
    under = rng.choice(posts)["id"]
    if rng.random() < 0.5:
        return begin_story(world, rng, brand, under=under) is not None
    person = world.newcomer(rng)
    known = texts(person.language)
    text = fill(rng.choice(known.reactions["comments"]), draw_slots(rng, known, person.name))
    return world.say(rng, person, text, in_reply_to=under) is not None


def _join(world: World, rng: random.Random, brand: AccountRow) -> bool:
    """Somebody else speaks up in a public thread."""
    open_threads = world.store.rows(
        "SELECT s.last_post, s.slots, p.language FROM stories s JOIN posts p ON p.id = s.last_post"
        " WHERE s.brand = ? AND s.private = 0 AND p.deleted_at IS NULL ORDER BY s.id DESC LIMIT 8",
        brand.id,
    )
    if not open_threads:
        return False
    thread = rng.choice(open_threads)
    person = world.newcomer(rng, thread["language"])
    known = texts(person.language)
    slots = draw_slots(rng, known, person.name)
    text = fill(rng.choice(known.reactions["joins"]), slots)
    return world.say(rng, person, text, in_reply_to=thread["last_post"]) is not None


def _recent_by_people(world: World, rng: random.Random) -> tuple[int, AccountRow, str] | None:
    rows = world.store.rows(
        "SELECT p.id, p.author, p.text FROM (SELECT * FROM posts ORDER BY id DESC LIMIT 60) p"
        " JOIN accounts a ON a.id = p.author"
        " WHERE a.kind = 'person' AND a.temper != '{}' AND p.deleted_at IS NULL AND p.edited_at IS NULL"
        " ORDER BY p.id DESC LIMIT 20"
    )
    if not rows:
        return None
    row = rng.choice(rows)
    return row["id"], world.store.account(row["author"]), row["text"]


def _edit(world: World, rng: random.Random) -> bool:
    found = _recent_by_people(world, rng)
    if found is None:
        return False
    number, person, text = found
    known = texts(person.language)
    added = fill(rng.choice(known.reactions["edit"]), draw_slots(rng, known, person.name))
    try:
        edit_post(
            world.store, world.base_url, number, author=person.id, text=f"{text} {added}", now=world.now()
        )
    except Refused:
        return False
    return True


def _delete(world: World, rng: random.Random) -> bool:
    found = _recent_by_people(world, rng)
    if found is None:
        return False
    number, person, _ = found
    delete_post(world.store, number, person.id, world.now())
    return True


def remark(rng: random.Random, person: AccountRow, story: Story, what: str) -> str:
    """What somebody says next in their story, in their language."""
    return reaction_text(rng, texts(person.language), what, story.matter, mood=story.mood, slots=story.slots)
