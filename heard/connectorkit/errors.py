"""Connector errors, named by what the platform does next.

    ConnectorError
    ├── RateLimited(retry_after_seconds)  wait that long, then go on
    ├── Unreachable                       try later; nothing was done on the network
    ├── Rejected(reason)                  show the author; never retried
    ├── CredentialsRefused                pause the channel, ask for a new connection
    ├── Unsupported                       never reached the network
    ├── Unreadable                        keep the delivery for replay, tell the operator
    ├── Forged                            a pushed delivery whose signature does not hold
    └── OutcomeUnknown                    never retried blindly: look first, else ask a person

Every error carries a sentence for people. It must hold no secret and no message text,
because it is shown on the channel's page and written to the log.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of everything a connector may raise on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RateLimited(ConnectorError):
    """The network asks us to wait.

    ``retry_after_seconds`` is at least 1; connectors take it from the network's own header.
    """

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1.0, retry_after_seconds)


class Unreachable(ConnectorError):
    """The network could not be reached, and nothing happened there: try later."""


class Rejected(ConnectorError):
    """The network read what we sent and refused it for a reason its author must hear."""


class CredentialsRefused(ConnectorError):
    """The network does not accept our credentials: pause the channel, ask for a new connection."""


class Unsupported(ConnectorError):
    """The connector cannot do this, and said so before any request left."""


class Unreadable(ConnectorError):
    """A delivery could not be understood: it is kept and replayed after a fix."""


class Forged(ConnectorError):
    """A pushed delivery whose signature does not hold: answered with 403, never stored."""


class OutcomeUnknown(ConnectorError):
    """The request may or may not have been carried out: look at the network, else ask a person."""
