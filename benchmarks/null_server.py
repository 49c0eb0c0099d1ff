"""``python -m benchmarks.null_server PORT``: reads the body, checks its signature, says 200. Nothing else."""

from __future__ import annotations

import asyncio
import hmac
import sys
from typing import Any

from .installation import WEBHOOK_SECRET


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """What every webhook front has to do at least."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    given = dict(scope["headers"]).get(b"x-sandbox-signature", b"")
    right = b"sha256=" + hmac.new(WEBHOOK_SECRET.encode(), body, "sha256").hexdigest().encode()
    status = 200 if hmac.compare_digest(given, right) else 403
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"OK\n"})


def main() -> None:
    """The same server with the same settings as ``heard web``."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    server = Server(
        application,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGI,
        log_enabled=False,
        backlog=1024,
        runtime_threads=1,
    )
    asyncio.run(server.serve())


if __name__ == "__main__":
    main()
