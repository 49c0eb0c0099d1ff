"""Work: rows are the truth, a wake-up is a hint (invariant 4).

``jobs`` is where rooms say what can be done; ``leases`` how due rows are claimed; ``loop`` the
worker that sweeps them; ``hints`` how a worker is woken early; ``resting`` what is left alone for a while.
"""

from .hints import wake
from .jobs import Job, Lane, Slice, job, jobs
from .leases import Claimed, backoff_seconds, claim, finish
from .resting import Resting

__all__ = [
    "Claimed",
    "Job",
    "Lane",
    "Resting",
    "Slice",
    "backoff_seconds",
    "claim",
    "finish",
    "job",
    "jobs",
    "wake",
]
