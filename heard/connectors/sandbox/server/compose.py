"""How a text is put together: matter x mood x manner, so that a hundred messages do not repeat."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from .moods import Mood, mood_word
from .texts_of import Texts

Slots = Mapping[str, str]
_SENTENCE_END = re.compile(r"(?<=[.!?…؟])\s+")
LONGEST = 480


class Manner(StrEnum):
    """How somebody writes."""

    PLAIN = "plain"
    HURRIED = "hurried"
    POLITE = "polite"
    CHATTY = "chatty"
    SHOUTING = "shouting"


_EMOJI: Mapping[Mood, Sequence[str]] = {
    Mood.GLAD: ("😊", "🙌", "❤️", "👏🏽"),
    Mood.CALM: ("🙂", "🤔", "🙏", ""),
    Mood.UPSET: ("🙄", "😕", "😤", "⏳"),
    Mood.FURIOUS: ("😡", "🤬", "💥", "👎"),
}
_MANNERS: Mapping[Mood, Sequence[Manner]] = {
    Mood.GLAD: (Manner.PLAIN, Manner.CHATTY, Manner.POLITE, Manner.HURRIED),
    Mood.CALM: (Manner.PLAIN, Manner.POLITE, Manner.HURRIED, Manner.CHATTY),
    Mood.UPSET: (Manner.PLAIN, Manner.HURRIED, Manner.CHATTY, Manner.SHOUTING),
    Mood.FURIOUS: (Manner.SHOUTING, Manner.HURRIED, Manner.PLAIN),
}


def draw_slots(rng: random.Random, known: Texts, full_name: str) -> dict[str, str]:
    """The particulars of one matter: they stay the same for as long as it is talked about."""
    slots = {name: rng.choice(values) for name, values in known.slots.items()}
    slots["days"] = str(rng.randint(3, 9))
    slots["amount"] = f"{rng.randint(9, 240)}.{rng.choice(['00', '50', '90', '95'])}"
    slots["order"] = f"NW-4{rng.randint(1000, 9999)}"
    slots["name"] = full_name.split(" ", maxsplit=1)[0]
    slots["full_name"] = full_name
    return slots


def fill(sentence: str, slots: Slots) -> str:
    """A sentence with its slots filled; slots may hold slots (a friend in a detail)."""
    for name, value in slots.items():
        sentence = sentence.replace("{" + name + "}", value)
    return sentence[:1].upper() + sentence[1:]


def _joined(parts: Sequence[str]) -> str:
    """Sentences one after the other; what follows “Hello,” or “but” goes on in small letters."""
    text = ""
    for part in parts:
        goes_on = text.endswith((",", "،")) or text[-1:].isalpha()
        first_person = part.startswith(("I ", "I'"))
        text += " " * bool(text) + (part[:1].lower() + part[1:] if goes_on and not first_person else part)
    return text


def opening(
    rng: random.Random, known: Texts, matter: str, mood: float, slots: Slots, *, remembered: str = ""
) -> str:
    """The first text of a matter. ``remembered`` names what it brings up of old (``good``, ``bad``)."""
    word = mood_word(mood)
    sentences = known.matters[matter]
    manner = rng.choice(_MANNERS[word])
    fact = fill(rng.choice(sentences.facts), slots)
    ask = fill(rng.choice(sentences.asks), slots)
    if matter == "spam":
        return f"{fact}. {ask} {rng.choice('👉💰🚀')}"
    parts = [_opener(rng, known, word, manner), fact]
    if remembered:
        parts.append(fill(rng.choice(known.reactions[f"remembers_{remembered}"]), slots))
    parts += [fill(detail, slots) for detail in rng.sample(list(known.details[word]), _details(rng, manner))]
    parts += [ask, _closer(rng, known, word, manner, slots)]
    return mannered(rng, _joined([part for part in parts if part]), manner, word)


def _opener(rng: random.Random, known: Texts, word: Mood, manner: Manner) -> str:
    if manner is Manner.HURRIED and rng.random() < 0.6:
        return ""
    return rng.choice(known.openers[word])


def _closer(rng: random.Random, known: Texts, word: Mood, manner: Manner, slots: Slots) -> str:
    if manner is not Manner.POLITE and rng.random() < 0.45:
        return ""
    return fill(rng.choice(known.closers[word]), slots)


def _details(rng: random.Random, manner: Manner) -> int:
    return {Manner.CHATTY: 2, Manner.HURRIED: 0}.get(manner, rng.choice((0, 1, 1)))


def mannered(rng: random.Random, text: str, manner: Manner, word: Mood) -> str:
    """The same words in somebody's manner, at most ``LONGEST`` characters."""
    if manner is Manner.HURRIED:
        text = text.lower().rstrip(".") if rng.random() < 0.7 else text.replace(". ", " … ")
    elif manner is Manner.SHOUTING:
        sentences = _SENTENCE_END.split(text)
        loud = rng.randrange(len(sentences))
        ending = "" if sentences[loud].endswith("?") else rng.choice(("!", "!!", "!!!"))
        sentences[loud] = sentences[loud].rstrip(".!").upper() + ending
        text = " ".join(sentences)
    elif manner is Manner.CHATTY:
        text = f"{text} {rng.choice(_EMOJI[word])}"
    return _shortened(text.strip())


def reaction_text(
    rng: random.Random, known: Texts, what: str, matter: str, *, mood: float, slots: Slots
) -> str:
    """What somebody says next: ``what`` names a list of the language's reactions."""
    word = mood_word(mood)
    still = fill(rng.choice(known.matters[matter].still), slots)
    text = fill(rng.choice(known.reactions[what]), {**slots, "still": still})
    if what in ("asks_again", "goes_public", "not_enough") and word is Mood.FURIOUS and rng.random() < 0.5:
        text = f"{rng.choice(known.openers[word])} {text}"
    manner = rng.choice((Manner.PLAIN, Manner.PLAIN, Manner.HURRIED, rng.choice(_MANNERS[word])))
    if what in ("writes_privately", "gives_data"):
        manner = Manner.PLAIN  # numbers and names are copied with care
    return mannered(rng, text, manner, word)


def addressed(rng: random.Random, text: str, handle: str) -> str:
    """The text with a mention of ``handle``, in front or behind."""
    return f"@{handle} {text}" if rng.random() < 0.75 else f"{text} @{handle}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"
