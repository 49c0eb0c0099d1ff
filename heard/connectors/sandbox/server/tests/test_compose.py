"""Texts: five languages of one shape, written for each, put together without repeating."""

import random
import re
import struct
import zlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.connectorkit.counting import count
from heard.connectors.sandbox.server.compose import draw_slots, opening, reaction_text
from heard.connectors.sandbox.server.drawing import draw_png
from heard.connectors.sandbox.server.matters import MATTERS, draw_matter
from heard.connectors.sandbox.server.moods import Mood
from heard.connectors.sandbox.server.people import draw_person
from heard.connectors.sandbox.server.posts import TEXT_LIMIT
from heard.connectors.sandbox.server.texts_of import LANGUAGES, texts

SEEDS = st.integers(0, 10_000)


def first_words(seed, matter=None):
    rng = random.Random(seed)
    person = draw_person(rng)
    known = texts(person.language)
    chosen = matter or draw_matter(rng).name
    slots = draw_slots(rng, known, person.name)
    return opening(rng, known, chosen, rng.uniform(-1, 1), slots)


def test_a_hundred_messages_do_not_repeat():
    for start in range(0, 1000, 100):
        said = [first_words(seed) for seed in range(start, start + 100)]
        assert len(set(said)) >= 99


def test_even_a_storm_about_one_thing_hardly_repeats():
    said = Counter(first_words(seed, "data_leak") for seed in range(300))
    assert len(said) > 290


def test_there_are_at_least_twelve_matters_in_five_languages():
    assert len(MATTERS) >= 12
    assert len(LANGUAGES) == 5
    for language in LANGUAGES:
        assert set(texts(language).matters) == set(MATTERS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_everything_in_its_own_words(language):
    """No sentence of a matter is the same as in another language, and none is left empty."""
    others = [texts(other) for other in LANGUAGES if other != language]
    for name, sentences in texts(language).matters.items():
        assert len(sentences.facts) >= 4
        assert len(sentences.asks) >= 3
        assert len(sentences.still) >= 2
        own = {*sentences.facts, *sentences.asks, *sentences.still}
        for other in others:
            their = other.matters[name]
            assert not own & {*their.facts, *their.asks, *their.still}
    for mood in Mood:
        assert len(texts(language).openers[mood]) >= 5


def test_arabic_is_written_in_arabic():
    said = " ".join(fact for matter in texts("ar").matters.values() for fact in matter.facts)
    letters = [letter for letter in re.sub(r"\{\w+\}|[a-zA-Z0-9.]+", "", said) if letter.isalpha()]
    assert all("\u0600" <= letter <= "\u06ff" for letter in letters)


@settings(deadline=None)
@given(SEEDS, st.sampled_from(sorted(MATTERS)))
def test_every_text_can_be_posted(seed, matter):
    said = first_words(seed, matter)
    assert said.strip()
    assert "{" not in said
    assert not count(f"@nordwind {said}", TEXT_LIMIT).over
    assert said == first_words(seed, matter), "the same seed says the same"


@settings(deadline=None)
@given(SEEDS, st.sampled_from(LANGUAGES), st.sampled_from(sorted(MATTERS)), st.floats(-1, 1))
def test_every_reaction_can_be_said_in_every_language(seed, language, matter, mood):
    rng = random.Random(seed)
    known = texts(language)
    slots = draw_slots(rng, known, "Anna Berg")
    for what in known.reactions:
        said = reaction_text(rng, known, what, matter, mood=mood, slots=slots)
        assert said.strip()
        assert "{" not in said


def test_numbers_are_given_as_they_are():
    known = texts("en")
    slots = {**draw_slots(random.Random(1), known, "Anna Berg"), "order": "NW-41234"}
    for seed in range(50):
        said = reaction_text(random.Random(seed), known, "gives_data", "refund", mood=-1.0, slots=slots)
        assert "NW-41234" in said


@given(SEEDS)
def test_everybody_has_a_handle_that_can_be_mentioned(seed):
    person = draw_person(random.Random(seed))
    assert re.fullmatch(r"[a-z0-9_]{3,28}", person.handle)
    assert person.language in LANGUAGES
    assert person.temper.patience_minutes > 0


def test_all_languages_are_spoken():
    heard = Counter(draw_person(random.Random(seed)).language for seed in range(400))
    assert set(heard) == set(LANGUAGES)
    assert min(heard.values()) > 15


def test_a_picture_is_a_picture():
    data = draw_png(random.Random(3))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (96, 96)
    packed = data[data.index(b"IDAT") + 4 : data.index(b"IEND") - 8]
    assert len(zlib.decompress(packed)) == 96 * (96 * 3 + 1)
    assert data != draw_png(random.Random(4))
