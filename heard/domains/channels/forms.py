"""What people fill in about a channel. The form that connects one is made from its network's manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from heard.connectorkit.manifest import Field, FieldKind, Manifest
from heard.domains.channels.models import Access
from heard.domains.organizations.queries import BrandLine, MemberLine, TeamLine

LONGEST_SECRET = 20_000
"""A token or a key file pasted whole; nothing a network hands out is longer."""

ACCESS_LABELS = {
    Access.NONE.value: _("may not see it"),
    Access.VIEW.value: _("may read"),
    Access.REPLY.value: _("may read and answer"),
}
_NO_FILLING_IN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class ConnectForm(forms.Form):
    """The credentials for one network. Secrets are never written back into the page."""

    def __init__(self, *args: Any, manifest: Manifest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manifest = manifest
        for field in manifest.fields:
            self.fields[field.name] = form_field(field)

    def plain_fields(self) -> list[forms.BoundField]:
        """The fields that everybody fills in."""
        return [self[field.name] for field in self.manifest.fields if not field.advanced]

    def advanced_fields(self) -> list[forms.BoundField]:
        """The fields that most people never need."""
        return [self[field.name] for field in self.manifest.fields if field.advanced]

    def is_advanced_wrong(self) -> bool:
        """Whether a field that is folded away needs attention."""
        return any(field.name in self.errors for field in self.manifest.fields if field.advanced)

    def values(self) -> dict[str, Any]:
        """What was filled in, as the connector reads it; an empty optional field is left to its default."""
        given: Mapping[str, Any] = self.cleaned_data
        return {name: value for name, value in given.items() if value not in {None, ""}}


def form_field(field: Field) -> forms.Field:
    """A manifest's field as a field of the form."""
    shared: dict[str, Any] = {
        "label": field.label,
        # The page prints help as HTML, and a connector may come from outside.
        "help_text": escape(field.help),
        "required": field.required,
    }
    match field.kind:
        case FieldKind.SECRET:
            hidden = forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"})
            return forms.CharField(**shared, max_length=LONGEST_SECRET, widget=hidden)
        case FieldKind.BOOL:
            initial = field.default.lower() in {"true", "on", "yes", "1"}
            return forms.BooleanField(**{**shared, "required": False}, initial=initial)
        case FieldKind.NUMBER:
            return forms.IntegerField(**shared, initial=field.default or None, min_value=0, max_value=10**12)
        case FieldKind.CHOICE:
            choices = [(value, label) for value, label in field.choices]
            if not field.required and "" not in dict(choices):
                choices.insert(0, ("", "—"))
            return forms.ChoiceField(**shared, initial=field.default, choices=choices)
        case FieldKind.URL:
            widget = forms.URLInput(attrs=_NO_FILLING_IN)
            return forms.URLField(
                **shared, initial=field.default, max_length=1000, assume_scheme="https", widget=widget
            )
        case FieldKind.EMAIL:
            return forms.EmailField(**shared, initial=field.default, max_length=320)
        case _:
            text = forms.TextInput(attrs=_NO_FILLING_IN)
            return forms.CharField(**shared, initial=field.default, max_length=1000, widget=text)


class BrandChoiceForm(forms.Form):
    """The name the company speaks under on a channel."""

    brand = forms.TypedChoiceField(label=_("Speaks as"), coerce=int)

    def __init__(self, *args: Any, brands: Sequence[BrandLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["brand"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(str(brand.id), brand.name) for brand in brands]


class AccessForm(forms.Form):
    """An exception to the role: who, and what they may do on this channel."""

    who = forms.ChoiceField(label=_("Who"))
    access = forms.ChoiceField(
        label=_("On this account"), choices=list(ACCESS_LABELS.items()), initial=Access.VIEW.value
    )

    def __init__(
        self, *args: Any, members: Sequence[MemberLine], teams: Sequence[TeamLine], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        people = [(f"member-{line.id}", line.name) for line in members]
        groups = [(f"team-{line.id}", line.name) for line in teams]
        field = self.fields["who"]
        if isinstance(field, forms.ChoiceField):
            # Nobody is chosen beforehand: a slip of the hand would hide an account from a whole team.
            field.choices = [
                ("", _("Choose…")),
                *([(_("Teams"), groups)] if groups else []),
                (_("Members"), people),
            ]
