"""The verbs of channels."""

from .connect import (
    change_access,
    change_brand,
    close,
    connect,
    pause,
    reconnect,
    resume,
    rotate_keys,
    test_connection,
)
from .deliveries import (
    ArrivedDelivery,
    UnderstoodDelivery,
    claim_deliveries,
    forget_bodies,
    keep_page,
    put_off_delivery,
    receive,
    replay,
    set_unreadable,
    settle_deliveries,
)
from .health import note_error, note_heard, note_look, note_streaming, refuse_channel, take_due_channels
from .link import VaultOf, open_link
from .streaming import StreamKeeper, take_line

__all__ = [
    "ArrivedDelivery",
    "StreamKeeper",
    "UnderstoodDelivery",
    "VaultOf",
    "change_access",
    "change_brand",
    "claim_deliveries",
    "close",
    "connect",
    "forget_bodies",
    "keep_page",
    "note_error",
    "note_heard",
    "note_look",
    "note_streaming",
    "open_link",
    "pause",
    "put_off_delivery",
    "receive",
    "reconnect",
    "refuse_channel",
    "replay",
    "resume",
    "rotate_keys",
    "set_unreadable",
    "settle_deliveries",
    "take_due_channels",
    "take_line",
    "test_connection",
]
