"""``heard doctor``: what is wrong with this installation, in plain words, and what to do."""

from .examination import examine
from .findings import Finding, Level

__all__ = ["Finding", "Level", "examine"]
