"""A public to measure with: many people, posts, comments and direct messages, as the Sandbox tells them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = (  # noqa: SIM905 - read as sentences
    "order parcel still waiting since Monday and nobody answers why is the invoice charged twice please help"
    " danke für die schnelle Antwort leider fehlt ein Teil bonjour je n'ai rien reçu hola todavía no llega"
    " the new colour is lovely will it be back in store where do I send the broken one my daughter loves it"
).split()


class Public:
    """Tells messages in the order in which they were said; the same seed tells the same."""

    def __init__(self, people: int, seed: int = 7, *, offset: int = 0) -> None:
        self._random = random.Random(seed)
        self._people = people
        self._number = offset
        self._recent: list[str] = []

    def texts(self) -> str:
        """Some 60 to 260 characters."""
        return " ".join(self._random.choices(WORDS, k=self._random.randint(10, 45)))

    def post(self) -> dict[str, Any]:
        """One message: 40 in 100 private, 25 comments under others' posts, 35 posts that mention us."""
        self._number += 1
        person = self._random.randrange(self._people)
        at = (START + timedelta(milliseconds=200 * self._number)).isoformat()
        number = f"p{self._number}"
        post: dict[str, Any] = {
            "id": number,
            "author": {"id": f"u{person}", "handle": f"person{person}", "name": f"Person {person}"},
            "text": self.texts(),
            "created_at": at,
            "language": "en",
            "url": f"http://sandbox.example/posts/{number}",
            "version": 1,
            "visibility": "public",
            "mentions": [],
        }
        kind = self._random.random()
        if kind < 0.40:
            post |= {"visibility": "private", "thread": f"t{person}"}
        elif kind < 0.65 and self._recent:
            post["in_reply_to"] = self._random.choice(self._recent)
        else:
            post["mentions"] = [{"id": "brand", "handle": "northbridge"}]
            self._recent = [*self._recent[-200:], number]
        return post

    def delivery(self, messages: int) -> bytes:
        """A page of the Sandbox with so many messages."""
        events = [{"type": "post.created", "post": self.post()} for _ in range(messages)]
        return json.dumps({"events": events, "last": str(self._number)}, ensure_ascii=False).encode()

    def deliveries(self, messages: int, each: int = 50) -> Iterator[bytes]:
        """So many messages, ``each`` to a delivery."""
        for start in range(0, messages, each):
            yield self.delivery(min(each, messages - start))
