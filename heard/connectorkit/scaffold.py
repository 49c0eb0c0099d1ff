"""``make connector NAME=…``: a folder that passes the conformance suite at once, to be made true."""

from __future__ import annotations

import re
from pathlib import Path

import click

TEMPLATE = Path(__file__).parent / "templates" / "connector"
HOME = Path(__file__).parent.parent / "connectors"


class NotMade(ValueError):
    """The folder was not made; the message says why."""


def make_connector(name: str, home: Path = HOME) -> Path:
    """Write a new connector's folder and return it.

    ``name`` is the network for people or for machines (``Some Network`` or ``some_network``). Raises
    ``NotMade`` when it makes no folder name, or the folder is there.
    """
    network = re.sub(r"[\s-]+", "_", name.strip()).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,31}", network):
        raise NotMade(f"“{name}” makes no folder name: letters, digits and spaces, please.")
    folder = home / network
    if folder.exists():
        raise NotMade(f"{folder.name} is there already.")
    words = network.split("_")
    label = name.strip() if name.strip() != network else " ".join(word.capitalize() for word in words)
    filled = {"network": network, "Name": label, "Class": "".join(word.capitalize() for word in words)}
    for source in sorted(TEMPLATE.rglob("*")):
        if source.is_file():
            goal = folder / source.relative_to(TEMPLATE)
            goal = goal.with_suffix("") if goal.name.endswith(".py.txt") else goal
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.write_text(_fill(source.read_text(encoding="utf-8"), filled), encoding="utf-8")
    return folder


def _fill(text: str, filled: dict[str, str]) -> str:
    return re.sub(r"@@(\w+?)@@", lambda match: filled[match.group(1)], text)


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Make the folder of a new connector."""
    try:
        folder = make_connector(name)
    except NotMade as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"heard/connectors/{folder.name}/ is there and passes; now make it true.")


if __name__ == "__main__":
    main()
