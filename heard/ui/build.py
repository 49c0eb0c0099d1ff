"""Builds what the page is served: one style sheet from its parts, one sprite from its icons.

``python -m heard.ui.build`` (``make css``) writes both; the tests compare what is served with what
these functions return, so neither can go stale.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import click

HERE = Path(__file__).parent
STATIC = HERE / "static" / "ui"
SOURCES = HERE / "css"
LAYERS = "@layer reset, tokens, base, shell, parts, util;"
FIRST = ("fonts.css", "reset.css", "tokens.css", "base.css")
# Narrow screens last: they take back what the others give.
SHELL = ("shell/frame.css", "shell/inbox.css", "shell/pages.css", "shell/narrow.css")
LAST = ("adaptations.css",)
SVG = "{http://www.w3.org/2000/svg}"


def style_sources() -> list[Path]:
    """The source files in the order they are joined: the floor first, parts by name, adaptations last."""
    parts = sorted((SOURCES / "parts").glob("*.css"))
    return [*(SOURCES / name for name in (*FIRST, *SHELL)), *parts, *(SOURCES / name for name in LAST)]


def style_sheet() -> str:
    """The served style sheet: the parts joined, without comments and indentation."""
    joined = "\n".join(path.read_text(encoding="utf-8") for path in style_sources())
    bare = re.sub(r"/\*.*?\*/", "", joined, flags=re.DOTALL)
    blocks = [_squeezed(block) for block in re.split(r"\n\n(?=[@:.\w])", bare)]
    return LAYERS + "\n" + "\n".join(block for block in blocks if block) + "\n"


def _squeezed(block: str) -> str:
    """One block on one line. Only white space that cannot mean anything goes: our own style is regular."""
    line = " ".join(block.split())
    for wide in (": ", " {", "{ ", "; ", "} ", ", ", " > "):
        narrow = wide.strip()
        line = line.replace(wide, narrow)
    return line.replace(";}", "}")


def icon_names() -> list[str]:
    """The icons of the sprite, as ``icons.toml`` lists them."""
    listed = tomllib.loads((HERE / "icons.toml").read_text(encoding="utf-8"))
    return sorted(listed["lucide"])


def network_names() -> list[str]:
    """The networks that have a mark of their own in the sprite; others show a globe."""
    return sorted(path.stem for path in (HERE / "marks").glob("*.svg"))


def _lucide_shapes(name: str) -> str:
    from lucide import _load_icon  # a dependency of development: the sprite itself is committed

    icon = _load_icon(name)
    return "".join(_shape(child) for child in icon)


def _shape(element: ET.Element) -> str:
    tag = str(element.tag.text if isinstance(element.tag, ET.QName) else element.tag)
    attributes = "".join(f' {key}="{value}"' for key, value in element.attrib.items())
    return f"<{tag.removeprefix(SVG)}{attributes}/>"


def _mark_shapes(path: Path) -> str:
    return "".join(_shape(child) for child in ET.parse(path).getroot())  # noqa: S314  # our own files


def sprite() -> str:
    """The served sprite: a ``<symbol>`` for every icon, and ``network-<name>`` for every mark."""
    icons = [
        f'<symbol id="{name}" viewBox="0 0 24 24">{_lucide_shapes(name)}</symbol>' for name in icon_names()
    ]
    marks = [
        f'<symbol id="network-{path.stem}" viewBox="0 0 16 16">{_mark_shapes(path)}</symbol>'
        for path in sorted((HERE / "marks").glob("*.svg"))
    ]
    body = "\n".join([*icons, *marks])
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'


@click.command()
def main() -> None:
    """Write the style sheet and the sprite."""
    for path, text in ((STATIC / "heard.css", style_sheet()), (STATIC / "icons.svg", sprite())):
        path.write_text(text, encoding="utf-8")
        click.echo(f"{path.relative_to(HERE.parent.parent)}: {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
