"""Connectors against the real servers of their networks."""
