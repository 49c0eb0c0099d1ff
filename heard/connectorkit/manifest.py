"""What a connector says of itself: the page that connects an account is generated from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class FieldKind(StrEnum):
    """How a field is asked for and checked. ``SECRET`` values are encrypted and never shown again."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - the name of a kind, not a password
    URL = "url"
    EMAIL = "email"
    NUMBER = "number"
    CHOICE = "choice"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing an administrator fills in."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    help: str = ""
    required: bool = True
    default: str = ""
    choices: Sequence[tuple[str, str]] = ()
    advanced: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What the network's terms allow with its messages (``domain.md`` 4.5), as data.

    ``delete_within_hours`` is how fast a deletion on the network must follow here; ``None``: no rule.
    """

    may_train: bool = True
    may_embed: bool = True
    may_profile: bool = True
    delete_within_hours: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests that take more of an allowance than others: by method and path, where ``*`` is anything."""

    method: str
    path: str
    units: int = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """A fixed allowance: so many units in so many seconds (``requests`` unless said otherwise).

    Every request takes one of an allowance in requests. Of any other only those take that ``costs`` names;
    without them it is told in the docs and not counted.
    """

    name: str
    amount: int
    per_seconds: int
    unit: str = "requests"
    costs: Sequence[Cost] = ()

    @property
    def is_counted(self) -> bool:
        """Whether it can be told from outside what a request takes."""
        return self.unit == "requests" or bool(self.costs)

    def units_of(self, method: str, path: str) -> int:
        """What one request takes; 0 where it is not for this allowance."""
        if not self.costs:
            return 1 if self.unit == "requests" else 0
        found = (cost.units for cost in self.costs if cost.method == method and fnmatchcase(path, cost.path))
        return next(found, 0)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A network, as its connector declares it.

    ``network`` is the folder's name and the word in tables and URLs. ``poll_seconds`` is the pause
    between looks where nothing is streamed. ``takes_key`` says that a second send with the same key
    is harmless within ``key_lifetime_seconds`` (``None``: for ever); where that does not hold for all that
    can be sent, the connector says for what (``protocol.RepeatsSafely``). ``met_real_service`` is printed
    in the docs: what the connector was tried against.
    """

    network: str
    name: str
    summary: str
    fields: Sequence[Field]
    steps: Sequence[str] = ()
    poll_seconds: int = 60
    takes_key: bool = False
    key_lifetime_seconds: int | None = None
    budgets: Sequence[Budget] = ()
    terms: Terms = Terms()
    met_real_service: str = ""
    colour: str = "#65656f"
