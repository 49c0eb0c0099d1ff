"""Commands of whoever runs Heard: ``heard doctor`` and its neighbours."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

# What people read goes to standard error where standard output is for scripts.
console = Console(stderr=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts: a list of findings on standard output.")
def doctor(*, as_json: bool) -> None:
    """Say what is wrong with this installation, and what to do.

    Exit 0 when nothing is wrong, else 1. Changes nothing.
    """
    from heard.config.doctor import Level, examine

    findings = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        styles = {Level.FINE: "green", Level.LOOK: "yellow", Level.WRONG: "bold red"}
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for finding in findings:
            table.add_row(Text(finding.level.value, styles[finding.level]), Text(finding.title))
            if finding.what_to_do:
                table.add_row("", Text(f"→ {finding.what_to_do}", "bold"))
        Console().print(table)
    sys.exit(1 if any(finding.level is Level.WRONG for finding in findings) else 0)


COMMANDS: list[click.Command] = [doctor]
