"""``python ops/check.py``: what can be known of these files where no engine, proxy or systemd runs.

Images are pinned, settings exist, commands are understood, ports and references agree, and limits fit
what Heard takes. Exit 1 names what does not fit.
"""
# ruff: noqa: INP001 - a script beside the files that it looks at, not a package

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).resolve().parent
_KEY = re.compile(r"""^(?P<key>[A-Za-z0-9_.-]+):(?:\s+(?P<value>\S.*))?$""")
_PINNED = re.compile(r"^[a-z0-9./-]+:\d+\.\d+[\w.-]*$")
_SETTING = re.compile(r"\bHEARD_[A-Z0-9_]+\b")
# Read by the proxy and by compose, not by Heard.
_OTHERS = {"HEARD_HOST", "HEARD_WEB"}


class Misshapen(ValueError):
    """A line that is not in the part of YAML that compose.yaml keeps to."""


def read_yaml(text: str) -> Any:
    """Mappings, lists, quoted strings and lists in brackets: the YAML that nobody can misread.

    Every string is quoted, so no value is a number, a date or a truth value by accident.
    """
    lines = [
        (len(line) - len(line.lstrip(" ")), line.strip())
        for line in text.splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    if any("\t" in line for _, line in lines):
        raise Misshapen("There is a tab.")
    found, rest = _block(lines, 0)
    if rest:
        raise Misshapen(f"Its place is not clear: {rest[0][1]}")
    return found


def _block(lines: list[tuple[int, str]], depth: int) -> tuple[Any, list[tuple[int, str]]]:
    if not lines or lines[0][0] < depth:
        return None, lines
    if lines[0][0] != depth:
        raise Misshapen(f"It stands too far to the right: {lines[0][1]}")
    if lines[0][1].startswith("- "):
        items = []
        while lines and lines[0][0] == depth and lines[0][1].startswith("- "):
            items.append(_value(lines[0][1][2:]))
            lines = lines[1:]
        return items, lines
    mapping: dict[str, Any] = {}
    while lines and lines[0][0] == depth:
        parts = _KEY.match(lines[0][1])
        if parts is None or parts["key"] in mapping:
            raise Misshapen(f"It is no key, or there twice: {lines[0][1]}")
        lines = lines[1:]
        if parts["value"] is not None:
            mapping[parts["key"]] = _value(parts["value"])
        else:
            mapping[parts["key"]], lines = _block(lines, depth + 2)
    return mapping, lines


def _value(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return [_value(part.strip()) for part in text[1:-1].split(",")]
    if re.fullmatch(r'"[^"\\]*"', text):
        return text[1:-1]
    if re.fullmatch(r"[a-z]+", text) and text not in {"yes", "no", "on", "off", "true", "false", "null"}:
        return text
    raise Misshapen(f"A text needs its quotes: {text}")


def settings(name: str, text: str) -> Iterator[str]:
    """Settings that Heard does not know."""
    from heard.config import options

    known = {option.name for option in options.OPTIONS} | _OTHERS
    for found in sorted(set(_SETTING.findall(text)) - known):
        yield f"{name}: there is no setting {found}"


def command(name: str, words: list[str]) -> Iterator[str]:
    """A command line that ``heard`` would not understand."""
    from heard.config.cli import cli

    with click.Context(cli, info_name="heard") as context:
        found = cli.get_command(context, words[0]) if words else None
        if found is None:
            yield f"{name}: there is no command heard {' '.join(words[:1])}"
            return
        try:
            found.make_context(words[0], words[1:], parent=context)
        except click.ClickException as error:
            yield f"{name}: heard {' '.join(words)}: {error.format_message()}"


def compose(text: str) -> Iterator[str]:
    """What does not fit in compose.yaml."""
    found = read_yaml(text)
    services = found["services"]
    for name, service in services.items():
        for complaint in _service(name, service, services, found["volumes"]):
            yield f"compose.yaml: {name}: {complaint}"
    if not any("build" in service for service in services.values()):
        yield "compose.yaml: nobody builds the image heard"
    web = services["web"]["command"]
    port = web[web.index("--port") + 1]
    if services["caddy"]["environment"]["HEARD_WEB"] != f"web:{port}":
        yield f"compose.yaml: Caddy looks for web at another port than {port}"


def _service(name: str, service: Any, services: Any, volumes: Any) -> Iterator[str]:
    image = service["image"]
    if not _PINNED.match(image):
        yield f"the image {image} is not pinned to a version"
    if image.startswith("heard:"):
        yield from command(name, service["command"])
    yield from (f"it waits for {other}, which is not there" for other in _absent(service, services))
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        if source.startswith("."):
            if not (HERE / source).exists():
                yield f"there is no {source}"
        elif source not in volumes:
            yield f"the volume {source} is not declared"


def _absent(service: Any, services: Any) -> list[str]:
    return [other for other in service.get("depends_on", {}) if other not in services]


def containerfile(text: str, root: Path) -> Iterator[str]:
    """Images that are not pinned, and files that are not there."""
    for line in text.splitlines():
        words = line.split()
        if line.startswith("FROM") and not _PINNED.match(words[1]):
            yield f"Containerfile: the image {words[1]} is not pinned to a version"
        if line.startswith("COPY") and not words[1].startswith("--from"):
            for source in words[1:-1]:
                if not (root / source).exists():
                    yield f"Containerfile: there is no {source}"


def unit(name: str, text: str) -> Iterator[str]:
    """What a systemd unit starts."""
    starts = re.findall(r"^ExecStart=(.+)$", text, flags=re.MULTILINE)
    if len(starts) != 1:
        yield f"{name}: it should start one command"
        return
    program, *words = shlex.split(starts[0].replace("910%i", "9101").replace("%i", "8400"))
    if program != "/opt/heard/bin/heard":
        yield f"{name}: it starts {program}"
    yield from command(name, words)
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "User=heard", "StateDirectoryMode=0700"):
        if line not in text.splitlines():
            yield f"{name}: {line} is missing"


def proxies(caddy: str, nginx: str) -> Iterator[str]:
    """Where proxies send people, what they let through, and that live streams are not held back."""
    yield from _proxy("Caddyfile", caddy, r"max_size (\d+)MB", "flush_interval -1")
    yield from _proxy("nginx.conf", nginx, r"client_max_body_size (\d+)m;", "proxy_buffering off;")
    for header in ("X-Forwarded-For $remote_addr", "X-Forwarded-Proto $scheme", "Host $host"):
        if f"proxy_set_header {header};" not in nginx:
            yield f"nginx.conf: {header} is missing"


def _proxy(name: str, text: str, sizes: str, live: str) -> Iterator[str]:
    from heard.config import hooks
    from heard.domains.media.rules import LARGEST_BYTES

    if "127.0.0.1:8400" not in text:
        yield f"{name}: it does not send to 127.0.0.1:8400"
    if live not in text:
        yield f"{name}: live streams are held back ({live} is missing)"
    if text.count("{") != text.count("}"):
        yield f"{name}: a bracket is open"
    given = sorted(int(size) * 1_000_000 for size in re.findall(sizes, text))
    if not given or given[0] < hooks.LARGEST_BODY or given[-1] < LARGEST_BYTES:
        yield f"{name}: it refuses what Heard would take ({given})"
    if "/metrics" not in text:
        yield f"{name}: it shows /metrics to everybody"


def everything() -> list[str]:
    """All complaints."""
    found: list[str] = []
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            found += settings(path.name, path.read_text())
    try:
        found += compose((HERE / "compose.yaml").read_text())
    except Misshapen as error:
        found.append(f"compose.yaml: {error}")
    found += containerfile((HERE / "Containerfile").read_text(), HERE.parent)
    for path in sorted((HERE / "systemd").glob("*.service")):
        found += unit(path.name, path.read_text())
    found += proxies((HERE / "Caddyfile").read_text(), (HERE / "nginx.conf").read_text())
    return found


def main() -> None:
    """Say what does not fit; exit 1 if anything does not."""
    from heard.config import startup

    startup.start()
    complaints = everything()
    for complaint in complaints:
        click.echo(complaint, err=True)
    if not complaints:
        click.echo("The files for running Heard fit together.")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
