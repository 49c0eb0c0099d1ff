"""Lend a server to a command: start it, run the command with its address, stop it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import click

from .process import CouldNotStart, Missing


def lend(
    environment: Callable[[], AbstractContextManager[Mapping[str, str]]], arguments: Sequence[str]
) -> int:
    """Run ``arguments`` (a leading ``--`` is dropped) with what ``environment`` yields; its exit status."""
    command = list(arguments[1:] if arguments[:1] == ["--"] else arguments)
    if not command:
        click.echo("Name the command to run after --", err=True)
        return 2
    try:
        with environment() as additions:
            return subprocess.run(command, env={**os.environ, **additions}, check=False).returncode
    except (Missing, CouldNotStart) as error:
        click.echo(str(error), err=True)
        return 1
    except KeyboardInterrupt:
        return 130
