"""Plain text of strangers: stored whole, shown calmly, previewed on one line."""

from __future__ import annotations

import time

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from heard.foundation.sanitize import clean_text, one_line, storable_text

BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
wild = st.text(
    alphabet=st.sampled_from(
        "ab \n\x00\u0301\u0489\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2029שא👍\ud83d"
    )
    | st.characters(),
    max_size=60,
)


@given(wild)
def test_what_is_stored_can_be_stored_and_loses_nothing_else(text):
    stored = storable_text(text)
    assert "\x00" not in stored
    stored.encode("utf-8")
    assert storable_text(stored) == stored
    if "\x00" not in text and not regex.search("[\ud800-\udfff]", text):
        assert stored == text


@given(wild)
def test_no_line_turns_its_neighbours(text):
    shown = clean_text(text)
    for line in regex.split("[\n\r\x1c-\x1e\x85\u2029]", shown):
        expected = []
        for char in line:
            if char in "\u202a\u202b\u202d\u202e":
                expected.append("\u202c")
            elif char in "\u2066\u2067\u2068":
                expected.append("\u2069")
            elif char in "\u202c\u2069":
                assert expected
                assert expected.pop() == char
        assert expected == []
        if BIDI & set(line):
            assert (line[0], line[-1]) == ("\u2068", "\u2069")


@given(wild)
def test_showing_changes_nothing_but_marks_and_directions(text):
    shown = clean_text(text)
    assert clean_text(shown) == shown

    def bare(value):
        return regex.sub(r"[\p{Mn}\p{Me}\u202a-\u202e\u2066-\u2069]", "", storable_text(value))

    assert bare(shown) == bare(text)
    assert not regex.search(r"[\p{Mn}\p{Me}]{9}", shown)


@pytest.mark.parametrize(
    "text",
    ["Tiếng Việt", "שָׁלוֹם", "हिन्दी", "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "العربية", "e\u0301", "ไม่ใช่", "བོད་ཡིག", "12 < 13\n\n x"],
)
def test_languages_are_left_as_they_are(text):
    assert clean_text(text) == text
    assert storable_text(text) == text
    assert one_line(text) == " ".join(text.split())


def test_an_override_is_closed_where_its_line_ends():
    assert clean_text("a\u202eb\nc") == "\u2068a\u202eb\u202c\u2069\nc"
    assert clean_text("\u2069\u202cplain") == "plain"


@given(wild, st.integers(1, 20))
def test_a_preview_is_one_short_visible_line(text, maximum):
    line = one_line(text, maximum)
    assert len(regex.findall(r"\X", line)) <= maximum
    assert not BIDI & set(line)
    assert line == line.strip()
    assert not regex.search(r"\s\s|[\n\r\t\x00-\x1f\x7f-\x9f\u2028\u2029]", line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n\n b\t c ", "a b c"),
        ("inv\u202egpj.exe", "invgpj.exe"),
        ("a\u200bb\ufeff\u2060", "ab"),
        ("\u3164\u2800 \u200b", ""),
        ("12345678901", "123456789…"),
        ("1234567890", "1234567890"),
        ("👨‍👩‍👧👨‍👩‍👧", "👨‍👩‍👧👨‍👩‍👧"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿 \U000e0041\U000e0042", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_previews(text, line):
    assert one_line(text, 10) == line


def test_a_line_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        one_line("x", 0)


@pytest.mark.parametrize(
    "text",
    [
        "e" + "\u0301" * 65_536,
        "\u202e" * 500_000,
        "\u202e\u2069\n" * 200_000,
        "👩‍" * 300_000,
        "\x00" * 500_000,
    ],
)
def test_hostile_text_takes_no_time(text):
    started = time.process_time()
    clean_text(text)
    one_line(text)
    assert time.process_time() - started < 4
