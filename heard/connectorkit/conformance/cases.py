"""Fixture folders and what stands in them: the base of the three groups of tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from heard.connectorkit.errors import ConnectorError
from heard.connectorkit.plain import from_plain
from heard.connectorkit.testing import NOW, account_for, read_json
from heard.connectorkit.vocabulary import Account, RawDelivery, SendOrder, Source

#: Tests that nobody can leave out, because they are what makes leaving out honest.
UNSKIPPABLE = ("test_what_is_skipped_has_a_reason", "test_quality_answers_every_rule")


class FixtureCases:
    """What a connector's tests supply, and how their fixtures are read."""

    connector: ClassVar[Any]
    folder: ClassVar[Path]
    #: Left-out tests by name, each with a sentence that says why.
    skipped: ClassVar[Mapping[str, str]] = {}

    @property
    def account(self) -> Account:
        """The account in tests; override where the manifest's defaults do not make a good one."""
        return account_for(self.connector.manifest)

    @pytest.fixture(autouse=True)
    def _leave_out_what_is_listed(self, request: pytest.FixtureRequest) -> None:
        name = getattr(request.node, "originalname", request.node.name)
        if name in self.skipped and name not in UNSKIPPABLE:
            pytest.skip(self.skipped[name])

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test per fixture folder."""
        for kind in ("received", "sent", "refused"):
            if f"{kind}_case" in metafunc.fixturenames:
                cases = sorted(self._cases(kind))
                metafunc.parametrize(f"{kind}_case", cases, ids=[case.name for case in cases])

    @classmethod
    def _cases(cls, kind: str) -> list[Path]:
        home = cls.folder / "fixtures" / kind
        return [case for case in home.iterdir() if case.is_dir()] if home.is_dir() else []

    def _account_of(self, case: Path) -> Account:
        changes = read_json(case / "meta.json", {}).get("account", {})
        base = self.account
        for name in ("settings", "secrets", "limits"):
            if name in changes:
                changes[name] = {**getattr(base, name), **changes[name]}
        return dataclasses.replace(base, **changes)

    def _now_of(self, case: Path) -> datetime:
        written = read_json(case / "meta.json", {}).get("now")
        return datetime.fromisoformat(written) if written else NOW

    def _delivery(self, case: Path) -> RawDelivery:
        meta = read_json(case / "meta.json", {})
        path = next(path for name in ("payload.json", "payload.eml") if (path := case / name).exists())
        return self._wrap(path.read_bytes(), meta)

    @staticmethod
    def _wrap(body: bytes, meta: Mapping[str, Any]) -> RawDelivery:
        source = Source(meta.get("source", "poll"))
        return RawDelivery(source=source, body=body, received_at=NOW, headers=meta.get("headers", {}))

    def _order(self, case: Path) -> SendOrder:
        written: SendOrder = from_plain(SendOrder, read_json(case / "order.json"))
        return written

    def _keeps_secrets(self, account: Account, error: ConnectorError) -> None:
        told = f"{error.message} {error!r} {account!r}"
        for secret in account.secrets.values():
            assert secret not in told, "an error tells a secret"
