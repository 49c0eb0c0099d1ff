"""Every setting an operator can give: its environment variable, meaning and default, in one place.

``docs/reference/settings.md`` is generated from this list; a test fails when it is stale.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Option:
    """One environment variable."""

    name: str
    default: str
    help: str
    secret: bool = False

    @property
    def value(self) -> str:
        """What is set, else the default."""
        return os.environ.get(self.name, self.default)

    @property
    def number(self) -> int:
        """A whole number above zero. Raises ``ValueError`` with a sentence."""
        try:
            found = int(self.value)
        except ValueError:
            found = 0
        if found < 1:
            raise ValueError(f"{self.name} must be a whole number above zero, not {self.value[:40]!r}.")
        return found

    @property
    def is_on(self) -> bool:
        """For switches: ``1``, ``true``, ``yes``, ``on``."""
        return self.value.strip().lower() in {"1", "true", "yes", "on"}


DATA = Option("HEARD_DATA", "./var", "Folder of the installation: databases, files, keys. Also `--data DIR`.")
DATABASE_URL = Option(
    "HEARD_DATABASE_URL",
    "",
    "`postgresql://user:password@host:port/name`. Empty: SQLite files in the data folder.",
    secret=True,
)
BROKER_URL = Option(
    "HEARD_BROKER_URL",
    "",
    "`amqp://user:password@host:port/vhost` of RabbitMQ, for hints between machines. Empty: sweeps only.",
    secret=True,
)
URL = Option(
    "HEARD_URL",
    "http://127.0.0.1:8400",
    "The address people open, as they type it. Unset, it is the one that heard up or heard demo served last.",
)
HOSTS = Option("HEARD_HOSTS", "", "Further host names that may be asked for, separated by commas.")
SECRET_KEY = Option(
    "HEARD_SECRET_KEY",
    "",
    "Signs sessions. Empty: a file in the data folder, made at first start.",
    secret=True,
)
KEYS = Option(
    "HEARD_KEYS",
    "",
    "Encryption keys for secrets at rest, for several machines. Empty: the file `keys` in the data folder.",
    secret=True,
)
ALLOW_ADDRESSES = Option(
    "HEARD_ALLOW_ADDRESSES",
    "",
    "Private or plain-http addresses that Heard may call, separated by commas: hosts, host:port or networks.",
)
EXTRA_CA = Option("HEARD_EXTRA_CA", "", "A PEM file with further certificate authorities to trust.")
TRUST_PROXY = Option(
    "HEARD_TRUST_PROXY",
    "",
    "Set to 1 behind a reverse proxy that sets X-Forwarded-For and X-Forwarded-Proto.",
)
MAIL_URL = Option(
    "HEARD_MAIL_URL",
    "",
    "`smtp://user:password@host:port` (or `smtps://`) for invitations. Empty: links are shown.",
    secret=True,
)
MAIL_FROM = Option("HEARD_MAIL_FROM", "heard@localhost", "Sender of invitations and notices.")
OIDC = Option(
    "HEARD_OIDC",
    "",
    "OpenID Connect sign-in as JSON: a list of {id, name, server_url, client_id, secret}. A provider "
    "on a private address is listed in HEARD_ALLOW_ADDRESSES too.",
    secret=True,
)
S3 = Option(
    "HEARD_S3",
    "",
    "S3-compatible file store as JSON: {bucket, endpoint_url, access_key, secret_key, region}. Needs boto3 "
    "(requirements/s3.txt). Without keys, those of the machine's role are used.",
    secret=True,
)
METRICS_TOKEN = Option(
    "HEARD_METRICS_TOKEN", "", "Bearer token for /metrics. Empty: loopback only.", secret=True
)
LOG_FORMAT = Option("HEARD_LOG_FORMAT", "auto", "`json`, `console`, or `auto` (console on a terminal).")
LOG_LEVEL = Option("HEARD_LOG_LEVEL", "INFO", "Least severe level that is logged.")
RAW_DAYS = Option("HEARD_RAW_DAYS", "30", "Days after which an understood delivery's raw body goes.")
SEND_LEASE_SECONDS = Option(
    "HEARD_SEND_LEASE_SECONDS",
    "120",
    "How long a send may take before its worker counts as dead. Longer than any network's time-out.",
)
GALLERY = Option("HEARD_GALLERY", "", "Set to 1 to show the component gallery under /gallery/.")
WEB_THREADS = Option("HEARD_WEB_THREADS", "4", "Threads that serve pages in one web process.")
NETWORK_THREADS = Option("HEARD_NETWORK_THREADS", "8", "Network calls side by side in one worker.")

OPTIONS = [value for value in list(globals().values()) if isinstance(value, Option)]


def data_folder() -> Path:
    """The installation's folder, absolute."""
    return Path(DATA.value).expanduser().resolve()


_ADDRESS = "address"


def address() -> str:
    """What people open: HEARD_URL, else where ``heard up`` or ``heard demo`` last served this folder.

    So a command beside a demo on another port prints links that can be followed.
    """
    if os.environ.get(URL.name):
        return URL.value.rstrip("/")
    try:
        kept = (data_folder() / _ADDRESS).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        kept = ""
    return kept or URL.default


def keep_address(url: str) -> None:
    """Remember where this folder is served. A folder that cannot be written is said elsewhere."""
    with contextlib.suppress(OSError):
        (data_folder() / _ADDRESS).write_text(f"{url}\n", encoding="ascii")


def database_of(url: str) -> dict[str, object]:
    """Django's connection settings from a ``postgresql://`` URL.

    Raises ``ValueError`` with a sentence when it is no such URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError("HEARD_DATABASE_URL must look like postgresql://user:password@host:port/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def providers_of(text: str) -> list[dict[str, str]]:
    """The OpenID Connect providers from JSON. Raises ``ValueError`` with a sentence; it repeats no value."""
    try:
        given = json.loads(text or "[]")
    except ValueError:
        raise ValueError(
            "HEARD_OIDC must be a JSON list of {id, name, server_url, client_id, secret}."
        ) from None
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise ValueError("HEARD_OIDC must be a JSON list of {id, name, server_url, client_id, secret}.")
    for place, entry in enumerate(given, 1):
        lacking = [name for name in ("id", "name", "server_url", "client_id") if not entry.get(name)]
        if lacking:
            raise ValueError(f"HEARD_OIDC: provider {place} lacks {', '.join(lacking)}.")
    return given


_STORE = {
    "bucket": "bucket_name",
    "endpoint_url": "endpoint_url",
    "access_key": "access_key",
    "secret_key": "secret_key",
    "region": "region_name",
}


def store_of(text: str) -> dict[str, str]:
    """The S3 store's settings from JSON. Raises ``ValueError`` with a sentence, which repeats no value."""
    try:
        given = json.loads(text)
    except ValueError:
        raise ValueError('HEARD_S3 must be JSON like {"bucket": "heard-files", …}.') from None
    if not isinstance(given, dict) or not given.get("bucket"):
        raise ValueError("HEARD_S3 names no bucket.")
    unknown = sorted(set(given) - set(_STORE))
    if unknown:
        raise ValueError(f"HEARD_S3 holds {', '.join(unknown)}; it knows {', '.join(_STORE)}.")
    if any(not isinstance(value, str) for value in given.values()):
        raise ValueError("HEARD_S3 holds something that is not text.")
    if bool(given.get("access_key")) != bool(given.get("secret_key")):
        raise ValueError("HEARD_S3 needs access_key and secret_key together, or neither.")
    return {_STORE[name]: value for name, value in given.items() if value}
