"""The verbs of this room: every write has a name here."""

from heard.domains.organizations.actions.company import (
    add_brand,
    archive_team,
    change_organization,
    change_team,
    create_team,
    make_default_brand,
    rename_brand,
    restore_team,
)
from heard.domains.organizations.actions.factors import open_factor, rotate_factors, seal_factor
from heard.domains.organizations.actions.founding import Founded, add_member, found_organization, set_up
from heard.domains.organizations.actions.invitations import (
    Invited,
    accept_as_new_user,
    accept_as_user,
    accept_by_verified_email,
    invite,
    withdraw_invitation,
)
from heard.domains.organizations.actions.links import (
    Entered,
    make_setup_link,
    make_sign_in_link,
    reset_member,
    use_sign_in_link,
)
from heard.domains.organizations.actions.members import (
    SEEN_AGAIN_AFTER,
    change_role,
    end_sessions,
    forget_member,
    note_seen,
    remove_member,
    rename_member,
)
from heard.domains.organizations.actions.users import claim_by_verified_email

__all__ = [
    "SEEN_AGAIN_AFTER",
    "Entered",
    "Founded",
    "Invited",
    "accept_as_new_user",
    "accept_as_user",
    "accept_by_verified_email",
    "add_brand",
    "add_member",
    "archive_team",
    "change_organization",
    "change_role",
    "change_team",
    "claim_by_verified_email",
    "create_team",
    "end_sessions",
    "forget_member",
    "found_organization",
    "invite",
    "make_default_brand",
    "make_setup_link",
    "make_sign_in_link",
    "note_seen",
    "open_factor",
    "remove_member",
    "rename_brand",
    "rename_member",
    "reset_member",
    "restore_team",
    "rotate_factors",
    "seal_factor",
    "set_up",
    "use_sign_in_link",
    "withdraw_invitation",
]
