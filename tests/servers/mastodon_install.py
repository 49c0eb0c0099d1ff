"""Puts mastodon_mock under .servers/mastodon."""

from .environment import ROOT, install

if __name__ == "__main__":
    install("mastodon", ROOT / "requirements" / "servers.txt")
