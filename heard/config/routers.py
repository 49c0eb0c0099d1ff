"""Which database a table lives in: deliveries have a file of their own on SQLite."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model


class DeliveriesRouter:
    """Models that declare ``in_deliveries_file`` live in ``deliveries`` where that database exists."""

    @staticmethod
    def _is_apart(model: type[Model] | None) -> bool:
        return bool(getattr(model, "in_deliveries_file", False)) and "deliveries" in settings.DATABASES

    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:
        """Where to read this model."""
        return "deliveries" if self._is_apart(model) else None

    def db_for_write(self, model: type[Model], **_hints: Any) -> str | None:
        """Where to write this model."""
        return "deliveries" if self._is_apart(model) else None

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **_hints: Any
    ) -> bool | None:
        """Each table is made in its own database only."""
        if "deliveries" not in settings.DATABASES:
            return None
        if model_name is None:
            return db != "deliveries"  # data migrations of others know the main file only
        from django.apps import apps

        # Historical models carry no marks of ours: ask the model as it is now.
        try:
            model = apps.get_model(app_label, model_name)
        except LookupError:
            model = None
        return (db == "deliveries") == self._is_apart(model)
