"""What colleagues write down about a person."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from heard.domains.contacts.rules import LONGEST_NOTE


class NoteForm(forms.Form):
    """The note about a person; empty takes it away."""

    note = forms.CharField(
        label=_("Note"),
        help_text=_("Everybody who may see this person reads it."),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
    )
