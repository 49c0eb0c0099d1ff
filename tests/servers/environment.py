"""A virtual environment of a server's own, under .servers/: its packages are no business of Heard's."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from .process import Missing

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".servers"


def program(server: str, name: str) -> Path:
    """Where a program of the server's environment is; raises ``Missing`` before ``make servers``."""
    found = HOME / server / "bin" / name
    if not found.exists():
        raise Missing(f"{name} is not installed in .servers/{server} (make servers puts it there)")
    return found


def install(server: str, requirements: Path) -> None:
    """Put hashed requirements into the server's environment, unless exactly these are there already."""
    home = HOME / server
    stamp = home / "installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    venv.create(home, with_pip=True, clear=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(requirements)], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)
