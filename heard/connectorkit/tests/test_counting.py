"""The composer counts as the network counts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard.connectorkit.counting import Count, count
from heard.connectorkit.vocabulary import TextLimit, TextUnit

MASTODON = TextLimit(500, url_cost=23, mention_local_only=True)
BLUESKY = TextLimit(300, maximum_bytes=3000)
FAMILY = "👨‍👩‍👧‍👦"


def used(text, limit=MASTODON):
    return count(text, limit).used


def test_three_hundred_families_are_too_many_bytes_for_bluesky():
    """Vector T5: 300 graphemes of 25 bytes are within the limit of graphemes and over that of bytes."""
    counted = count(FAMILY * 300, BLUESKY)
    assert counted == Count(used=300, maximum=300, over=True, used_bytes=7500)
    assert not count("a" * 300, BLUESKY).over


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Hello", 5),
        ("e\u0301", 1),
        ("\r\n", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩🇪🇫", 2),
        ("🙋🏽👨‍🎤", 2),
        ("see https://nordwind.example/a/very/long/way/to/say/a/short/thing?x=1#y now", 4 + 23 + 4),
        ("(https://nordwind.example/a).", 26),
        ("https://en.example/wiki/Ship_(disambiguation)", 23),
        ("http://nowhere", 14),
        ("nothttps://a.example", 20),
        ("@anna@social.example hello", 11),
        ("@anna hello", 11),
        ("write to anna@social.example", 28),
        ("@anna.b@social.example.", 8),
    ],
)
def test_as_mastodon_counts(text, length):
    assert used(text) == length


def test_over_begins_one_past_the_limit():
    assert not count("a" * 500, MASTODON).over
    assert count("a" * 501, MASTODON).over
    assert count("a" * 501, MASTODON).left == -1


def test_units_differ():
    def by(unit):
        return used(FAMILY, TextLimit(10, unit))

    assert [by(unit) for unit in TextUnit] == [1, 7, 11, 25]


@pytest.mark.parametrize(
    "text",
    [
        "e" + "\u0301" * 65_536,
        "\u0301" * 65_536,
        "🇩🇪" * 16_384,
        FAMILY * 2_600,
        "\u200d" * 65_536,
        "\u1100" * 65_536,
        "https://" * 8_192,
        "@a" * 32_768,
        "@a@b." * 13_000,
        "@" + "a-" * 32_768 + "@",
        "https://x.y" + "(" * 65_536,
        "https://x.y/" + ")" * 65_536,
        "\ud800" * 65_536,
    ],
    ids=range(13),
)
def test_no_text_of_64_kib_takes_long(text):
    start = time.process_time()  # ours alone: a busy machine is no bug
    count(text, MASTODON)
    assert time.process_time() - start < 0.5


@given(st.text(), st.text())
def test_a_line_between_two_texts_adds_up(one, other):
    """Nothing joins over a line break, so the counts of the parts are the count of the whole."""
    assert used(f"{one}\n\n{other}") == used(f"{one}\n") + used(f"\n{other}")


@given(st.text(), st.sampled_from(TextUnit))
def test_used_is_never_more_than_the_bytes(text, unit):
    counted = count(text, TextLimit(10, unit))
    assert 0 <= counted.used <= counted.used_bytes
    assert counted.over == (counted.used > 10)


@given(st.text(alphabet="abc 🇩é", max_size=40), st.text(alphabet="abcdef/?=&", max_size=60))
def test_every_url_costs_the_same(before, path):
    assert used(f"{before} https://a.example/{path}z") == used(f"{before} ") + 23
