"""``heard demo``: a demo company with a live simulated public, embedded, in one command."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
import webbrowser
from pathlib import Path

import click
from rich.console import Console

from heard.config import options, processes, up

console = Console(stderr=True)


def run(host: str, port: int, *, no_browser: bool, pace: int) -> int:
    """Start Sandbox, company, web and worker; say where; stop everything on Ctrl-C."""
    data = options.data_folder()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _is_free(host, port):
        console.print(f"[red]Port {port} is taken.[/] Choose another: heard demo --port {port + 1}")
        return 1
    sandbox_port = _sandbox_port(data)
    os.environ["HEARD_ALLOW_ADDRESSES"] = ",".join(
        part for part in (options.ALLOW_ADDRESSES.value, f"127.0.0.1:{sandbox_port}") if part
    )
    url = f"http://{'127.0.0.1' if host in _EVERYWHERE else host}:{port}"
    os.environ.setdefault("HEARD_URL", url)
    options.keep_address(url)
    os.environ.setdefault("HEARD_LOG_LEVEL", "WARNING")
    sandbox = up.Child("sandbox", _sandbox_arguments(sandbox_port, data, pace))
    with up.Family([sandbox]) as family:
        family.begin(sandbox)
        with console.status("Waking the simulated public…"):
            if not family.comes_up(sandbox, lambda: _listens(sandbox_port)):
                raise click.ClickException("The Sandbox did not start; the reason stands above.")
        web, worker = up.children(host, port)
        family.children += [web, worker]
        setting_up = console.status("Setting up the demo company (a few seconds the first time)…")
        with setting_up, family.loading(web):
            path = json.loads(family.prepare("heard.config.demo_company").splitlines()[-1])["path"]
        family.begin(worker)
        with console.status("Opening the doors…"):
            if not family.comes_up(web, lambda: processes.is_ready(url)):
                raise click.ClickException("The demo did not come up; the reason stands above.")
        _say(url, path, sandbox_port, data, no_browser=no_browser)
        family.watch()
    console.print("Stopped. The next start takes seconds.")
    return 0


_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def _say(url: str, path: str, sandbox_port: int, data: Path, *, no_browser: bool) -> None:
    """For scripts one line on standard output; for people some on standard error, to be clicked."""
    if no_browser:
        click.echo(json.dumps({"url": url, "sign_in_url": url + path}))
        sys.stdout.flush()
    for line in (
        "",
        "[bold]The demo company is open[/]",
        f"Sign in      [bold]{url}{path}[/]",
        f"Heard        {url}",
        f"The public   http://127.0.0.1:{sandbox_port}/",
        f"Data         {data}",
        "",
        f"A storm, from a second terminal: {_storm(data)}",
        "Ctrl-C stops everything.",
    ):
        # An address that is broken in two, or framed, is not one that a terminal opens.
        console.print(line, soft_wrap=True, highlight=False)
    if not no_browser and (os.environ.get("DISPLAY") or sys.platform == "darwin"):
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url + path)


def _storm(data: Path) -> str:
    """The command that starts a storm, as it is called from this folder for this installation."""
    here = Path(sys.argv[0])
    known = shutil.which("heard")
    name = "heard" if known and here.exists() and Path(known).samefile(here) else os.path.relpath(here)
    elsewhere = data.resolve() != (Path.cwd() / "var").resolve()
    return f"{name} sandbox storm --people 300" + (f" --data {data}" if elsewhere else "")


def _sandbox_arguments(port: int, data: Path, pace: int) -> list[str]:
    arguments = ["heard.config.demo_public", "--port", str(port), "--data", str(data), "--unannounced"]
    return [*arguments, "--quiet"] if pace <= 0 else [*arguments, "--pace", str(pace)]


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _sandbox_port(data: Path) -> int:
    """The port of the last start if it is free, else a new one."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        known = int(json.loads((data / "sandbox.json").read_text())["url"].rsplit(":", 1)[1].strip("/"))
        if _is_free("127.0.0.1", known):
            return known
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
