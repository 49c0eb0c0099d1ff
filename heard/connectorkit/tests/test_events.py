"""What the conformance suite holds against an event, and what it does not."""

from __future__ import annotations

import pytest

from heard.connectorkit.conformance import check_events
from heard.connectorkit.vocabulary import UnknownEvent


def test_a_nul_byte_cannot_be_stored():
    for text in ("\x00", "a\x00", "\\\x00"):
        with pytest.raises(AssertionError, match="NUL"):
            check_events([UnknownEvent(text)])


def test_somebody_who_writes_about_nul_bytes_can_be_stored():
    check_events([UnknownEvent("\\u0000"), UnknownEvent("\\\\u0000")])
