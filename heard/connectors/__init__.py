"""Which networks Heard speaks: one folder per network, found by scanning."""
