"""What an action refuses, said on the form that asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django import forms

from heard.foundation.errors import Conflict, Invalid


@contextmanager
def refusals_on(form: forms.Form) -> Iterator[None]:
    """Let what an action refuses stand on the form: beside its field, or above the whole."""
    try:
        yield
    except Invalid as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
    except Conflict as refusal:
        form.add_error(None, refusal.message)
