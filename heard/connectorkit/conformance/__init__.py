"""The conformance suite: a connector supplies data in its folder and inherits these tests.

    class TestMastodon(ConnectorConformance):
        connector = CONNECTOR
        folder = Path(__file__).parent

Fixtures under ``fixtures/``:

* ``received/<case>/{payload.json|payload.eml, expected.json, meta.json?}``: a delivery and the events
  it becomes (``raw`` and attachment bytes are compared only where ``expected.json`` names them);
* ``sent/<case>/{order.json, exchange.json, expected.json, meta.json?}``: an order, the recorded
  exchange, the ``Sent`` it ends in;
* ``refused/<case>/…``: the same with ``{"error": "RateLimited", "retry_after_seconds": 30}``.

``meta.json`` may hold ``source``, ``headers``, ``account`` (changes to it) and ``now``. A test is left
out only by naming it in ``skipped`` with a sentence that says why.
"""

from __future__ import annotations

from .events import check_events
from .folder import FolderTests
from .receiving import ReceivingTests
from .sending import SendingTests

__all__ = ["ConnectorConformance", "check_events"]


class ConnectorConformance(FolderTests, ReceivingTests, SendingTests):
    """Inherit, set ``connector`` and ``folder``, and put fixtures into the folder."""
