"""Structured logs that hold no secret and no word of anybody's.

Everything that is logged, by us through ``logger`` or by libraries through the standard module, passes
the same processors: values under names that hold secrets or people's words are hidden, and what looks
like a token or an e-mail address is hidden wherever it stands, in messages, exceptions and tracebacks
too. A redactor is a net under the rope, not the rope: log ids and kinds, never texts.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from heard.foundation.redaction import describe_error, redact, redact_text

_HANDLER = "heard"
_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)
# Set by structlog and by us, in our own words.
_OWN_KEYS = frozenset(("timestamp", "level", "logger"))
# Libraries that tell of every request they make or serve, with its URL: we log those ourselves.
_QUIET = ("httpx", "httpcore", "granian.access", "django.request", "asyncio", "urllib3", "PIL")


def logger(name: str) -> FilteringBoundLogger:
    """A logger for a module: ``log.info("what_happened", channel=3)``, a fixed word and small values."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def configure(*, style: str = "auto", level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line to ``stream`` (standard error) as JSON, or readable on a terminal.

    ``style`` is ``json``, ``console`` or ``auto``. Calling it again replaces what was set before.
    Raises ``ValueError`` for an unknown style or level.
    """
    target = stream or sys.stderr
    if style not in ("auto", "json", "console"):
        raise ValueError(f"HEARD_LOG_FORMAT must be auto, json or console, not {style!r}.")
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"HEARD_LOG_LEVEL must be a level like INFO, not {level!r}.")
    readable = style == "console" or (style == "auto" and target.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            _STAMP,
            # Before the standard module hears of it: whoever adds a handler gets the same clean line.
            redact_event,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.set_name(_HANDLER)
    handler.setFormatter(_formatter(readable=readable, colors=readable and target.isatty()))
    _install(handler, number)


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: hides what must not be written down. Everything passes it."""
    error = _error_of(event.pop("exc_info", None))
    event.pop("stack_info", None)
    shown = {key: value if key in _OWN_KEYS else redact(value, key) for key, value in event.items()}
    # The event is a fixed word of ours or a library's message: judged by its looks, whatever its name.
    shown["event"] = redact_text(str(event.get("event", "")))
    if error is not None:
        shown["exception"] = describe_error(error)
    return shown


def _error_of(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple) and len(given) == 3:
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _formatter(*, readable: bool, colors: bool) -> structlog.stdlib.ProcessorFormatter:
    render: Processor
    if readable:
        # Errors come as text that was already described; rich would show the values of local variables.
        render = structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )
    else:
        render = structlog.processors.JSONRenderer(ensure_ascii=False, default=_plain)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            _STAMP,
            redact_event,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )


def _install(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    for old in [known for known in root.handlers if known.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in ("django", "django.server", "_granian", "granian.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _plain(value: Any) -> str:
    return redact_text(repr(value))
