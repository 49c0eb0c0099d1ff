"""The installation that a test process runs on: a scratch folder, and no setting of the developer's own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

# What a test run is told on purpose: which database and broker to use, and how much to run.
GIVEN = {"HEARD_DATABASE_URL", "HEARD_BROKER_URL", "HEARD_TESTS", "HEARD_LEAVE_NOTHING_OUT"}
SETTINGS = "heard.config.settings"


def prepare() -> Path:
    """Point this process at an empty data folder, removed when it ends, and set Django up on it.

    Each process of a parallel run has its own folder: keys and databases are made there at first use.
    """
    for name in [name for name in os.environ if name.startswith("HEARD_") and name not in GIVEN]:
        del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="heard-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "static").mkdir()  # whitenoise warns where there is none, and warnings are errors
    os.environ["HEARD_TESTING"] = "1"
    os.environ["HEARD_DATA"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    if find_spec(SETTINGS) is not None:
        import django

        django.setup()
    return folder
