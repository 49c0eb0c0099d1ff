"""What the Sandbox says of itself."""

from __future__ import annotations

from typing import Any

from heard.connectorkit.manifest import Field, FieldKind, Manifest, Terms

MANIFEST = Manifest(
    network="sandbox",
    name="Sandbox",
    summary="A simulated public to try, to train and to test with.",
    fields=(
        Field(
            "address",
            "Address",
            FieldKind.URL,
            help="Where the Sandbox answers, for example http://127.0.0.1:8765.",
        ),
        Field(
            "token",
            "Access token",
            FieldKind.SECRET,
            help="The company's token: “brand_token” in sandbox.json, beside the Sandbox's own file.",
        ),
        Field(
            "idempotency",
            "Hand over our keys",
            FieldKind.BOOL,
            help="Off, it behaves like a network that takes no idempotency key.",
            required=False,
            default="true",
            advanced=True,
        ),
        Field(
            "look_up",
            "Can be looked at",
            FieldKind.BOOL,
            help="Off, it behaves like a network where a lost answer has to be cleared up by a person.",
            required=False,
            default="true",
            advanced=True,
        ),
        Field(
            "webhook_secret",
            "Webhook secret",
            FieldKind.SECRET,
            help="Only where the Sandbox pushes to us: any secret of at least 8 characters.",
            required=False,
            advanced=True,
        ),
    ),
    steps=(
        "Start a Sandbox: heard sandbox serve (heard demo has started one already).",
        "It writes its address and the company's token into sandbox.json in the data folder.",
        "Enter both below.",
    ),
    poll_seconds=15,
    takes_key=True,
    terms=Terms(note="Nobody on the Sandbox is real: everything may be kept and learnt from."),
    met_real_service="The Sandbox server of this very version, in every test run.",
    colour="#6b4fd8",
)


def is_on(value: Any) -> bool:
    """A setting as it comes from a form, from JSON or from Python."""
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "false", "off", "no")
    return bool(value)
