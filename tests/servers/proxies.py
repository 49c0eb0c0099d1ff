"""nginx and Caddy in front of something on loopback, with the files that ops/ gives to operators.

Only what has to differ is replaced: ports, the host's name, where certificates lie. Both run unprivileged.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .certificate import write_certificate
from .environment import ROOT
from .process import LOOPBACK, Missing, answers, free_port, running, scratch_folder, unprivileged

OPS = ROOT / "ops"
_MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/heard.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy with TLS: ``ca`` is the authority to trust, ``plain_url`` its address without TLS."""

    url: str
    plain_url: str
    ca: Path


@contextlib.contextmanager
def nginx(upstream_port: int) -> Iterator[Front]:
    """nginx with ``ops/nginx.conf``. Raises ``Missing`` when it is not installed."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Missing("nginx is not installed (Debian: apt-get install nginx-light)")
    owner = unprivileged("www-data")
    with scratch_folder("nginx", owner) as folder:
        plain, secure = free_port(), free_port()
        certificate, key = write_certificate(folder)
        for path in (certificate, key):
            owner.own(path)
        text = (OPS / "nginx.conf").read_text()
        text = re.sub(r"\n\s*listen \[::\][^\n]*", "", text)
        for old, new in (
            ("listen 80;", f"listen {LOOPBACK}:{plain};"),
            ("listen 443 ", f"listen {LOOPBACK}:{secure} "),
            ("server_name heard.example.com;", "server_name localhost;"),
            ("server 127.0.0.1:8400;", f"server {LOOPBACK}:{upstream_port};"),
            ("/etc/letsencrypt/live/heard.example.com/fullchain.pem", str(certificate)),
            ("/etc/letsencrypt/live/heard.example.com/privkey.pem", str(key)),
        ):
            if old not in text:
                raise AssertionError(f"ops/nginx.conf has no {old!r} any more")
            text = text.replace(old, new)
        (folder / "heard.conf").write_text(text)
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        with running(command, folder=folder, ready=lambda: answers(secure), owner=owner):
            yield Front(f"https://localhost:{secure}", f"http://localhost:{plain}", certificate)


@contextlib.contextmanager
def caddy(upstream_port: int) -> Iterator[Front]:
    """Caddy with ``ops/Caddyfile`` and an authority of its own. Raises ``Missing`` when not installed."""
    program = shutil.which("caddy")
    if program is None:
        raise Missing("Caddy is not installed (Debian: apt-get install caddy)")
    owner = unprivileged("caddy")
    with scratch_folder("caddy", owner) as folder:
        plain, secure = free_port(), free_port()
        options = "\n".join(
            ["{", "admin off", "skip_install_trust", f"http_port {plain}", f"https_port {secure}", "}"]
        )
        (folder / "Caddyfile").write_text(f"{options}\n{(OPS / 'Caddyfile').read_text()}")
        environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "HEARD_HOST": "localhost",
            "HEARD_WEB": f"{LOOPBACK}:{upstream_port}",
        }
        root = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        command = [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]

        def ready() -> bool:
            return root.exists() and answers(secure)

        with running(command, folder=folder, env=environment, ready=ready, owner=owner):
            yield Front(f"https://localhost:{secure}", f"http://localhost:{plain}", root)


PROXIES: dict[str, Callable[[int], contextlib.AbstractContextManager[Front]]] = {
    "nginx": nginx,
    "caddy": caddy,
}
