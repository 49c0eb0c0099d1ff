"""The company: tenants, brands, teams, members, roles, sign-in."""
