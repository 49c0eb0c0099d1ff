"""A Sandbox account that is only pushed to, and what its network says and signs."""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import timedelta

SECRET = "the network's and ours"


def hear_by_push(organization_id: int, brand_id: int) -> str:
    """A channel that nobody looks at for a year; returns the token of its hook."""
    from heard.domains.channels.actions.link import seal_secrets
    from heard.domains.channels.models import Channel
    from heard.foundation import clock

    row = Channel.objects.create(
        organization_id=organization_id,
        brand_id=brand_id,
        network="sandbox",
        native_id="northbridge",
        handle="northbridge",
        name="Northbridge",
        settings={"address": "http://127.0.0.1:9"},
        hook_token=secrets.token_urlsafe(32),
        connected_at=clock.now(),
        due_at=clock.now() + timedelta(days=365),
    )
    row.secrets = seal_secrets(row.organization_id, row.pk, {"token": "none", "webhook_secret": SECRET})
    row.save()
    return row.hook_token


def said(number: int) -> bytes:
    """A delivery of the Sandbox with one message."""
    post = {
        "id": f"p{number}",
        "author": {"id": "u1", "handle": "ann", "name": "Ann"},
        "text": "Where is it?",
        "created_at": "2026-11-22T10:00:00Z",
        "visibility": "private",
        "thread": "t1",
        "version": 1,
    }
    return json.dumps({"events": [{"type": "post.created", "post": post}]}).encode()


def signed(body: bytes) -> str:
    """What its network writes in the header ``X-Sandbox-Signature``."""
    return "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()
