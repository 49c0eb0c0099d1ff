"""Everybody can read it: WCAG 2.2 contrast of the pairs that the style sheet puts together, both schemes."""

from __future__ import annotations

import re

import pytest

from heard.ui import build

TEXT, CONTROL = 4.5, 3.0
TOKENS = dict(
    re.findall(
        r"(--[\w-]+):\s*([^;]+);",
        (build.SOURCES / "tokens.css").read_text(encoding="utf-8").split("@media")[0],
    )
)
PAIRS = [
    *(
        ("ink", ground, TEXT)
        for ground in ("canvas", "surface", "sunken", "raised", "selected", "note", "accent-soft")
    ),
    *(
        ("ink-2", ground, TEXT)
        for ground in ("canvas", "surface", "sunken", "raised", "selected", "note", "accent-soft")
    ),
    *(("ink-3", ground, TEXT) for ground in ("canvas", "surface", "sunken", "raised", "selected")),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    *(
        ("accent-text", ground, TEXT)
        for ground in ("canvas", "surface", "sunken", "raised", "selected", "accent-soft")
    ),
    *((state, f"{state}-soft", TEXT) for state in ("good", "warning", "danger", "info")),
    *((state, "surface", TEXT) for state in ("good", "warning", "danger", "info")),
    ("on-danger", "danger", TEXT),
    ("note-tag-ink", "note-tag", TEXT),
    ("on-inverse", "inverse", TEXT),
    ("on-inverse-2", "inverse", TEXT),
    ("inverse-link", "inverse", TEXT),
    *((f"tint-{n}-ink", f"tint-{n}", TEXT) for n in range(6)),
    *((f"chart-{n}", "surface", TEXT) for n in range(1, 7)),
    ("control", "surface", CONTROL),
    ("control", "canvas", CONTROL),
    ("note-control", "note", CONTROL),
    *((f"network-{name}", "surface", CONTROL) for name in build.network_names()),
]


def colours(token: str) -> tuple[str, str]:
    """(light, dark) of a token, as six hexadecimal digits."""
    found = re.findall(r"#([0-9a-f]{6})", TOKENS[f"--{token}"])
    return (found[0], found[-1])


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_knows_black_from_white():
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS, ids=str)
def test_pair_can_be_read(ink, ground, least, scheme):
    assert contrast(colours(ink)[scheme], colours(ground)[scheme]) >= least
