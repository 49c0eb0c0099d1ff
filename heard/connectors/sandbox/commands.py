"""``heard sandbox``: serve a simulated public, and ask a running one for storms and words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table

STATE_NAME = "sandbox.json"
DATA_OPTION = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="HEARD_DATA",
    default=Path("var"),
    show_default="./var, or HEARD_DATA",
    help="The installation's folder.",
)


class Control:
    """A running Sandbox's control API; every failure becomes a sentence on the terminal."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request; raises ``click.ClickException``."""
        try:
            address = path if path.startswith("/") else f"/control/{path}"
            answer = httpx.request(
                method, self.url + address, json=body, headers=self._headers, timeout=20, trust_env=False
            )
            said = answer.json() if answer.content else {}
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise click.ClickException(f"No Sandbox answers at {self.url}. Is it running?") from error
        except ValueError as error:
            raise click.ClickException(f"What answers at {self.url} is no Sandbox.") from error
        if answer.is_error:
            raise click.ClickException(str(said.get("error", f"Status {answer.status_code}.")))
        return said


def _control(data: Path, url: str | None, token: str | None) -> Control:
    state: dict[str, str] = {}
    path = data / STATE_NAME
    if not (url and token):
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise click.ClickException(
                f"There is no {path}, so no Sandbox was started here. Give --url and --token."
            ) from error
    return Control(url or state["url"], token or state["control_token"])


def _asks_a_sandbox(command: Any) -> Any:
    for option in (
        DATA_OPTION,
        click.option("--url", help="Where the Sandbox is; else it is read from the folder."),
        click.option("--token", help="The control token; else it is read from the folder."),
    ):
        command = option(command)
    return command


@click.group()
def sandbox() -> None:
    """A simulated public, to try, to train and to test with."""


@sandbox.command()
@DATA_OPTION
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--file", type=click.Path(path_type=Path), help="The network's own file.")
@click.option("--state", type=click.Path(path_type=Path), help="Where to say how we are reached.")
@click.option("--seed", default=1, show_default=True, help="The same seed tells the same stories.")
@click.option("--pace", default=3.0, show_default=True, help="Messages per minute that come by themselves.")
@click.option("--speed", default=12.0, show_default=True, help="The people's minutes in one of ours.")
@click.option("--quiet", is_flag=True, help="No people: nobody speaks unless told to.")
@click.option("--brand", default="nordwind", show_default=True, help="The company's handle.")
@click.option("--brand-name", default="Nordwind", show_default=True, help="The company's name.")
@click.option("--control-token", default="", help="A control token of your choice; else one is made.")
@click.option("--rate-limit", default=30_000, show_default=True, help="Requests per minute and account.")
@click.option("--unannounced", is_flag=True, hidden=True)  # by the demo, which says where everything is
def serve(
    data: Path,
    host: str,
    port: int,
    file: Path | None,
    state: Path | None,
    *,
    unannounced: bool,
    **chosen: Any,
) -> None:
    """Serve a Sandbox until Ctrl-C."""
    from .server.options import Options
    from .server.serve import Taken, free_port
    from .server.serve import serve as serve_options

    options = Options(
        host=host,
        port=port or free_port(host),
        file=file or data / "sandbox.sqlite3",
        state_file=state or data / STATE_NAME,
        brand_handle=chosen.pop("brand"),
        **chosen,
    )
    people = "nobody speaks unless told to" if options.quiet else f"{options.pace:g} messages a minute"
    if not unannounced:
        Console(stderr=True).print(
            Panel(
                f"[bold]http://{host}:{options.port}/[/bold]  {people}\n"
                f"How to reach it is written in {options.state_file}. Ctrl-C stops it.",
                title="Sandbox",
                expand=False,
            )
        )
    try:
        serve_options(options)
    except Taken as error:
        raise click.ClickException(str(error)) from error


@sandbox.command()
@_asks_a_sandbox
@click.option("--people", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--matter", default="data_leak", show_default=True, help="What it is about (see “matters”).")
@click.option("--minutes", default=2.0, show_default=True, type=click.FloatRange(0, 100_000))
@click.option("--brand", default="", help="The company's handle, where there are several.")
@click.option("--wait", is_flag=True, help="Watch until everybody has spoken.")
def storm(data: Path, url: str | None, token: str | None, people: int, **other: Any) -> None:
    """Let many people come with one matter in a short time."""
    control = _control(data, url, token)
    control.ask(
        "POST",
        "storm",
        {"people": people, "matter": other["matter"], "minutes": other["minutes"], "to": other["brand"]},
    )
    click.echo(
        f"{people} people will speak about {other['matter']} within {other['minutes']:g} minutes.", err=True
    )
    if other["wait"]:
        _watch(control, people)


def _watch(control: Control, people: int) -> None:
    import time

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Speaking", total=people)
        left = people
        while left:
            left = min(left, control.ask("GET", "status")["still_to_speak"])
            progress.update(task, completed=people - left)
            time.sleep(0.5 if left else 0)


@sandbox.command()
@_asks_a_sandbox
@click.option("--as", "speaker", default="visitor", show_default=True, help="Who says it: a handle.")
@click.option("--kind", default="mention", type=click.Choice(["mention", "direct", "comment", "post"]))
@click.option("--in-reply-to", default="", help="The number of the post that is answered.")
@click.option("--brand", default="", help="The company's handle, where there are several.")
@click.argument("text")
def say(data: Path, url: str | None, token: str | None, speaker: str, text: str, **other: Any) -> None:
    """Say TEXT to the company, as somebody."""
    said = _control(data, url, token).ask(
        "POST",
        "say",
        {
            "as": speaker,
            "text": text,
            "kind": other["kind"],
            "in_reply_to": other["in_reply_to"],
            "to": other["brand"],
        },
    )
    click.echo(f"@{said['as']} said it: post {said['id']}.")


@sandbox.command()
@_asks_a_sandbox
@click.option("--speed", type=click.FloatRange(0), help="The people's minutes in one of ours.")
@click.argument("messages_per_minute", type=click.FloatRange(0))
def pace(
    data: Path, url: str | None, token: str | None, messages_per_minute: float, speed: float | None
) -> None:
    """Let MESSAGES_PER_MINUTE come by themselves."""
    body: dict[str, Any] = {"messages_per_minute": messages_per_minute, "quiet": False}
    if speed is not None:
        body["speed"] = speed
    _control(data, url, token).ask("PUT", "pace", body)
    click.echo(f"{messages_per_minute:g} messages a minute from now on.")


@sandbox.command()
@_asks_a_sandbox
@click.option("--json", "as_json", is_flag=True, help="One JSON line, for scripts.")
def status(data: Path, url: str | None, token: str | None, *, as_json: bool) -> None:
    """What is going on there."""
    seen = _control(data, url, token).ask("GET", "status")
    if as_json:
        click.echo(json.dumps({key: value for key, value in seen.items() if key != "brands"}))
        return
    table = Table(title=f"Sandbox at {seen['url']}", show_header=False)
    table.add_row("Companies", ", ".join(f"@{brand['handle']}" for brand in seen["brands"]))
    table.add_row("Posts", f"{seen['posts']} by {seen['people']} people")
    table.add_row(
        "Matters", f"{seen['waiting']} waiting, {seen['settled']} settled, {seen['gone']} gone for good"
    )
    table.add_row("Pace", "quiet" if seen["quiet"] else f"{seen['messages_per_minute']:g} a minute")
    Console().print(table)


@sandbox.command()
@_asks_a_sandbox
@click.option("--secret", required=True, help="The webhook secret that the channel was given.")
@click.argument("address")
def webhook(data: Path, url: str | None, token: str | None, secret: str, address: str) -> None:
    """Let the Sandbox push to ADDRESS; --token is the company's own here."""
    if not token:
        state = json.loads((data / STATE_NAME).read_text(encoding="utf-8"))
        url, token = url or state["url"], state["brand_token"]
    Control(url or "", token or "").ask("PUT", "/api/v1/webhook", {"url": address, "secret": secret})
    click.echo(f"The Sandbox pushes to {address} from now on.")


@sandbox.command()
def matters() -> None:
    """What people can come with."""
    from .server.matters import MATTERS

    for matter in MATTERS.values():
        click.echo(matter.name)
