"""The questions of this room, and what it lends to all others: permissions and the members' door."""

from heard.domains.organizations.members_only import MemberRequest, Membership, member_required
from heard.domains.organizations.permissions import Permission, may, require
from heard.domains.organizations.queries.entrance import (
    OpenedInvitation,
    SignedIn,
    actor_of,
    invitation_of,
    is_set_up,
    setup_token_holds,
    signed_in,
    user_id_of,
)
from heard.domains.organizations.queries.factors import factor_key_ids, locked_factors
from heard.domains.organizations.queries.operator import (
    OrganizationLine,
    chosen_organization,
    every_organization,
    members_for_operator,
    organization_ids,
    removed_member,
)
from heard.domains.organizations.queries.people import (
    InvitationLine,
    MemberLine,
    Profile,
    member,
    member_names,
    members,
    open_invitations,
    profile,
)
from heard.domains.organizations.queries.structure import (
    BrandLine,
    Company,
    TeamLine,
    brands,
    company,
    team_member_ids,
    teams,
)

__all__ = [
    "BrandLine",
    "Company",
    "InvitationLine",
    "MemberLine",
    "MemberRequest",
    "Membership",
    "OpenedInvitation",
    "OrganizationLine",
    "Permission",
    "Profile",
    "SignedIn",
    "TeamLine",
    "actor_of",
    "brands",
    "chosen_organization",
    "company",
    "every_organization",
    "factor_key_ids",
    "invitation_of",
    "is_set_up",
    "locked_factors",
    "may",
    "member",
    "member_names",
    "member_required",
    "members",
    "members_for_operator",
    "open_invitations",
    "organization_ids",
    "profile",
    "removed_member",
    "require",
    "setup_token_holds",
    "signed_in",
    "team_member_ids",
    "teams",
    "user_id_of",
]
