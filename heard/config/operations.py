"""Commands of whoever runs Heard: ``heard doctor`` and its neighbours."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from heard.config import options
from heard.config.doctor.findings import count_of, size_of

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


@contextmanager
def _told() -> Iterator[Callable[[str, int, int], None]]:
    """A bar that follows (what, how much, of how much); what goes wrong ends the command with a word."""
    from heard.config.backup import BackupProblem

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=1)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=max(total, 1))

        try:
            yield tell
        except BackupProblem as problem:
            raise click.ClickException(problem.message) from problem


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write databases, keys and files into FILE, while Heard runs.

    FILE opens every channel: keep it as safe as the passwords in it. It needs about the size of the
    databases as scratch space beside it.
    """
    from heard.config.backup import make

    with _told() as tell:
        made = make(file.resolve(), tell)
    click.echo(
        f"{made.path}: {size_of(made.size_bytes)}, "
        f"{count_of(made.rows, 'row')}, {count_of(made.files, 'file')}."
    )
    for sentence in made.left_out:
        click.echo(f"Not in it: {sentence}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Set aside (SQLite) or replace (PostgreSQL) what is there.")
@click.option("--only-files-and-rows", is_flag=True, help="Do not migrate, and do not verify the journal.")
def restore(file: Path, *, force: bool, only_files_and_rows: bool) -> None:
    """Put the backup FILE in place; every file and count is compared before anything changes.

    Stop Heard first. Afterwards the databases are brought to this version, and the journal is verified.
    """
    from heard.config.backup import restore as put_back

    with _told() as tell:
        done = put_back(file.resolve(), tell, force=force)
    held = f"{count_of(done.rows, 'row')} and {count_of(done.files, 'file')}"
    click.echo(f"Restored {held}, as they were at {done.made_at}.")
    if options.S3.value:
        click.echo("Files are in the S3 store (HEARD_S3), not in the backup: see that its bucket has them.")
    if done.set_aside:
        click.echo(f"What was there before is in {done.set_aside}; remove it when all is well.")
    if not only_files_and_rows and not _brought_up():
        sys.exit(1)


def _brought_up() -> bool:
    """Migrate what was restored and verify its journal; false when that does not hold."""
    from heard.config import prepare, startup

    startup.start()
    from heard.domains.journal import queries as journal

    prepare.databases()
    verdicts = [journal.verify(organization_id) for organization_id in journal.recorded()]
    for verdict in verdicts:
        said = "holds" if verdict.holds else f"BROKEN at entry {verdict.position}: {verdict.problem}"
        click.echo(f"Journal of organization {verdict.organization_id}: {verdict.entries:,} entries: {said}")
    return all(verdict.holds for verdict in verdicts)


@click.command()
@click.option("--rehearse", "rehearse_only", is_flag=True, help="On a copy, which is removed afterwards.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the copy is made. Default: the system's folder for temporary files.",
)
def upgrade(*, rehearse_only: bool, folder: Path | None) -> None:
    """Bring the databases to this version of Heard; with --rehearse try it on a copy first.

    The rehearsal changes nothing. It says what is missing, how long it takes, and what is wrong then.
    """
    if not rehearse_only:
        from heard.config import prepare, startup

        startup.start()
        prepare.databases()
        click.echo("The databases are at this version.")
        return
    from heard.config.backup import rehearse

    with _told() as tell:
        found = rehearse(tell, folder)
    click.echo(f"Backup: {size_of(found.size_bytes)} in {found.backup_seconds:.1f} s")
    click.echo(f"Restore: {found.restore_seconds:.1f} s")
    click.echo(f"Changes: {len(found.missing)} in {found.migrate_seconds:.1f} s {' '.join(found.missing)}")
    for line in found.journal:
        click.echo(f"Journal: {line}")
    for sentence in found.wrong:
        click.echo(f"Wrong: {sentence}")
    click.echo("The upgrade can be made." if not found.wrong else "Do not upgrade yet.")
    sys.exit(1 if found.wrong else 0)


@click.command()
@click.option("--to", "target", required=True, help="postgresql://user@host:port/name of an empty database.")
def move(target: str) -> None:
    """Copy an embedded installation from SQLite to PostgreSQL, and compare both.

    Stop Heard first. The SQLite files are left as they are; keys and files stay in the data folder. A
    password may stand in the address, in PGPASSWORD, or in ~/.pgpass.
    """
    from heard.config.move import move as copy_over

    with _told() as tell:
        done = copy_over(target, tell)
    table = Table("table", "rows", box=None)
    for name, count in done.rows.items():
        if count:
            table.add_row(name, f"{count:,}")
    Console().print(table)
    click.echo(f"{sum(done.rows.values()):,} rows in {len(done.rows)} tables are the same on both sides.")
    for line in done.journal:
        click.echo(f"Journal: {line}")
    click.echo("From now on start Heard with HEARD_DATABASE_URL set to that address.")


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="How long to measure.")
def sizing(*, seconds: float) -> None:
    """Measure this machine for a few seconds, and say what it can take.

    Writes a scratch file into the data folder, and removes it.
    """
    from heard.config import options
    from heard.config.sizing import advise, measure

    folder = options.data_folder()
    if not folder.is_dir():
        raise click.ClickException(f"There is no data folder {folder}. Name it with --data.")
    figures = Path("benchmarks/RESULTS.json")
    kept = json.loads(figures.read_text()) if figures.exists() else None
    with console.status("Measuring…"):
        measured = measure(folder, seconds)
    click.echo(
        f"Measured: {measured.commits_per_second:,.0f} commits a second, "
        f"{measured.rows_per_second:,.0f} rows a second in batches, {measured.cores} cores."
    )
    for sentence in advise(measured, kept).sentences:
        click.echo(sentence)


COMMANDS: list[click.Command] = [doctor, backup, restore, upgrade, move, sizing]
