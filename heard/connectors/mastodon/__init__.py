"""Mastodon: one folder, nothing else to edit."""

from .connector import MastodonConnector

CONNECTOR = MastodonConnector()
