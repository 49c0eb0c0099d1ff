"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from heard.domains.organizations.views import entrance, people, profile, record, structure

urlpatterns = [
    path("setup/", entrance.setup, name="setup"),
    path("sign-in/<str:token>/", entrance.sign_in_link, name="sign_in_link"),
    path("invitation/<str:token>/", entrance.invitation, name="invitation"),
    path("switch/<slug:slug>/", profile.switch, name="switch"),
    path("journal/", record.journal, name="journal"),
    path("journal/verify/", record.verify, name="verify_journal"),
    path("journal/checkpoint/", record.checkpoint, name="checkpoint"),
    path("settings/profile/", profile.profile, name="profile"),
    path("settings/profile/sign-out-elsewhere/", profile.sign_out_elsewhere, name="sign_out_elsewhere"),
    path("settings/organization/", structure.organization, name="organization"),
    path("settings/brands/", structure.brands, name="brands"),
    path("settings/brands/<int:brand_id>/", structure.brand, name="brand"),
    path("settings/brands/<int:brand_id>/default/", structure.make_default_brand, name="make_default_brand"),
    path("settings/teams/", structure.teams, name="teams"),
    path("settings/teams/<int:team_id>/", structure.team, name="team"),
    path(
        "settings/teams/<int:team_id>/archive/",
        structure.set_team_archived,
        {"archived": True},
        name="archive_team",
    ),
    path(
        "settings/teams/<int:team_id>/restore/",
        structure.set_team_archived,
        {"archived": False},
        name="restore_team",
    ),
    path("settings/members/", people.members, name="members"),
    path("settings/members/<int:member_id>/role/", people.change_role, name="change_role"),
    path("settings/members/<int:member_id>/remove/", people.remove_member, name="remove_member"),
    path(
        "settings/invitations/<int:invitation_id>/withdraw/",
        people.withdraw_invitation,
        name="withdraw_invitation",
    ),
]
