"""``heard hold …``: the switch from the terminal, for whoever runs the installation."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from heard.domains.channels import queries as channels
from heard.domains.organizations import queries as organizations
from heard.domains.outbox import actions, queries
from heard.foundation.errors import HeardError
from heard.foundation.tenancy import Actor, system

console = Console()
one_of_several = click.option(
    "--organization", "slug", help="Its short name; needed where there are several."
)


@click.group()
def hold() -> None:
    """Stop everything that leaves, and let it go again."""


@hold.command()
@one_of_several
@click.option("--reason", required=True, help="Why. Everybody in the company reads it, on every page.")
@click.option("--channel", "channel_id", type=int, help="Only this channel's id. Default: everything.")
def place(slug: str | None, reason: str, channel_id: int | None) -> None:
    """Stop all that leaves. When this returns, no sending starts any more."""
    actor = _actor(slug)
    try:
        placed = actions.place_hold(actor, reason=reason, channel_id=channel_id)
    except HeardError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Stopped (hold {placed.hold_id}). Nothing leaves any more.")
    if placed.in_flight:
        numbers = ", ".join(map(str, placed.in_flight))
        click.echo(f"Handed to a network before, may still arrive: outbound {numbers}.", err=True)


@hold.command("list")
@one_of_several
def list_holds(slug: str | None) -> None:
    """What is stopped, why, since when, and how much it keeps back."""
    actor = _actor(slug)
    found = queries.holds(actor)
    if not found:
        click.echo("Nothing is stopped.")
        return
    names = channels.channel_views(
        actor.organization_id, [line.channel_id for line in found if line.channel_id]
    )
    people = organizations.member_names(actor, [line.placed_by_id for line in found if line.placed_by_id])
    table = Table("Id", "What", "Why", "Stopped by", "Since", "Keeps back", "Release asked")
    for line in found:
        table.add_row(
            str(line.hold_id),
            names[line.channel_id].name if line.channel_id else "everything",
            line.reason,
            people.get(line.placed_by_id or 0, "the operator"),
            line.placed_at.strftime("%Y-%m-%d %H:%M UTC"),
            str(line.stopped),
            line.release_asked_at.strftime("%Y-%m-%d %H:%M UTC") if line.release_asked_at else "no",
        )
    console.print(table)


@hold.command()
@one_of_several
@click.argument("hold_id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask before the second step.")
def release(slug: str | None, hold_id: int, *, yes: bool) -> None:
    """Let go what hold HOLD_ID keeps back, in two steps."""
    actor = _actor(slug)
    try:
        actions.ask_release(actor, hold_id)
        kept = next((line.stopped for line in queries.holds(actor) if line.hold_id == hold_id), 0)
        if not yes:
            click.confirm(f"Release it, and send what it keeps back ({kept})", abort=True, err=True)
        actions.release_hold(actor, hold_id)
    except HeardError as error:
        raise click.ClickException(error.message) from error
    click.echo("Released. What was kept back leaves now.")


def _actor(slug: str | None) -> Actor:
    try:
        return system(organizations.chosen_organization(slug).id)
    except HeardError as error:
        raise click.ClickException(error.message) from error
