"""The one form of this room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class EraseForm(forms.Form):
    """Erasing cannot be taken back: the name is typed again."""

    confirm_name = forms.CharField(label=_("Type the name to confirm"), max_length=200)
    do_not_collect = forms.BooleanField(
        label=_("Do not collect this person again"),
        help_text=_("Messages from the same accounts are not kept from now on."),
        required=False,
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name

    def clean_confirm_name(self) -> str:
        """Exactly the shown name."""
        given = str(self.cleaned_data["confirm_name"]).strip()
        if given != self._name.strip():
            raise forms.ValidationError(_("This is not the name above."))
        return given
