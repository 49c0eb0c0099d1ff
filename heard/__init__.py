"""Heard: one open home for every conversation between a company and its public."""

__version__ = "0.1.0"
