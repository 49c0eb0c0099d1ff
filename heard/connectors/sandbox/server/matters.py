"""What people come with: eighteen kinds of matter, and how each is carried."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matter:
    """A kind of matter.

    ``weight`` is how often it comes up, ``severity`` 0 (nothing is wrong) to 3 (somebody is harmed),
    ``mood`` where people start, ``private`` how likely they write privately first, ``photo`` how
    likely a picture comes with it.
    """

    name: str
    weight: int
    severity: int
    mood: float
    private: float = 0.25
    photo: float = 0.0


MATTERS: Mapping[str, Matter] = {
    matter.name: matter
    for matter in (
        Matter("late_order", 14, 2, -0.2, 0.3),
        Matter("double_charge", 7, 2, -0.4, 0.5),
        Matter("data_leak", 2, 3, -0.5, 0.4, 0.3),
        Matter("praise", 11, 0, 0.8, 0.1, 0.2),
        Matter("idea", 7, 1, 0.4, 0.15),
        Matter("hurt_child", 2, 3, -0.7, 0.3, 0.4),
        Matter("wrong_address", 6, 2, -0.2, 0.4, 0.1),
        Matter("press_question", 2, 2, 0.0, 0.6),
        Matter("broken_product", 10, 2, -0.3, 0.25, 0.5),
        Matter("refund", 8, 2, -0.4, 0.4),
        Matter("accessibility", 4, 2, -0.3, 0.15, 0.1),
        Matter("discrimination", 2, 3, -0.8, 0.2),
        Matter("job_applicant", 4, 1, 0.2, 0.6),
        Matter("spam", 5, 0, 0.5, 0.2),
        Matter("threat", 1, 3, -1.0, 0.3),
        Matter("lost_item", 4, 1, 0.1, 0.4, 0.05),
        Matter("outage", 5, 2, -0.3, 0.05, 0.2),
        Matter("question", 9, 1, 0.1, 0.2),
    )
}


def draw_matter(rng: random.Random) -> Matter:
    """One at random, by weight."""
    return rng.choices(list(MATTERS.values()), [matter.weight for matter in MATTERS.values()])[0]
