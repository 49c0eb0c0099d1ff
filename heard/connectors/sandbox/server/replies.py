"""How people take answers, and what they do when none comes."""

from __future__ import annotations

import random
from hashlib import sha256
from typing import TYPE_CHECKING

from .compose import addressed
from .happenings import remark, wait_for_answer
from .matters import MATTERS
from .moods import (
    WORDS_OF_AN_ANSWER,
    Escalation,
    Outcome,
    Reaction,
    escalate,
    fingerprint,
    mood_unanswered,
    react,
    read_answer,
)
from .posts import like_post
from .store import AccountRow
from .stories import Story, StoryState, awake_stories, save_story, story_of
from .texts_of import all_signs

if TYPE_CHECKING:
    from .world import World

#: An answer that went out this often looks copied.
_COPIES = 3
_SAID = {
    Reaction.WAITS: "waits",
    Reaction.NOT_ENOUGH: "not_enough",
    Reaction.ANNOYED_BY_QUESTION: "annoyed_by_question",
    Reaction.CALLS_IT_COPIED: "calls_it_copied",
    Reaction.GIVES_DATA: "gives_data",
    Reaction.LEAVES: "leaves",
}


def heard(world: World, number: int) -> None:
    """Note an answer of a company, so that whoever it is for reacts in a while."""
    post = world.store.row("SELECT * FROM posts WHERE id = ?", number)
    if post is None:
        return
    reader = post["to_account"]
    if reader is None and post["parent"]:
        parent = world.store.row("SELECT author FROM posts WHERE id = ?", post["parent"])
        reader = parent["author"] if parent else None
    story = story_of(world.store, reader, post["author"]) if reader else None
    _count_copies(world, post["text"])
    if story is None or story.state is StoryState.SETTLED or story.matter == "spam":
        return
    rng = world.rng("hears", number)
    story.answer, story.plan = number, "reaction"
    story.wake_at_minutes = world.minutes + rng.uniform(1.5, 14)
    save_story(world.store, story)


def _count_copies(world: World, text: str) -> None:
    known = fingerprint(text)
    if len(known.split()) >= WORDS_OF_AN_ANSWER:
        world.store.run(
            "INSERT INTO answers VALUES (?, 1) ON CONFLICT DO UPDATE SET seen = seen + 1", _digest(known)
        )


def _digest(known: str) -> str:
    return sha256(known.encode()).hexdigest()[:24]


def tick(world: World) -> None:
    """Everybody whose time has come reacts, or loses patience."""
    for story in awake_stories(world.store, world.minutes):
        rng = world.rng("wakes", story.id, story.last_post, story.answer, story.follow_ups)
        person = world.store.account(story.person)
        if story.plan == "reaction" and story.answer is not None:
            _react(world, rng, person, story)
        else:
            _lose_patience(world, rng, person, story)
        save_story(world.store, story)


def _react(world: World, rng: random.Random, person: AccountRow, story: Story) -> None:
    answer = world.store.row("SELECT * FROM posts WHERE id = ? AND deleted_at IS NULL", story.answer)
    if answer is None:  # taken back before it was read
        story.answer = None
        wait_for_answer(world, rng, story)
        return
    seen = world.store.row("SELECT seen FROM answers WHERE digest = ?", _digest(fingerprint(answer["text"])))
    outcome = react(
        story.mood,
        read_answer(answer["text"], all_signs(), copied=bool(seen and seen["seen"] >= _COPIES)),
        world.temper(person),
        severity=MATTERS[story.matter].severity,
        waited_minutes=world.minutes - story.asked_at_minutes,
        private=answer["visibility"] == "private",
        data_given=story.data_given,
    )
    story.mood = outcome.mood
    story.wake_at_minutes, story.plan = None, ""
    if outcome.settled:
        _settle(world, rng, person, story, outcome)
    else:
        _go_on(world, rng, person, story, outcome.reaction)


def _settle(world: World, rng: random.Random, person: AccountRow, story: Story, outcome: Outcome) -> None:
    assert story.answer is not None  # noqa: S101 - only reached from an answer
    if outcome.reaction is Reaction.LEAVES:
        _leave(world, rng, person, story)
        return
    story.state = StoryState.SETTLED
    if outcome.reaction is not Reaction.THANKS:
        return
    if rng.random() < 0.35:
        like_post(world.store, story.answer, person.id)
    if rng.random() < 0.7:
        _answer(world, rng, person, story, "thanks" if story.mood > -0.2 else "thanks_cool")


def _go_on(world: World, rng: random.Random, person: AccountRow, story: Story, reaction: Reaction) -> None:
    story.asked_at_minutes = world.minutes
    if reaction is Reaction.WRITES_PRIVATELY:
        text = remark(rng, person, story, "writes_privately")
        post = world.say(rng, person, text, to=story.brand)
        story.private, story.data_given = True, True
        story.last_post = post or story.last_post
    elif reaction is not Reaction.WAITS or rng.random() < 0.5:
        _answer(world, rng, person, story, _SAID[reaction])
        story.data_given = story.data_given or reaction is Reaction.GIVES_DATA
    story.state = StoryState.ANSWERED if reaction is Reaction.WAITS else StoryState.WAITING
    wait_for_answer(world, rng, story, times=2.0 if reaction is Reaction.WAITS else 1.0)


def _answer(world: World, rng: random.Random, person: AccountRow, story: Story, what: str) -> None:
    """Say it where the company's answer stands."""
    answer = world.store.row("SELECT id, visibility FROM posts WHERE id = ?", story.answer)
    private = answer is not None and answer["visibility"] == "private"
    text = remark(rng, person, story, what)
    post = world.say(
        rng, person, text, to=story.brand if private else None, in_reply_to=answer["id"] if answer else None
    )
    story.last_post = post or story.last_post


def _lose_patience(world: World, rng: random.Random, person: AccountRow, story: Story) -> None:
    severity = MATTERS[story.matter].severity
    step = escalate(world.temper(person), severity, story.follow_ups, private=story.private)
    story.mood = mood_unanswered(story.mood, story.follow_ups)
    story.follow_ups += 1
    if step is Escalation.LEAVES:
        _leave(world, rng, person, story)
        return
    brand = world.store.account(story.brand)
    if step is Escalation.GOES_PUBLIC:
        story.private = False
        text = addressed(rng, remark(rng, person, story, "goes_public"), brand.handle)
        post = world.say(rng, person, text)
    else:
        text = remark(rng, person, story, "asks_again")
        to = brand.id if story.private else None
        said = text if story.private else addressed(rng, text, brand.handle)
        post = world.say(rng, person, said, to=to, in_reply_to=story.last_post)
    story.last_post = post or story.last_post
    wait_for_answer(world, rng, story)


def _leave(world: World, rng: random.Random, person: AccountRow, story: Story) -> None:
    """Gone, with a last word or without, and sometimes not to be reached any more."""
    story.state, story.plan, story.wake_at_minutes = StoryState.GONE, "", None
    if rng.random() < 0.7:
        text = remark(rng, person, story, "leaves")
        world.say(rng, person, text, to=story.brand if story.private else None, in_reply_to=story.last_post)
    if rng.random() < 0.3:
        world.store.run("INSERT OR IGNORE INTO blocks VALUES (?, ?)", story.person, story.brand)
