"""What people fill in to stop what leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from heard.domains.channels.queries import ChannelView

EVERYTHING = "0"


class HoldForm(forms.Form):
    """Why, and what: everything or one account."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=300,
        help_text=_("Everybody reads it, on every page, until it is released."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    channel = forms.TypedChoiceField(label=_("What is stopped"), coerce=int)

    def __init__(self, *args: Any, channels: Sequence[ChannelView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["channel"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (EVERYTHING, _("Everything")),
                *(
                    (
                        str(view.channel_id),
                        _("Only %(name)s") % {"name": f"{view.name} · {view.network_name}"},
                    )
                    for view in channels
                ),
            ]
