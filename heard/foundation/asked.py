"""What was asked while a page is being read is not asked again: its parts want to know the same few things.

Only where nothing is changed (the pages' middleware opens it for GET and HEAD), and only for as long as
one request lasts: who lost a right meanwhile is out with their next click.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")
_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Within this, questions marked ``once`` are asked once for the same arguments."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(ask: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
    """Mark a question whose arguments are hashable and whose answer nobody changes."""

    @wraps(ask)
    def asking(*args: _Asked.args, **names: _Asked.kwargs) -> _Answer:
        answers = _answers.get()
        if answers is None:
            return ask(*args, **names)
        key = (ask, args, *sorted(names.items()))
        if key not in answers:
            answers[key] = ask(*args, **names)
        answer: _Answer = answers[key]
        return answer

    return asking
