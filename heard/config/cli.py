"""The command line: ``heard …``. Rooms and connectors bring their own commands (``commands.py``)."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Any

import click

from heard import __version__
from heard.config import operations, options
from heard.foundation.numbers import counted

CONNECTORS_WITH_COMMANDS = ("sandbox",)


def _take_data_folder(arguments: list[str]) -> list[str]:
    """``--data DIR`` names the embedded installation for every command, wherever it stands."""
    left: list[str] = []
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word == "--data" and place + 1 < len(arguments):
            os.environ["HEARD_DATA"] = arguments[place + 1]
            place += 2
            continue
        if word.startswith("--data="):
            os.environ["HEARD_DATA"] = word.removeprefix("--data=")
        else:
            left.append(word)
        place += 1
    return left


class Rooms(click.Group):
    """Finds the commands of rooms by their folder, and imports only the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own and every room's."""
        return sorted({*super().list_commands(ctx), *_room_commands()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Our own, else a room's."""
        return super().get_command(ctx, cmd_name) or _room_commands().get(cmd_name)


_found: dict[str, click.Command] = {}


def _room_commands() -> dict[str, click.Command]:
    if _found:
        return _found
    from heard.config import startup
    from heard.config.rooms import modules

    startup.start()
    loaded = modules("commands")
    for name in CONNECTORS_WITH_COMMANDS:
        path = f"heard.connectors.{name}.commands"
        if find_spec(path) is not None:
            from importlib import import_module

            loaded.append(import_module(path))
    for module in loaded:
        for value in vars(module).values():
            if (
                isinstance(value, click.Command)
                and getattr(value.callback, "__module__", "") == module.__name__
            ):
                parents = [group for group in vars(module).values() if isinstance(group, click.Group)]
                if not any(value in group.commands.values() for group in parents):
                    _found[value.name or ""] = value
    return _found


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="heard")
def cli() -> None:
    """Heard: one home for every conversation between a company and its public.

    Every command takes --data DIR, the folder of an embedded installation (default ./var).
    """


def _address(command: Any) -> Any:
    command = click.option("--port", default=8400, show_default=True, help="Port to serve on.")(command)
    return click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")(command)


def _metrics(command: Any) -> Any:
    host = click.option(
        "--metrics-host", default="127.0.0.1", show_default=True, help="Address to serve metrics on."
    )
    return host(click.option("--metrics-port", type=int, help="Serve Prometheus metrics here.")(command))


@cli.command()
@_address
@click.option("--no-browser", is_flag=True, help="For scripts: one JSON line on standard output, no browser.")
@click.option(
    "--pace", default=20, show_default=True, help="Messages a minute that the simulated public writes."
)
@click.option("--quiet", is_flag=True, help="A Sandbox in which nobody speaks by themselves.")
def demo(host: str, port: int, *, no_browser: bool, pace: int, quiet: bool) -> None:
    """A demo company with a live simulated public, embedded."""
    from heard.config.demo import run

    sys.exit(run(host, port, no_browser=no_browser, pace=0 if quiet else pace))


@cli.command()
@_address
def up(host: str, port: int) -> None:
    """The real thing, embedded: web and worker on this machine."""
    from heard.config.up import run

    sys.exit(run(host, port))


@cli.command()
@_address
def web(host: str, port: int) -> None:
    """Serve pages, webhooks and live streams (one process; start as many as you like)."""
    from heard.config import prepare, processes, startup, wakeups

    startup.start()
    prepare.static_files()
    wakeups.install_hints()
    processes.web(host, port)


@cli.command()
@click.option("--streams/--no-streams", default=False, help="Also hold networks' streams in this process.")
@_metrics
def worker(*, streams: bool, metrics_port: int | None, metrics_host: str) -> None:
    """Do the work: listen, understand, send (any number, on any number of machines)."""
    from heard.config import processes, startup, wakeups

    startup.start()
    processes.serve_metrics(metrics_host, metrics_port)
    wakeups.install_hints()
    processes.worker(with_streams=streams)


@cli.command()
@_metrics
def stream(*, metrics_port: int | None, metrics_host: str) -> None:
    """Hold the open lines of networks that stream."""
    from heard.config import processes, startup, wakeups

    startup.start()
    processes.serve_metrics(metrics_host, metrics_port)
    wakeups.install_hints()
    processes.stream()


@cli.command()
@click.option("--list", "only_list", is_flag=True, help="Only name what is missing, one change a line.")
def migrate(*, only_list: bool) -> None:
    """Bring the databases to this version. Run it once before starting several machines.

    Where nobody is set up yet, it says where to begin.
    """
    from heard.config import prepare, startup

    startup.start()
    if only_list:
        for name in prepare.missing_migrations():
            click.echo(name.replace(" ", ""))
        return
    prepare.databases()
    click.echo("The databases are at this version.")
    from heard.domains.organizations import actions, queries

    if not queries.is_set_up():
        click.echo(f"Set up your company: {options.address()}{actions.make_setup_link()}")


for _command in operations.COMMANDS:
    cli.add_command(_command)


@cli.group()
def key() -> None:
    """The keys of secrets at rest."""


@key.command()
def rotate() -> None:
    """Make a new key (with HEARD_KEYS: take its last one) and encrypt every channel's secrets under it."""
    from heard.config import startup

    startup.start()
    from heard.domains.channels import actions as channels
    from heard.domains.organizations import actions as organizations
    from heard.foundation import equipment

    ring = equipment.keyring()
    # Keys of HEARD_KEYS are the operator's to add: what is left to do is to use the last of them.
    made = ring.current_id if options.KEYS.value else ring.add_key()
    count = channels.rotate_keys()
    factors = organizations.rotate_factors()
    click.echo(
        f"Key {made} encrypts now, the secrets of {counted(count, 'channel')} and"
        f" {counted(factors, 'second factor')} too."
        " Old keys stay until you retire them."
    )


@key.command()
@click.argument("key_id")
def retire(key_id: str) -> None:
    """Remove an old key, once nothing needs it any more."""
    from heard.config import startup

    startup.start()
    from heard.domains.channels import queries as channels
    from heard.domains.organizations import actions as organizations
    from heard.foundation import equipment

    if key_id != equipment.keyring().current_id:
        organizations.rotate_factors()
    needed = channels.key_ids_in_use()
    if key_id in needed:
        raise click.ClickException(
            f"Key {key_id} still encrypts {counted(needed[key_id], 'channel')}. Rotate first."
        )
    equipment.keyring().retire_key(key_id)
    click.echo(f"Key {key_id} is gone.")


@key.command(name="list")
def list_keys() -> None:
    """The ids of all keys, the encrypting one last."""
    from heard.config import startup

    startup.start()
    from heard.foundation import equipment

    for key_id in equipment.keyring().key_ids:
        click.echo(key_id)


def main() -> None:
    """Entry point of the ``heard`` script."""
    from heard.config.plainly import spoken

    with spoken():
        cli.main(args=_take_data_folder(sys.argv[1:]), prog_name="heard", standalone_mode=True)
