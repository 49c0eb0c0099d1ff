"""A test run stands on a scratch installation, whatever the developer's own settings say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.environment import ROOT

SHOW = "from tests.house.environment import prepare; import os; print(prepare()); print(sorted(os.environ))"


def run(**settings: str) -> tuple[Path, str]:
    # Only the folder and the settings are looked at; Django is not needed for that.
    script = f"import tests.house.environment as house; house.find_spec = lambda name: None; {SHOW}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    folder, names = done.stdout.splitlines()
    return Path(folder), names


def test_the_developers_own_settings_do_not_reach_a_test():
    _, names = run(HEARD_SECRET_KEY="mine", HEARD_MAIL_URL="smtp://127.0.0.1", HEARD_DATABASE_URL="")
    assert "HEARD_SECRET_KEY" not in names
    assert "HEARD_MAIL_URL" not in names
    assert "HEARD_DATABASE_URL" in names


def test_each_process_has_a_folder_of_its_own_and_removes_it():
    first, _ = run()
    second, _ = run()
    assert first != second
    assert not first.exists()
    assert not second.exists()


def test_this_run_does_not_touch_the_installation_beside_it():
    folder = Path(os.environ["HEARD_DATA"])
    assert folder.is_dir()
    assert not folder.is_relative_to(ROOT)


def test_the_database_is_closed_to_tests_that_do_not_ask_for_it():
    from django.contrib.sessions.models import Session

    with pytest.raises(RuntimeError, match="Database access not allowed"):
        Session.objects.count()
