"""``heard backup`` and ``heard restore``: everything an installation cannot do without, in one file."""

from .archive import BackupProblem
from .make import Made, make
from .rehearse import Rehearsal, rehearse
from .restore import Restored, restore

__all__ = ["BackupProblem", "Made", "Rehearsal", "Restored", "make", "rehearse", "restore"]
