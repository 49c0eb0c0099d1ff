"""Webhooks: events are pushed in batches, signed over the raw body, again and again until taken."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable

import httpx
import structlog

from .bell import Bell
from .events import events_after
from .posts import Refused
from .store import Store

BATCH = 100
TIMEOUT_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 60.0
SIGNATURE = "X-Sandbox-Signature"
log = structlog.get_logger(__name__)


def sign(secret: str, body: bytes) -> str:
    """The signature header for a body."""
    return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()


async def register(store: Store, client: httpx.AsyncClient, account: int, url: str, secret: str) -> None:
    """Keep a webhook once its address has answered the challenge; raises ``Refused``."""
    if not url.startswith(("http://", "https://")) or len(secret) < 8:
        raise Refused(422, "A webhook needs an http(s) address and a secret of at least 8 characters.")
    challenge = secrets.token_urlsafe(16)
    try:
        answer = await client.get(url, params={"challenge": challenge}, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Refused(422, f"The webhook's address did not answer ({type(error).__name__}).") from error
    if answer.status_code != 200 or answer.text.strip() != challenge:
        raise Refused(422, "The webhook's address did not give the challenge back.")
    last = store.row("SELECT coalesce(max(id), 0) AS last FROM events WHERE account = ?", account)
    with store.writing():
        store.run(
            "INSERT INTO webhooks VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account) DO UPDATE SET url = excluded.url, secret = excluded.secret",
            account,
            url,
            secret,
            last["last"] if last else 0,
        )


class Pusher:
    """Pushes to every registered webhook, each account's events in order."""

    def __init__(self, store: Store, bell: Bell, client: httpx.AsyncClient, now: Callable[[], float]) -> None:
        self._store = store
        self._bell = bell
        self._client = client
        self._now = now
        self._paused_until: dict[int, tuple[float, float]] = {}

    async def run(self) -> None:
        """For ever; cancelled at the end."""
        while True:
            pushed = False
            for hook in self._store.rows("SELECT * FROM webhooks"):
                until, _ = self._paused_until.get(hook["account"], (0.0, 0.0))
                if self._now() >= until:
                    pushed |= await self._push(hook["account"], hook["url"], hook["secret"], hook["pushed"])
            if not pushed:
                await self._bell.wait(1.0)

    async def _push(self, account: int, url: str, secret: str, after: int) -> bool:
        events, last = events_after(self._store, account, after, BATCH)
        if not events:
            return False
        body = b'{"events": [' + b", ".join(event.encode() for event in events) + b"]}"
        headers = {SIGNATURE: sign(secret, body), "Content-Type": "application/json"}
        try:
            answer = await self._client.post(url, content=body, headers=headers, timeout=TIMEOUT_SECONDS)
            taken = 200 <= answer.status_code < 300
        except httpx.HTTPError:
            taken = False
        if not taken:
            _, pause = self._paused_until.get(account, (0.0, 0.5))
            pause = min(LONGEST_PAUSE_SECONDS, max(0.5, pause) * 2)
            self._paused_until[account] = (self._now() + pause, pause)
            log.info("webhook_refused", account=account, next_in_seconds=pause)
            return False
        self._paused_until.pop(account, None)
        with self._store.writing():
            self._store.run("UPDATE webhooks SET pushed = ? WHERE account = ?", last, account)
        return True


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a background task and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
