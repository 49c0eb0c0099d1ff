"""What is served is what its sources make, and no heavier than promised."""

from __future__ import annotations

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from heard.ui import build

UI = Path(build.__file__).parent
HEARD = UI.parent
KIB = 1024
VENDORED = tomllib.loads((UI / "VENDORED.toml").read_text(encoding="utf-8"))["file"]


def compressed_bytes(*paths: Path) -> int:
    """What the files weigh on the wire, each compressed by itself."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_served_style_sheet_is_what_its_parts_make():
    assert (build.STATIC / "heard.css").read_text(encoding="utf-8") == build.style_sheet(), "run: make css"


def test_served_sprite_is_what_its_icons_make():
    assert (build.STATIC / "icons.svg").read_text(encoding="utf-8") == build.sprite(), "run: make css"


def test_every_part_is_in_the_style_sheet():
    # A part that the order of joining forgot would be written and never seen.
    assert {path.name for path in build.style_sources()} == {
        path.name for path in build.SOURCES.rglob("*.css")
    }


def test_squeezing_loses_no_rule():
    source = "\n".join(path.read_text(encoding="utf-8") for path in build.style_sources())
    bare = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    served = build.style_sheet().removeprefix(build.LAYERS)
    for mark in "{}":
        assert served.count(mark) == bare.count(mark)
    assert re.sub(r"[\s;]", "", served) == re.sub(r"[\s;]", "", bare)


@pytest.mark.parametrize(
    ("what", "names", "most_kib"),
    [
        ("style", ["heard.css"], 12),
        ("script", sorted(path.name for path in build.STATIC.glob("*.js")), 40),
        ("icons", ["icons.svg"], 8),
    ],
)
def test_first_visit_keeps_its_budget(what, names, most_kib):
    weight = compressed_bytes(*(build.STATIC / name for name in names))
    assert weight <= most_kib * KIB, f"{what} weighs {weight} bytes compressed"


def test_first_font_keeps_its_budget():
    # woff2 is compressed already.
    assert (build.STATIC / "fonts" / "inter-latin.woff2").stat().st_size <= 50 * KIB


@pytest.mark.parametrize("file", VENDORED, ids=lambda file: file["name"])
def test_file_of_others_is_as_it_came_with_its_licence(file):
    path = UI / file["path"]
    assert (UI / file["licence_file"]).read_text(encoding="utf-8").strip()
    if "sha256" in file:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
    else:  # drawn by build.py from the package: compared with it above
        assert path == build.STATIC / "icons.svg"


def test_no_file_of_others_is_unrecorded():
    fonts = {f"static/ui/fonts/{path.name}" for path in (build.STATIC / "fonts").glob("*.woff2")}
    minified = {f"static/ui/{path.name}" for path in build.STATIC.glob("*.min.js")}
    assert fonts | minified <= {file["path"] for file in VENDORED}


def test_every_asked_icon_is_in_the_sprite():
    known = set(build.icon_names())
    asked = re.compile(r"""\{%\s*icon\s+"([\w-]+)"|icon_name="([\w-]+)""")
    missing = {
        f"{path.relative_to(HEARD)}: {first or second}"
        for path in HEARD.rglob("*.html")
        for first, second in asked.findall(path.read_text(encoding="utf-8"))
        if (first or second) not in known
    }
    assert not missing


def test_every_icon_of_the_sprite_is_used():
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for pattern in ("*.html", "*.py")
        for path in HEARD.rglob(pattern)
        if "tests" not in path.parts
    )
    assert [name for name in build.icon_names() if f'"{name}"' not in sources] == []


def test_colours_are_named_in_one_file():
    # A colour written beside its use would not change with the scheme, nor be measured below.
    written = {
        f"{path.name}: {found}"
        for path in build.style_sources()
        if path.name != "tokens.css"
        for found in re.findall(r":[^;{]*(#[0-9a-fA-F]{3,8})\b", path.read_text(encoding="utf-8"))
    }
    assert written == set()


def test_every_used_token_exists():
    source = "\n".join(path.read_text(encoding="utf-8") for path in build.style_sources())
    defined = set(re.findall(r"(--[\w-]+)\s*:", source))
    assert set(re.findall(r"var\((--[\w-]+)", source)) - defined == set()
