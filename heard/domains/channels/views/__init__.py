"""Settings: the accounts the company listens to and speaks with."""
