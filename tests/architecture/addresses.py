"""No file names a package registry or a folder of somebody's machine: it would work there only."""

from __future__ import annotations

import re

# Put together here, so that this file does not find itself.
REGISTRIES = [
    ("py" + "pi", "org"),
    ("python" + "hosted", "org"),
    ("npm" + "js", "org"),
    ("npm" + "js", "com"),
    ("deb[.]" + "debian", "org"),
    ("yarn" + "pkg", "com"),
    ("crates", "io"),
    ("rubygems", "org"),
    ("proxy[.]golang", "org"),
]
HOSTS = re.compile("(?i)" + "|".join(rf"\b{name}\.{end}\b" for name, end in REGISTRIES))
FOLDERS = re.compile(
    r"(?<![\w./])/(?:work/(?:main|shared|[.]library)|ro{2}t|home/(?!heard\b)\w+|Users/\w+|opt/p[y]pi)\b"
)


def tied_to_a_machine(path: str, source: str) -> list[str]:
    """Registry hosts and machine folders, with their line."""
    return [
        f"{path}:{number}: {found[0]} is tied to one machine or registry"
        for number, line in enumerate(source.splitlines(), 1)
        for pattern in (HOSTS, FOLDERS)
        for found in pattern.finditer(line)
    ]
