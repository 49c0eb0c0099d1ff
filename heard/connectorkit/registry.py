"""Which networks there are: a folder under ``heard.connectors``, or an entry point of another package."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

import structlog

from .protocol import Connector

GROUP = "heard.connectors"
#: How somebody else's import may fail.
_BROKEN = (
    ImportError,
    SyntaxError,
    NameError,
    AttributeError,
    TypeError,
    ValueError,
    LookupError,
    OSError,
    RuntimeError,
)
log = structlog.get_logger(__name__)


class UnknownNetwork(LookupError):
    """No connector speaks this network (an outside one may have been uninstalled)."""


@cache
def connectors() -> Mapping[str, Connector]:
    """Every connector by network, ours first and by name; scanned once per process.

    One of ours that does not import stops the start, because it is our mistake. One from outside is
    reported and left out, because it must not take everybody else's channels with it.
    """
    found = _built_in()
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        outside = _load_outside(point)
        if outside is None:
            continue
        network = outside.manifest.network
        if network in found:
            log.warning("connector_ignored", entry_point=point.value, reason="the network has a connector")
            continue
        found[network] = outside
    return found


def connector(network: str) -> Connector:
    """The connector of one network; raises ``UnknownNetwork``."""
    try:
        return connectors()[network]
    except KeyError:
        raise UnknownNetwork(f"No connector for the network “{network}” is installed.") from None


def _built_in() -> dict[str, Connector]:
    found: dict[str, Connector] = {}
    home = importlib.import_module(GROUP)
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda module: module.name):
        if not module.ispkg:
            continue
        package = importlib.import_module(f"{GROUP}.{module.name}")
        candidate = getattr(package, "CONNECTOR", None)
        if isinstance(candidate, Connector):
            found[candidate.manifest.network] = candidate
    return found


def _load_outside(point: EntryPoint) -> Connector | None:
    try:
        candidate = point.load()
    except _BROKEN as error:
        log.exception("connector_broken", entry_point=point.value, error=type(error).__name__)
        return None
    if not isinstance(candidate, Connector):
        log.error("connector_broken", entry_point=point.value, error="it does not answer the protocol")
        return None
    return candidate
