"""The edge of every command: what an operator can mend is said in a sentence, the rest with its trace."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

_UNMADE = ("no such table", "no such column", "does not exist")
_BROKEN = ("not a database", "malformed")


@contextlib.contextmanager
def spoken() -> Iterator[None]:
    """Ends the process with 1 and a sentence where the block fails for a reason outside the programme."""
    from django.db import Error as DatabaseError
    from django.db import OperationalError

    from heard.foundation.errors import HeardError

    try:
        yield
    except HeardError as error:
        _leave(error.message)
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        if any(word in reason for word in _UNMADE):
            _leave(
                "there is no installation at this version here. “heard up” makes one, “heard migrate”"
                " brings one to this version; --data names its folder."
            )
        if any(word in reason for word in _BROKEN):
            _leave(
                f"the database's file is damaged, or is no database ({reason})."
                " “heard restore” puts a backup in an empty folder; leave this one as it is until then."
            )
        if not isinstance(error, OperationalError):
            raise
        _leave(f"the database does not answer ({reason}). “heard doctor” looks closer.")


def _leave(sentence: str) -> None:
    click.echo(f"Error: {sentence}", err=True)
    sys.exit(1)
