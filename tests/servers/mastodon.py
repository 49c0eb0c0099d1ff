"""mastodon_mock: a stateful Mastodon with streaming and faults on demand, two accounts seeded.

Known to differ from the real thing: a URL counts at its own length there, 23 on a real server.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from .environment import program
from .process import LOOPBACK, free_port, running, scratch_folder

# A real server allows 300 requests in five minutes. One server carries a whole test run, so its window is
# wider; what Heard does at the limit is asked with `fault({"effect": {"type": "ratelimit"}})`.
SEED = """
[streaming]
heartbeat_seconds = 2.0
[ratelimit]
enabled = true
limit = 30000
window_seconds = 300
[[seed.accounts]]
username = "brand"
display_name = "Brand"
access_token = "brand_token"
[[seed.accounts]]
username = "customer"
display_name = "Customer"
access_token = "customer_token"
"""


@dataclass(frozen=True, slots=True)
class Mastodon:
    """``brand`` is the company's account, ``customer`` somebody who writes to it."""

    url: str
    brand_token: str = "brand_token"
    customer_token: str = "customer_token"

    def fault(self, rule: Mapping[str, Any]) -> None:
        """Make the next matching request fail, once unless ``count`` says otherwise.

        ``{"match": {"methods": ["POST"], "path": "/api/v1/statuses"}, "effect": {"type": …}, "count": 1}``
        where the type is ``status`` (with ``status``), ``ratelimit``, ``latency`` (with ``delay_ms``: it
        is carried out, late), ``malformed``, or ``timeout`` (carried out after 30 s).
        """
        httpx.post(f"{self.url}/api/v1/_mock/faults", json={"count": 1, **rule}).raise_for_status()

    def heal(self) -> None:
        """Take back every fault."""
        httpx.delete(f"{self.url}/api/v1/_mock/faults").raise_for_status()


@contextlib.contextmanager
def mastodon(port: int | None = None) -> Iterator[Mastodon]:
    """A running server with an empty timeline. Raises ``Missing`` before ``make servers``."""
    serve = program("mastodon", "mastodon_mock")
    with scratch_folder("mastodon") as folder:
        (folder / "seed.toml").write_text(SEED)
        port = port or free_port()
        url = f"http://{LOOPBACK}:{port}"
        command = [str(serve), "serve", "--in-memory", "--config", "seed.toml"]
        command += ["--host", LOOPBACK, "--port", str(port), "--log-level", "warning"]
        # It keeps uploads in the temporary folder and never removes them.
        environment = {**os.environ, "TMPDIR": str(folder)}
        with running(command, folder=folder, env=environment, ready=lambda: _serves(url)):
            yield Mastodon(url)


def _serves(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/api/v1/instance").status_code == httpx.codes.OK
    return False
