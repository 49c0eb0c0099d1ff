"""People outside the company, and their identities on the networks."""
