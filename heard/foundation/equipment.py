"""What a process was given at its start: the guarded net and the key ring.

``config`` gives it (``give``); rooms ask for it. Tests give their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heard.connectorkit.net import Net
from heard.foundation.crypto import KeyRing

_made: dict[str, Any] = {}
_makers: dict[str, Callable[[], Any]] = {}


def give(*, net: Callable[[], Net] | None = None, keyring: Callable[[], KeyRing] | None = None) -> None:
    """Say how to make each, lazily: a command that needs neither opens neither."""
    for name, maker in (("net", net), ("keyring", keyring)):
        if maker is not None:
            _makers[name] = maker
            _made.pop(name, None)


def _get(name: str) -> Any:
    if name not in _made:
        if name not in _makers:
            raise RuntimeError(f"This process was started without its {name}; config.startup gives it.")
        _made[name] = _makers[name]()
    return _made[name]


def net() -> Net:
    """The only way out."""
    found: Net = _get("net")
    return found


def keyring() -> KeyRing:
    """The keys of secrets at rest."""
    found: KeyRing = _get("keyring")
    return found
