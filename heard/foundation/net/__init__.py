"""The guarded way out: HTTP, server-sent events and sockets that cannot be led inside."""

from .client import Exchange, GuardedNet
from .guard import AllowList, Guard
from .recorder import Recorder

__all__ = ["AllowList", "Exchange", "Guard", "GuardedNet", "Recorder"]
