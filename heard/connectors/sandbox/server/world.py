"""The simulated public: a clock of its own, and what happens on it.

Everything drawn is drawn from the seed and the number of what happens, so the same seed tells the
same stories. The people's clock runs faster than ours (``speed``), so that their patience can be
lived through in a demo; what they post carries our time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from . import happenings, replies, storms
from .drawing import draw_png
from .moods import Temper
from .people import draw_person
from .posts import Draft, Refused, add_media, create_post
from .store import AccountRow, Store
from .texts_of import texts

#: No tick does more than this, so that the server stays quick to answer whatever is asked of it.
MOST_PER_TICK = 100
LONG_SILENCE_SECONDS = 45 * 60.0


@dataclass(slots=True)
class Pace:
    """How lively it is: spontaneous messages per minute, the people's minutes in one of ours."""

    messages_per_minute: float
    speed: float
    quiet: bool


class World:
    """The people of one Sandbox. ``now`` gives Unix seconds."""

    def __init__(
        self, store: Store, base_url: str, pace: Pace, *, seed: int, now: Callable[[], float]
    ) -> None:
        self.store = store
        self.base_url = base_url
        self.pace = pace
        self.now = now
        self._seed = store.setting("seed", str(seed))
        self._owed = 0.0
        self._begun = now()
        self.minutes = float(store.setting("people_minutes", "0"))
        with store.writing():
            store.keep("seed", self._seed)

    def rng(self, *about: object) -> random.Random:
        """Chance, the same for the same seed and subject."""
        return random.Random(f"{self._seed}:{':'.join(map(str, about))}")  # noqa: S311 - play, not secrets

    def tick(self, seconds: float) -> int:
        """Let ``seconds`` of our time pass; how many posts it brought. One transaction."""
        before = self.store.row("SELECT coalesce(max(id), 0) AS last FROM posts")
        with self.store.writing():
            self.minutes += seconds / 60 * self.pace.speed
            self.store.keep("people_minutes", repr(self.minutes))
            storms.tick(self)
            if not self.pace.quiet:
                self._spontaneous(seconds)
                replies.tick(self)
        after = self.store.row("SELECT coalesce(max(id), 0) AS last FROM posts")
        return int(after["last"] - before["last"]) if before and after else 0

    def _spontaneous(self, seconds: float) -> None:
        due = self.pace.messages_per_minute * seconds / 60 * self._interest()
        self._owed += min(float(MOST_PER_TICK), due)
        while self._owed >= 1:
            self._owed -= 1
            happenings.happen(self, self.count("happened"))

    def _interest(self) -> float:
        """A company that has been silent for long is talked to less: a demo left alone stays small."""
        row = self.store.row(
            "SELECT max(p.created_at) AS spoken FROM posts p JOIN accounts a ON a.id = p.author"
            " WHERE a.kind = 'brand' AND p.id > (SELECT max(id) FROM posts) - 5000"
        )
        last = max((row["spoken"] if row else None) or 0.0, self._begun)
        return 1.0 if self.now() - last < LONG_SILENCE_SECONDS else 0.15

    def count(self, what: str) -> int:
        """The next number of its kind, kept."""
        number = int(self.store.setting(what, "0")) + 1
        self.store.keep(what, str(number))
        return number

    def newcomer(self, rng: random.Random, language: str | None = None) -> AccountRow:
        """Somebody who was not here before."""
        person = draw_person(rng, language)
        handle = person.handle
        while self.store.account_by("handle", handle) is not None:
            handle = f"{person.handle[:24]}{self.count('namesakes')}"
        nature = {
            "patience_minutes": person.temper.patience_minutes,
            "warmth": person.temper.warmth,
            "openness": person.temper.openness,
        }
        return self.store.add_account(
            handle, person.name, "person", now=self.now(), language=person.language, temper=nature
        )

    def say(
        self,
        rng: random.Random,
        account: AccountRow,
        text: str,
        *,
        to: int | None = None,
        in_reply_to: int | None = None,
        photo: bool = False,
    ) -> int | None:
        """Post as a person, privately where ``to`` is given; ``None`` when the network refused."""
        media = []
        if photo:
            known = texts(account.language)
            alt = rng.choice(known.alt).replace("{product}", rng.choice(known.slots["product"]))
            name = f"IMG_{rng.randint(1000, 9999)}.png"
            media = [add_media(self.store, account.id, name, "image/png", draw_png(rng), alt=alt)]
        draft = Draft(
            author=account.id,
            text=text,
            visibility="private" if to is not None else "public",
            in_reply_to=in_reply_to,
            to=to,
            media=media,
            language=account.language,
        )
        try:
            return create_post(self.store, self.base_url, draft, self.now()).id
        except Refused:  # what they answer is gone, or somebody blocked somebody: they say nothing
            return None

    def temper(self, account: AccountRow) -> Temper:
        """Somebody's nature."""
        return Temper(**account.temper) if account.temper else Temper()

    def heard(self, number: int) -> None:
        """A company has posted; whoever it answers will react, in their own time."""
        if not self.pace.quiet:
            with self.store.writing():
                replies.heard(self, number)
