"""What the installation stands on: folder, disk, memory, address, optional libraries. Needs no Django."""

from __future__ import annotations

import os
import shutil
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from heard.config.doctor.findings import Finding, fine, look, size_of, wrong
from heard.foundation.crypto import is_private

LEAST_SQLITE = (3, 38, 0)  # RETURNING came with 3.35, json_each without a build option with 3.38
LEAST_DISK_BYTES = 500_000_000
FEW_DISK_BYTES = 5_000_000_000
FEW_MEMORY_BYTES = 250_000_000
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def is_ours(path: Path) -> bool:
    """Whether this user can look into the folder and write there."""
    return os.access(path, os.R_OK | os.W_OK | os.X_OK)


def folder(path: Path) -> Finding:
    """The data folder exists, is ours to write in, and nobody else's to read."""
    if not os.path.isdir(path):
        return wrong(f"There is no data folder {path}.", "Name the right one with --data, or run: heard up")
    if not is_ours(path):
        return wrong(
            f"The data folder {path} cannot be read and written.",
            "Give it to the user that runs Heard (chown -R).",
        )
    if not is_private(path):
        return look(f"Other users of this machine can look into {path}.", f"Close it: chmod 700 {path}")
    return fine(f"The data folder {path} can be written, and is private.")


def secret_files(path: Path) -> list[Finding]:
    """Files that nobody else may read."""
    return [
        wrong(f"Other users of this machine can read {path / name}.", f"Close it: chmod 600 {path / name}")
        for name in ("keys", "secret-key")
        if (path / name).exists() and not is_private(path / name)
    ]


def disk(path: Path) -> Finding:
    """Space for what comes in."""
    try:
        free = shutil.disk_usage(path).free
    except OSError as error:
        return wrong(f"The disk of {path} cannot be asked ({error.strerror}).", "See whether it is mounted.")
    text = f"{size_of(free)} of disk are free."
    if free < LEAST_DISK_BYTES:
        return wrong(text, "Make room now: a full disk stops everything that comes in.")
    if free < FEW_DISK_BYTES:
        return look(text, "Make room soon, or keep raw deliveries for fewer days (HEARD_RAW_DAYS).")
    return fine(text)


def memory(meminfo: Path = Path("/proc/meminfo")) -> Finding:
    """Memory that is available, where the system says."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return fine("This system does not say how much memory is free.")
    text = f"{size_of(free)} of memory are available."
    if free < FEW_MEMORY_BYTES:
        return look(text, "Heard needs about 250 MB on one machine. Stop something else, or add memory.")
    return fine(text)


def sqlite(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> Finding:
    """SQLite is new enough."""
    shown = ".".join(map(str, version))
    if version < LEAST_SQLITE:
        return wrong(
            f"Python was built with SQLite {shown}; Heard needs 3.38.",
            "Use a newer Python, or PostgreSQL (HEARD_DATABASE_URL).",
        )
    return fine(f"SQLite {shown} is new enough.")


def address(url: str, *, behind_proxy: bool) -> Finding:
    """What people open, and whether cookies are safe on the way."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        return wrong(f"HEARD_URL is {url!r}, which nobody can open.", "Set it like https://heard.example.com")
    if parts.path.strip("/"):
        return wrong(f"HEARD_URL has a path ({parts.path}).", "Heard needs a host name of its own.")
    if parts.scheme == "http" and host not in _LOOPBACK:
        return wrong(
            f"People sign in at {url} without TLS: anybody on the way can read along.",
            "Put a reverse proxy with TLS in front and set HEARD_URL to its https address.",
        )
    if parts.scheme == "https" and not behind_proxy:
        return wrong(
            f"People open {url}, but Heard does not trust the proxy that makes it https.",
            "Set HEARD_TRUST_PROXY=1: else all visitors look like one, and share one limit of sign-ins.",
        )
    return fine(f"People open {url}.")


def hosts(given: str) -> list[Finding]:
    """Further host names are names, not addresses of pages."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    odd = [name for name in names if "/" in name or (":" in name and not name.startswith("["))]
    found = [
        wrong(f"HEARD_HOSTS holds {name!r}.", "Give host names only: no https://, no port, no path.")
        for name in odd
    ]
    if "*" in names:
        found.append(
            look("HEARD_HOSTS lets any host name in (*).", "Name them: a forged one ends up in links.")
        )
    return found


def libraries(*, wants_s3: bool) -> list[Finding]:
    """Libraries that only some settings need."""
    if wants_s3 and find_spec("boto3") is None:
        return [wrong("HEARD_S3 is set, and boto3 is not installed.", "Install it: pip install boto3")]
    return []
