"""``heard journal …``"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from heard.domains.journal import queries
from heard.domains.journal.rules import Checkpoint

console = Console(stderr=True)


@click.group()
def journal() -> None:
    """The tamper-evident record of who did what, when, to what."""


@journal.command()
@click.option("--organization", type=int, help="Only this organization's id. Default: all.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint exported earlier: catches a truncated end.",
)
def verify(organization: int | None, checkpoint_file: Path | None) -> None:
    """Walk the chain; exit 0 when every entry fits, 1 naming the first that does not."""
    promise = None
    if checkpoint_file:
        try:
            promise = Checkpoint.from_json(checkpoint_file.read_text())
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    wanted = (
        [organization]
        if organization
        else (queries.recorded() if promise is None else [promise.organization_id])
    )
    failed = False
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        for organization_id in wanted:
            progress.add_task(f"Organization {organization_id}", total=None)
            fits = promise if promise and promise.organization_id == organization_id else None
            verdict = queries.verify(organization_id, fits)
            failed = failed or not verdict.holds
            state = "holds" if verdict.holds else f"BROKEN at entry {verdict.position}: {verdict.problem}"
            # Behind a break nothing was looked at: how much of it is sealed is not known.
            waiting = f", {verdict.unsealed} not sealed yet" if verdict.unsealed and verdict.holds else ""
            click.echo(f"organization {organization_id}: {verdict.entries} entries{waiting}: {state}")
    if not wanted:
        click.echo("The journal is empty: 0 entries, holds.")
    sys.exit(1 if failed else 0)


@journal.command()
@click.option("--organization", type=int, help="Needed where there are several.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of printing."
)
def checkpoint(organization: int | None, output: Path | None) -> None:
    """Export the chain's end as one line, to be kept somewhere else."""
    found = queries.chains()
    if organization is None:
        if len(found) != 1:
            raise click.ClickException("Name one with --organization: " + ", ".join(map(str, found)) + ".")
        organization = found[0]
    line = queries.checkpoint(organization).as_json()
    if output:
        output.write_text(line + "\n")
    else:
        click.echo(line)
