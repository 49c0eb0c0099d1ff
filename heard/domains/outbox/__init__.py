"""The one gate: everything that leaves."""
