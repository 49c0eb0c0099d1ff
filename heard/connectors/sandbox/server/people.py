"""Who speaks: people with names, a language, a nature of their own and a handle."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from .moods import Temper
from .texts_of import texts

#: How often each language is heard.
_SPOKEN: Mapping[str, int] = {"en": 38, "de": 26, "es": 14, "fr": 12, "ar": 10}
_ARABIC_LETTERS = "ابتجحدذرزسصضطظعفقكلمنهويأإآةىئؤ"
_ARABIC = {
    **dict(zip(_ARABIC_LETTERS, "abtjhddrzssdtzafqklmnhwyaiaaayw", strict=True)),
    "ث": "th",
    "خ": "kh",
    "ش": "sh",
    "غ": "gh",
    "ء": "a",
}
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody before they have an account."""

    handle: str
    name: str
    language: str
    temper: Temper


def draw_person(rng: random.Random, language: str | None = None) -> Person:
    """Somebody new, all of it from ``rng``."""
    spoken = language or rng.choices(list(_SPOKEN), list(_SPOKEN.values()))[0]
    known = texts(spoken)
    given, family = rng.choice(known.given), rng.choice(known.family)
    temper = Temper(
        patience_minutes=round(rng.lognormvariate(4.2, 0.5), 1),
        warmth=round(rng.betavariate(3, 2), 2),
        openness=round(rng.betavariate(2, 2), 2),
    )
    handle = f"{_latin(given)}_{_latin(family)}{rng.choice(['', '', str(rng.randint(2, 99))])}"
    return Person(handle[:28], f"{given} {family}", spoken, temper)


def _latin(name: str) -> str:
    """A name as a handle: lower-case ASCII letters."""
    spelled = "".join(_ARABIC.get(letter, letter) for letter in name.lower().translate(_GERMAN))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalnum())
