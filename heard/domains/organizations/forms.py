"""What people fill in. Whether it holds, ``actions`` decide; what they refuse stands beside its field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from heard.domains.organizations import rules
from heard.domains.organizations.queries import MemberLine, TeamLine
from heard.foundation.tenancy import Role

ROLES = {
    Role.OWNER: (_("Owner"), _("may everything, and change the organization")),
    Role.MANAGER: (_("Manager"), _("members, teams, channels, and all work")),
    Role.AGENT: (_("Agent"), _("reads, answers and assigns")),
    Role.REVIEWER: (_("Reviewer"), _("reads, notes and approves")),
    Role.OBSERVER: (_("Observer"), _("reads")),
}


def _password(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=1000,
        help_text=_("At least ten characters. A sentence that only you know is best."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def _name(
    label: Any, limit: int = 120, *, autocomplete: str = "off", required: bool = True
) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=limit,
        required=required,
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
    )


def _timezones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in rules.known_timezones()]


class SetupTokenForm(forms.Form):
    """The token that ``heard up`` printed."""

    token = forms.CharField(
        label=_("Set-up token"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class SetupForm(forms.Form):
    """First run: the company and its first owner."""

    token = forms.CharField(widget=forms.HiddenInput(), max_length=200)
    name = _name(_("Company"), autocomplete="organization")
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_timezones,
        initial="UTC",
        widget=forms.Select(attrs={"data-own-zone": True}),  # the browser's own, where a script may say so
    )
    owner_name = _name(_("Your name"), autocomplete="name")
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = _password(_("Password"))
    teams = forms.MultipleChoiceField(
        label=_("Teams"),
        choices=[(name, name) for name in rules.SUGGESTED_TEAMS],
        initial=["Customer service"],
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text=_("Departments that take care of matters. You can change them later."),
    )


class AcceptForm(forms.Form):
    """An invitation, accepted by somebody new."""

    name = _name(_("Your name"), autocomplete="name")
    password = _password(_("Password"))


class InviteForm(forms.Form):
    """Whom to invite, as what, into which teams."""

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = _name(_("Name"), required=False)
    role = forms.ChoiceField(label=_("Role"))
    teams = forms.TypedMultipleChoiceField(
        label=_("Teams"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple()
    )

    def __init__(self, *args: Any, giver: Role | None, teams: Sequence[TeamLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "role", role_choices(giver, with_meaning=True))
        self.fields["role"].initial = Role.AGENT.value
        _choose(self, "teams", [(str(team.id), team.name) for team in teams])
        if not teams:
            del self.fields["teams"]


class RoleForm(forms.Form):
    """Another role for one member."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, giver: Role | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "role", role_choices(giver))


class OrganizationForm(forms.Form):
    """The company's name and time zone."""

    name = _name(_("Company"), autocomplete="organization")
    timezone = forms.ChoiceField(label=_("Time zone"), choices=_timezones)


class BrandForm(forms.Form):
    """A name the company speaks under."""

    name = _name(_("Name"))


class TeamForm(forms.Form):
    """A department and who is in it."""

    name = _name(_("Name"), 80)
    purpose = _name(_("What it takes care of"), 200, required=False)
    members = forms.TypedMultipleChoiceField(
        label=_("Members"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple()
    )

    def __init__(self, *args: Any, members: Sequence[MemberLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "members", [(str(member.id), member.name) for member in members])


class ProfileForm(forms.Form):
    """One's own name, as colleagues see it."""

    name = _name(_("Your name"), autocomplete="name")


def role_choices(giver: Role | None, *, with_meaning: bool = False) -> list[tuple[str, str]]:
    """The roles that ``giver`` may hand out, for a menu."""
    return [
        (role.value, f"{ROLES[role][0]}: {ROLES[role][1]}" if with_meaning else str(ROLES[role][0]))
        for role in rules.roles_to_give(giver)
    ]


def _choose(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = choices
