"""Put the Bluesky servers under ``.servers/bluesky``: ``python -m tests.servers.bluesky_install``.

Some three minutes and 360 MB the first time; nothing at all when the pinned versions are there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from .process import CouldNotStart, Missing

RECIPE = Path(__file__).parent / "bluesky_network"
HOME = Path(__file__).parents[2] / ".servers" / "bluesky"
PATIENCE_SECONDS = 900
NODE_HEADERS = Path("/usr/include/node/node.h")
OLDEST_NODE = 20


def installed() -> bool:
    """Whether the versions that our recipe pins are there, and the one native part was compiled."""
    wanted = json.loads((RECIPE / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        manifest = HOME / "node_modules" / name / "package.json"
        if not manifest.exists() or json.loads(manifest.read_text())["version"] != version:
            return False
    return any((HOME / "node_modules/better-sqlite3/build/Release").glob("better_sqlite3.node"))


def need_node() -> str:
    """The path of a new enough node; raises ``Missing``."""
    node = shutil.which("node")
    if node is None:
        raise Missing("Node is not installed (Debian: apt-get install nodejs npm)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise Missing(f"Node {version} is too old for the Bluesky servers: {OLDEST_NODE} or newer is needed")
    return node


def install() -> None:
    """Install with npm and compile SQLite's binding; raises ``Missing`` or ``CouldNotStart``."""
    need_node()
    for program, package in {"npm": "npm", "g++": "g++", "make": "make", "python3": "python3"}.items():
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed (Debian: apt-get install {package})")
    HOME.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(RECIPE / "package.json", HOME / "package.json")
    environment = dict(os.environ)
    if NODE_HEADERS.exists():
        # Else node-gyp fetches the headers from a host that a closed network does not reach.
        environment["npm_config_nodedir"] = "/usr"
    # No lock file: it would name the hosts that the packages were fetched from.
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        command, cwd=HOME, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not installed():
        raise CouldNotStart(
            f"npm could not install the Bluesky servers:\n{(done.stdout + done.stderr)[-4000:]}"
        )


def main() -> int:
    """Install what is missing; 0 when it stands."""
    try:
        if not installed():
            install()
    except (Missing, CouldNotStart) as error:
        click.echo(str(error), err=True)
        return 1
    click.echo("The Bluesky servers are installed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
