"""The secret that signs sessions: one per installation, however many processes ask for it first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from heard.config.secrets import kept_secret

ASK = """
import pathlib, sys
from heard.config.secrets import kept_secret
print(kept_secret(pathlib.Path(sys.argv[1])))
"""


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret"
    asking = [
        subprocess.Popen([sys.executable, "-c", ASK, str(file)], stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    heard = {process.communicate(timeout=60)[0].strip() for process in asking}
    assert len(heard) == 1
    assert len(heard.pop()) >= 43
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_secret_half_made_is_finished_and_a_made_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.touch(0o600)  # its maker was killed before the first letter
    made = kept_secret(file)
    assert made
    file.chmod(0o400)
    assert kept_secret(file) == made
