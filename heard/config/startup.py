"""What every process does first: settings, logs, equipment, and loading what rooms offer."""

from __future__ import annotations

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
    """Import what registers itself: reactions, jobs, panels."""
    from heard.config.rooms import modules

    for name in ("facts", "reactions", "schedule", "panels"):
        modules(name)
