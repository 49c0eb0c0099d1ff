"""What every process does first: settings, logs, equipment, and loading what rooms offer."""

from __future__ import annotations

import gc
import os

import django

from heard.config import options


def start(*, log_style: str = "") -> None:
    """Make Django and the rooms ready in this process. Calling it again does nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heard.config.settings")
    from heard.foundation import logging

    logging.configure(style=log_style or options.LOG_FORMAT.value, level=options.LOG_LEVEL.value)
    django.setup()
    equip()
    load_rooms()


def settle() -> None:
    """Everything is loaded: the garbage collector need not walk it again and again (an eighth of the time
    of a busy worker), nor look after every few hundred objects of a batch."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def equip() -> None:
    """Give the process its guarded net and its keys, made when first asked for."""
    from heard.foundation import equipment
    from heard.foundation.crypto import KeyRing
    from heard.foundation.net import AllowList, Guard, GuardedNet

    equipment.give(
        net=lambda: GuardedNet(
            Guard(AllowList.parse(options.ALLOW_ADDRESSES.value)),
            extra_ca_file=options.EXTRA_CA.value or None,
        ),
        keyring=lambda: KeyRing.open(options.data_folder() / "keys", options.KEYS.value),
    )


def load_rooms() -> None:
    """Import what registers itself: keepers of things, reactions, jobs, panels."""
    from heard.config.rooms import modules

    for name in ("facts", "permissions", "reactions", "schedule", "panels"):
        modules(name)
