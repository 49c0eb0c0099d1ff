"""Bluesky (the AT Protocol): posts, replies and mentions; direct messages where asked for."""

from .connector import BlueskyConnector

CONNECTOR = BlueskyConnector()
