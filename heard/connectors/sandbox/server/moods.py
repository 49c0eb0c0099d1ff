"""How people feel about an answer, and how long they wait for one. Pure: values in, values out.

A mood runs from -1 (furious) to 1 (delighted). The rules are monotone on purpose, and tested so: an
apology or a concrete step never makes it worse, and a slower answer never makes it better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum


class Mood(StrEnum):
    """A mood in a word: texts are written for these."""

    GLAD = "glad"
    CALM = "calm"
    UPSET = "upset"
    FURIOUS = "furious"


def mood_word(mood: float) -> Mood:
    """The word for a mood between -1 and 1."""
    if mood >= 0.4:
        return Mood.GLAD
    if mood >= -0.2:
        return Mood.CALM
    return Mood.UPSET if mood >= -0.65 else Mood.FURIOUS


class Sign(StrEnum):
    """Something an answer contains, found by the phrases of each language."""

    APOLOGY = "apology"
    STEP = "step"
    DATA = "data"
    PRIVATE = "private"
    THANKS = "thanks"
    STALL = "stall"
    DENIAL = "denial"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a person took from an answer."""

    signs: frozenset[Sign]
    copied: bool = False
    words: int = 0


@dataclass(frozen=True, slots=True)
class Temper:
    """Somebody's nature. ``patience_minutes`` is how long they wait before they ask again."""

    patience_minutes: float = 90.0
    warmth: float = 0.5
    openness: float = 0.5


class Reaction(StrEnum):
    """What somebody does after an answer."""

    THANKS = "thanks"
    WAITS = "waits"
    NOT_ENOUGH = "not_enough"
    WRITES_PRIVATELY = "writes_privately"
    GIVES_DATA = "gives_data"
    ANNOYED_BY_QUESTION = "annoyed_by_question"
    CALLS_IT_COPIED = "calls_it_copied"
    LEAVES = "leaves"


class Escalation(StrEnum):
    """What somebody does when no answer came."""

    ASKS_AGAIN = "asks_again"
    GOES_PUBLIC = "goes_public"
    LEAVES = "leaves"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reaction, the mood it leaves, and whether the matter is settled for this person."""

    reaction: Reaction
    mood: float
    settled: bool = False


_GAIN: Mapping[Sign, float] = {
    Sign.APOLOGY: 0.25,
    Sign.STEP: 0.5,
    Sign.THANKS: 0.1,
    Sign.PRIVATE: 0.1,
    Sign.STALL: 0.05,
    Sign.DENIAL: -0.35,
}
_SPACE = re.compile(r"\s+")
_NOT_WORDS = re.compile(r"@\w+|\d+|[^\w\s]")
FURIOUS_ENOUGH_TO_LEAVE = -0.95
WORDS_OF_AN_ANSWER = 4


def read_answer(text: str, phrases: Mapping[Sign, Sequence[str]], *, copied: bool = False) -> Heard:
    """What stands in an answer, by the phrases of every language (people read each other's)."""
    flat = f" {_SPACE.sub(' ', text.casefold())} "
    signs = {sign for sign, known in phrases.items() if any(phrase in flat for phrase in known)}
    return Heard(frozenset(signs), copied, words=len(flat.split()))


def fingerprint(text: str) -> str:
    """An answer without names, numbers and punctuation: two answers that look pasted are equal."""
    return _SPACE.sub(" ", _NOT_WORDS.sub(" ", text.casefold())).strip()


def mood_after(mood: float, heard: Heard, temper: Temper, *, waited_minutes: float, private: bool) -> float:
    """The mood an answer leaves."""
    changes = [_GAIN.get(sign, 0.0) for sign in heard.signs]
    if heard.copied:
        changes.append(-0.4)
    if Sign.DATA in heard.signs and Sign.PRIVATE not in heard.signs and not private:
        changes.append(-0.35)
    slowness = min(0.5, 0.2 * max(0.0, waited_minutes) / max(1.0, temper.patience_minutes))
    # fsum, because a set has no order and the same answer must leave the same mood.
    return _within(fsum([mood, *changes, -slowness, 0.1 * temper.warmth]))


def react(
    mood: float,
    heard: Heard,
    temper: Temper,
    *,
    severity: int,
    waited_minutes: float,
    private: bool,
    data_given: bool,
) -> Outcome:
    """What somebody does after an answer; ``severity`` is that of the matter, 0 (praise) to 3 (harm)."""
    after = mood_after(mood, heard, temper, waited_minutes=waited_minutes, private=private)
    if severity == 0:
        return Outcome(Reaction.THANKS if not heard.copied else Reaction.WAITS, after, settled=True)
    if after <= FURIOUS_ENOUGH_TO_LEAVE and Sign.STEP not in heard.signs:
        return Outcome(Reaction.LEAVES, after, settled=True)
    if heard.copied:
        return Outcome(Reaction.CALLS_IT_COPIED, after)
    asked = _asked_for_something(heard, after, private=private, data_given=data_given)
    return asked or _content(heard, after, severity)


def _asked_for_something(heard: Heard, mood: float, *, private: bool, data_given: bool) -> Outcome | None:
    if not private and Sign.PRIVATE in heard.signs:
        return Outcome(Reaction.WRITES_PRIVATELY, mood)
    if not private and Sign.DATA in heard.signs:
        return Outcome(Reaction.ANNOYED_BY_QUESTION, mood)
    if private and Sign.DATA in heard.signs and not data_given:
        return Outcome(Reaction.GIVES_DATA, mood)
    return None


def _content(heard: Heard, mood: float, severity: int) -> Outcome:
    """With harm done, a step without a word of regret is not enough while the anger lasts."""
    if Sign.STEP in heard.signs:
        cold = severity >= 3 and Sign.APOLOGY not in heard.signs and mood < 0
        return Outcome(Reaction.NOT_ENOUGH, mood) if cold else Outcome(Reaction.THANKS, mood, settled=True)
    if Sign.DENIAL in heard.signs:
        return Outcome(Reaction.NOT_ENOUGH, mood)
    if heard.signs & {Sign.APOLOGY, Sign.STALL}:
        return Outcome(Reaction.WAITS, mood)
    if severity <= 1 and heard.words >= WORDS_OF_AN_ANSWER:  # a plain answer to a plain question
        return Outcome(Reaction.THANKS, mood, settled=True)
    return Outcome(Reaction.NOT_ENOUGH, mood)


def patience_minutes(temper: Temper, severity: int, follow_ups: int) -> float:
    """How long somebody waits for an answer: less for a grave matter, and less each time."""
    urgency = (1.6, 1.0, 0.6, 0.35)[max(0, min(3, severity))]
    return max(2.0, temper.patience_minutes * urgency * 0.7 ** max(0, follow_ups))


def escalate(temper: Temper, severity: int, follow_ups: int, *, private: bool) -> Escalation:
    """What somebody does when nobody answered: asks, asks where all can see it, then leaves."""
    if severity == 0:
        return Escalation.LEAVES
    if follow_ups == 0:
        return Escalation.ASKS_AGAIN
    if private and follow_ups < 3 and (severity >= 2 or temper.openness >= 0.4):
        return Escalation.GOES_PUBLIC
    return Escalation.ASKS_AGAIN if follow_ups < 2 else Escalation.LEAVES


def mood_unanswered(mood: float, follow_ups: int) -> float:
    """The mood after waiting in vain once more."""
    return _within(mood - 0.3 - 0.1 * min(5, max(0, follow_ups)))


def _within(mood: float) -> float:
    return max(-1.0, min(1.0, mood))
