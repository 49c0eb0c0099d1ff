"""What people say in each language: data files, read once and checked to be of one shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .moods import Mood, Sign

LANGUAGES = ("en", "de", "es", "fr", "ar")


@dataclass(frozen=True, slots=True)
class MatterTexts:
    """The sentences of one matter: what happened, what is asked, what is said again later."""

    facts: Sequence[str]
    asks: Sequence[str]
    still: Sequence[str]


@dataclass(frozen=True, slots=True)
class Texts:
    """Everything people say in one language. Sentences hold slots in braces."""

    language: str
    given: Sequence[str]
    family: Sequence[str]
    slots: Mapping[str, Sequence[str]]
    openers: Mapping[Mood, Sequence[str]]
    details: Mapping[Mood, Sequence[str]]
    closers: Mapping[Mood, Sequence[str]]
    matters: Mapping[str, MatterTexts]
    reactions: Mapping[str, Sequence[str]]
    alt: Sequence[str]
    signs: Mapping[Sign, Sequence[str]]


@cache
def texts(language: str) -> Texts:
    """The texts of a language, English for one that we do not speak."""
    known = language if language in LANGUAGES else "en"
    file = resources.files(__package__).joinpath("texts", f"{known}.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    return Texts(
        language=known,
        given=data["names"]["given"],
        family=data["names"]["family"],
        slots=data["slots"],
        openers={mood: data["openers"][mood] for mood in Mood},
        details={mood: data["details"][mood] for mood in Mood},
        closers={mood: data["closers"][mood] for mood in Mood},
        matters={name: MatterTexts(**sentences) for name, sentences in data["matters"].items()},
        reactions=data["reactions"],
        alt=data["alt"],
        signs={sign: [phrase.casefold() for phrase in data["signs"][sign]] for sign in Sign},
    )


@cache
def all_signs() -> Mapping[Sign, Sequence[str]]:
    """The phrases of all languages together: a company may answer in another one."""
    return {sign: [phrase for name in LANGUAGES for phrase in texts(name).signs[sign]] for sign in Sign}
