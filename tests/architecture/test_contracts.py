"""The contracts in pyproject.toml bite: a small house that keeps them, then one bad import at a time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT

HOUSE = {
    "config/cli.py": "from heard.domains.inbox import views",
    "connectorkit/errors.py": "",
    "connectorkit/registry.py": "",
    "connectors/mastodon/connector.py": "from heard.connectorkit import errors",
    "connectors/bluesky/connector.py": "from heard.connectorkit import errors",
    "domains/inbox/actions.py": "from . import queries\nfrom heard.domains.journal import actions",
    "domains/inbox/models.py": "from django.db import models\nfrom . import rules",
    "domains/inbox/queries.py": "from . import models\nfrom heard.domains.conversations import queries",
    "domains/inbox/rules.py": "import datetime",
    "domains/inbox/views.py": "from . import actions",
    "domains/conversations/queries.py": "",
    "domains/contacts/queries.py": "",
    "domains/journal/actions.py": "from heard.foundation import clock",
    "domains/journal/facts.py": "",
    "domains/listening/queries.py": "",
    "foundation/clock.py": "from django.utils import timezone",
    "reading/language.py": "",
    "ui/fragments.py": "",
}

BAD = [
    ("folders", "foundation/clock.py", "from heard.domains.inbox import queries"),
    ("folders", "ui/fragments.py", "from heard.foundation import clock"),
    ("folders", "domains/inbox/actions.py", "from heard.config import cli"),
    ("floors", "domains/conversations/queries.py", "from heard.domains.inbox import queries"),
    ("floors", "domains/inbox/queries.py", "from heard.domains.listening import queries"),
    ("floors", "domains/stables/queries.py", ""),
    ("inside-a-room", "domains/inbox/queries.py", "from . import actions"),
    ("inside-a-room", "domains/inbox/rules.py", "from . import models"),
    (
        "connectors-apart",
        "connectors/mastodon/connector.py",
        "from heard.connectors.bluesky import connector",
    ),
    ("no-django-below", "connectors/mastodon/connector.py", "from django.conf import settings"),
    ("no-django-below", "connectorkit/registry.py", "import django"),
    ("no-django-below", "reading/language.py", "import django"),
    ("ask-the-registry", "domains/inbox/actions.py", "from heard.connectors.mastodon import connector"),
    ("pure-decisions", "domains/inbox/rules.py", "from heard.foundation import clock"),
    ("pure-decisions", "domains/journal/facts.py", "from django.utils import timezone"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, source in HOUSE.items():
        build(tmp_path, path, source)
    return tmp_path


def build(house: Path, path: str, source: str) -> None:
    file = house / "heard" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    for folder in [file.parent, *file.parent.parents]:
        if folder == house:
            break
        (folder / "__init__.py").touch()


def lint(house: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    only = [part for contract in contracts for part in ("--contract", contract)]
    lint_imports = str(Path(sys.executable).parent / "lint-imports")
    return subprocess.run(
        [lint_imports, "--no-logo", "--no-cache", *only],
        cwd=house,
        env={"PYTHONPATH": str(house), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_house_in_order_keeps_every_contract(house):
    outcome = lint(house)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "0 broken" in outcome.stdout


@pytest.mark.parametrize(("contract", "path", "source"), BAD)
def test_one_bad_import_breaks_its_contract(house, contract, path, source):
    build(house, path, source)
    outcome = lint(house, contract)
    assert outcome.returncode == 1
    assert "1 broken" in outcome.stdout, outcome.stdout + outcome.stderr
