"""``heard hold …``: the switch from the terminal, for whoever runs the installation."""

from __future__ import annotations

from datetime import datetime

import click

from heard.domains.channels import queries as channels
from heard.domains.organizations import queries as organizations
from heard.domains.outbox import actions, queries
from heard.foundation.errors import HeardError
from heard.foundation.tenancy import Actor, system

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
    # Lines and no table: a reason is a sentence, and no column is wide enough for all of them.
    for line in found:
        what = names[line.channel_id].name if line.channel_id else "everything"
        by = people.get(line.placed_by_id or 0, "the operator")
        asked = f"; release asked for at {_at(line.release_asked_at)}" if line.release_asked_at else ""
        click.echo(f"Hold {line.hold_id} stops {what}: {line.reason}")
        click.echo(f"    by {by} since {_at(line.placed_at)}; keeps back {line.stopped}{asked}")


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


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
