"""``heard member …`` and ``heard organization …``"""

from __future__ import annotations

import click
from django.conf import settings
from rich.console import Console
from rich.table import Table

from heard.domains.organizations import actions, queries
from heard.domains.organizations.queries import OrganizationLine
from heard.foundation.errors import HeardError
from heard.foundation.tenancy import system

console = Console()


@click.group()
def member() -> None:
    """The people who work here."""


@member.command("reset")
@click.argument("email")
@click.option(
    "--without-second-factor",
    is_flag=True,
    help="Also drop their authenticator app, passkeys and recovery codes.",
)
@click.option(
    "--minutes", type=click.IntRange(1, 1440), default=60, show_default=True, help="How long the link works."
)
@click.option("--yes", is_flag=True, help="Do not ask before dropping second factors.")
def reset(email: str, *, without_second_factor: bool, minutes: int, yes: bool) -> None:
    """Print a one-time way in for EMAIL, who cannot sign in."""
    if without_second_factor and not yes:
        click.confirm(
            f"Drop the authenticator app, passkeys and recovery codes of {email}? "
            "Do this only when you are sure who is asking",
            abort=True,
            err=True,
        )
    try:
        path = actions.reset_member(email, minutes=minutes, without_second_factor=without_second_factor)
    except HeardError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Works once, for {minutes} minutes. The old password ends when it is opened.", err=True)
    click.echo(f"{settings.HEARD_URL}{path}")


@member.command("forget")
@click.argument("email")
@click.option("--organization", "slug", help="Its short name; needed where there are several.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def forget(email: str, slug: str | None, *, yes: bool) -> None:
    """Erase what is kept about EMAIL, who was removed: name, address, ways to sign in.

    What they did stays in the record, by number.
    """
    chosen = _chosen(slug)
    found = queries.removed_member(chosen.id, email)
    if found is None:
        raise click.ClickException(
            f"No removed member of {chosen.name} has the address {email}. Remove them first."
        )
    if not yes:
        click.confirm(f"Erase what is kept about {found.name}? This cannot be undone", abort=True, err=True)
    try:
        actions.forget_member(system(chosen.id), found.id)
    except HeardError as error:
        raise click.ClickException(error.message) from error
    click.echo("Forgotten.")


@member.command("list")
@click.option("--organization", "slug", help="Its short name; needed where there are several.")
def list_members(slug: str | None) -> None:
    """Who works here, and as what."""
    chosen = _chosen(slug)
    table = Table("Name", "E-mail", "Role", "Second factor", "Last seen", title=chosen.name)
    for line in queries.members_for_operator(chosen.id):
        seen = line.last_seen_at.strftime("%Y-%m-%d %H:%M UTC") if line.last_seen_at else "never"
        table.add_row(line.name, line.email, line.role.value, "yes" if line.has_second_factor else "no", seen)
    console.print(table)


@click.group()
def organization() -> None:
    """The companies of this installation."""


@organization.command("list")
def list_organizations() -> None:
    """All organizations, with the short names that commands take."""
    table = Table("Id", "Short name", "Name", "Time zone", "Members", "Since")
    for line in queries.every_organization():
        since = line.created_at.strftime("%Y-%m-%d")
        table.add_row(str(line.id), line.slug, line.name, line.timezone, str(line.member_count), since)
    console.print(table)


def _chosen(slug: str | None) -> OrganizationLine:
    try:
        return queries.chosen_organization(slug)
    except HeardError as error:
        raise click.ClickException(error.message) from error
