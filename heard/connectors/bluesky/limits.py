"""What Bluesky allows, as data. From the lexicons of August 2026, tried on PDS 0.4.217."""

from __future__ import annotations

from heard.connectorkit.vocabulary import MediaLimit, TextLimit, TextUnit

POST_TEXT = TextLimit(300, TextUnit.GRAPHEME, maximum_bytes=3000)
CHAT_TEXT = TextLimit(1000, TextUnit.GRAPHEME, maximum_bytes=10_000)
PICTURES = MediaLimit(count=4, types=("image/*",), maximum_bytes=2_000_000)
HIDDEN_REPLIES = 300
TAG_GRAPHEMES = 64
TAG_BYTES = 640
URIS_PER_LOOK = 25
