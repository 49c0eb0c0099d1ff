"""``python -m heard.config.reference``: writes the pages of ``docs/reference`` that code can tell.

Settings, commands, facts and connectors are read from where they are declared, so the pages cannot
say anything else; ``--check`` (and a test) exits 1 and names the pages that are stale.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import click

from heard.config import options
from heard.connectorkit import registry
from heard.connectorkit.manifest import Budget, Field, Manifest
from heard.connectorkit.protocol import Connector
from heard.connectorkit.quality import RULES, Standing, read_quality

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
HOME = Path(__file__).resolve().parents[1]
_WORDS = {
    "commands": (
        "Every command takes `--data DIR`, the folder of an embedded installation (default `./var`), and "
        "`--help`. It ends with 0 when all is well, with 1 when it is not, with 2 when misunderstood."
    ),
    "facts": (
        "The journal's entries, by the room that announces them. A fact holds ids, kinds and small values "
        "only: never what somebody said."
    ),
    "connectors": (
        "What each connector asks for, keeps to, has met, and still lacks. Connectors of other packages "
        "describe themselves."
    ),
}
_NOTE = "<!-- Written by `make docs`; change the code that it is read from. -->\n"


def _opening(name: str) -> str:
    return f"# {name.capitalize()}\n\n{_NOTE}\n{_WORDS[name]}\n"


def _cell(text: object) -> str:
    """One line of a table's cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def _sentence(doc: str | None) -> str:
    """The first paragraph of a docstring on one line."""
    return _cell(inspect.cleandoc(doc or "").replace("\b", "").split("\n\n")[0].replace("``", "`"))


def _table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """Every environment variable an operator can give."""
    rows: list[tuple[object, ...]] = [
        (
            f"`{option.name}`",
            f"`{option.default}`" if option.default else "empty",
            option.help + (" *A secret.*" if option.secret else ""),
        )
        for option in options.OPTIONS
    ]
    return (
        f"# Settings\n\n{_NOTE}\n"
        "Heard is set up by environment variables; each process of an installation gets the same ones. "
        "A secret never stands in a log.\n\n" + _table(("variable", "default", "meaning"), rows)
    )


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command, info_name=path)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield from _walk(found, f"{path} {name}")


def _usage(path: str, command: click.Command) -> str:
    arguments = [found for found in command.params if isinstance(found, click.Argument)]
    words = [one.human_readable_name if one.required else f"[{one.human_readable_name}]" for one in arguments]
    return " ".join([path, *words])


def _option_row(found: click.Option) -> tuple[object, ...]:
    names = ", ".join(f"`{name}`" for name in [*found.opts, *found.secondary_opts])
    plain = isinstance(found.default, str | int | float) and not isinstance(found.default, bool)
    default = f" Default: `{found.default}`." if plain and found.default != "" else ""
    needed = " *Needed.*" if found.required else ""
    return names, (found.help or "") + default + needed


def commands() -> str:
    """Every ``heard`` command with its options."""
    from heard.config.cli import cli

    parts = [_opening("commands")]
    for path, command in _walk(cli, "heard"):
        text = inspect.cleandoc(command.help or "").replace("``", "`").replace("\b\n", "")
        parts.append(f"## {path}\n\n    {_usage(path, command)}\n\n{text}\n")
        shown = [found for found in command.params if isinstance(found, click.Option) and not found.hidden]
        rows = [_option_row(found) for found in shown]
        if rows:
            parts.append(_table(("option", "meaning"), rows))
    return "\n".join(parts)


def facts() -> str:
    """Every kind of fact the journal can hold."""
    from heard.domains.journal.facts import kinds

    parts = [_opening("facts")]
    by_room: dict[str, list[tuple[object, ...]]] = {}
    for kind, fact in kinds().items():
        if not fact.__module__.startswith("heard.domains.") or ".tests" in fact.__module__:
            continue
        values = ", ".join(f"`{field.name}`" for field in fields(fact))
        by_room.setdefault(kind.partition(".")[0], []).append((f"`{kind}`", _sentence(fact.__doc__), values))
    for room, rows in by_room.items():
        parts.append(f"## {room}\n\n" + _table(("fact", "meaning", "values"), rows))
    return "\n".join(parts)


def _budget(budget: Budget) -> str:
    return f"{budget.amount:,} {budget.unit} in {budget.per_seconds:,} seconds ({budget.name})"


def _asked(field: Field) -> tuple[object, ...]:
    traits = [field.kind.value]
    traits += ["optional"] if not field.required else []
    traits += ["advanced"] if field.advanced else []
    return field.label, ", ".join(traits), field.help


def _about(manifest: Manifest) -> Iterator[str]:
    terms = manifest.terms
    uses = (("train", terms.may_train), ("embed", terms.may_embed), ("profile", terms.may_profile))
    yield f"- Looks every {manifest.poll_seconds} seconds where nothing is streamed."
    keyed = (
        "A second send with the same key is harmless" if manifest.takes_key else "The network takes no key"
    )
    lifetime = manifest.key_lifetime_seconds
    yield f"- {keyed}" + (f" for {lifetime:,} seconds." if manifest.takes_key and lifetime else ".")
    if manifest.budgets:
        yield "- Budgets: " + "; ".join(map(_budget, manifest.budgets)) + "."
    yield "- Its terms let us " + ", ".join(f"{name}: {'yes' if may else 'no'}" for name, may in uses) + "."
    if terms.delete_within_hours is not None:
        yield f"- A deletion there is followed within {terms.delete_within_hours} hours."
    if terms.note:
        yield f"- {terms.note}"
    yield f"- Tried against: {manifest.met_real_service or 'nothing but its own fixtures.'}"


def _connector(folder: Path, connector: Connector) -> str:
    manifest = connector.manifest
    parts = [f"## {manifest.name}\n\n{manifest.summary}\n"]
    if manifest.fields:
        rows = [_asked(field) for field in manifest.fields]
        parts.append(_table(("asked for", "kind", "help"), rows))
    parts.append("\n".join(_about(manifest)) + "\n")
    answers = read_quality(folder / "quality.toml")
    open_ones = [
        (RULES.get(name, name), rule.standing.value, rule.reason)
        for name, rule in answers.items()
        if rule.standing is not Standing.DONE
    ]
    done = sum(rule.standing is Standing.DONE for rule in answers.values())
    left = "; these are not:" if open_ones else "."
    parts.append(f"{done} of {len(answers)} rules of quality are done{left}\n")
    if open_ones:
        parts.append(_table(("not done", "standing", "why"), open_ones))
    return "\n".join(parts)


def connectors() -> str:
    """Every network of this repository, and where its connector stands with the quality rules."""
    found = {
        network: connector
        for network, connector in registry.connectors().items()
        if (HOME / "connectors" / network / "quality.toml").exists()
    }
    parts = [_opening("connectors")]
    parts += [_connector(HOME / "connectors" / network, found[network]) for network in sorted(found)]
    return "\n".join(parts)


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "commands.md": commands,
    "facts.md": facts,
    "connectors.md": connectors,
}


def stale() -> dict[str, str]:
    """Pages whose file says something else than the code: name -> the text it should have."""
    wanted = {name: write() for name, write in PAGES.items()}
    return {
        name: text
        for name, text in wanted.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    }


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a page is stale.")
def main(*, check: bool) -> None:
    """Write the generated reference anew."""
    from heard.config import startup

    startup.start()
    changed = stale()
    for name, text in changed.items():
        if check:
            click.echo(f"docs/reference/{name} is stale: run make docs.", err=True)
        else:
            (FOLDER / name).write_text(text, encoding="utf-8")
            click.echo(f"docs/reference/{name}")
    sys.exit(1 if check and changed else 0)


if __name__ == "__main__":
    main()
