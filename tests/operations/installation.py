"""An installation of its own for a test, spoken with by its command line as an operator does."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Installation:
    """A data folder, and a database address where it is not embedded."""

    data: Path
    database_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, module: str = "heard") -> subprocess.CompletedProcess[str]:
        """Run a command and wait for it."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
            env=self.surroundings(),
        )

    def surroundings(self) -> dict[str, str]:
        """The environment of its processes: nothing of the test run's own installation."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
        return {
            **kept,
            "HEARD_DATA": str(self.data),
            "HEARD_DATABASE_URL": self.database_url,
            "HEARD_LOG_LEVEL": "WARNING",
            **self.environment,
        }

    def works(self, *arguments: str, module: str = "heard") -> str:
        """Run a command that must work; what it printed."""
        done = self.run(*arguments, module=module)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """Run a command that must say no; what it said."""
        done = self.run(*arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr + done.stdout

    def with_customers(self, count: int = 20) -> Installation:
        """A company that heard ``count`` messages."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.works(str(count), module="tests.operations.small_company")
        return self

    def ask(self, statement: str, file: str = "heard.sqlite3") -> list[tuple[object, ...]]:
        """Rows of one of the SQLite files."""
        with closing(sqlite3.connect(self.data / file)) as database:
            return database.execute(statement).fetchall()
