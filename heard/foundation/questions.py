"""Reads of the ORM whose statement is made once for a connection and asked again with other ids.

Django makes the SQL of a query anew each time it is asked: of the 117 ms that an open case took under the
profiler, 76 were that, and 6 the database. A page asks the same twenty questions with other ids.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import ValuesListIterable
from django.db.models.sql.compiler import SQLCompiler

from heard.foundation.numbers import LARGEST

_Row = TypeVar("_Row")
_FIRST_MARK = 2**60
_ALIAS = "default"


class _Mark(int):
    """Stands for a value while the statement is made."""


def each(ids: Any) -> RawSQL:
    """``field__in=each(ids)``: one statement for any number of ids."""
    if connections[_ALIAS].vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [ids])
    return RawSQL("SELECT value FROM json_each(%s)", [ids])


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    parameters: tuple[Any, ...]
    compiler: SQLCompiler
    converters: dict[int, Any]
    names: tuple[str, ...]
    """Of the fields that a row brings; none: rows are tuples."""

    def filled(self, values: tuple[Any, ...]) -> list[Any]:
        found = []
        for parameter in self.parameters:
            number = parameter - _FIRST_MARK if isinstance(parameter, int) else -1
            if not 0 <= number < len(values):
                found.append(parameter)
            elif isinstance(values[number], int):
                found.append(values[number])
            else:
                ids = list(values[number])
                found.append(ids if connections[_ALIAS].vendor == "postgresql" else json.dumps(ids))
        return found


class Question(Generic[_Row]):
    """A question that is asked often, of ids.

    ``notes = Question(lambda case_id: Note.objects.filter(case_id=case_id).order_by("pk"))`` is asked as
    ``notes(7)`` and answers with a list.

    The function is called once for a connection, with marks instead of ids; what stands for several ids
    goes through ``each``. It answers with a query set of whole rows (``defer`` is understood,
    ``select_related`` is not) or of ``values_list`` tuples.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, _Row]]) -> None:
        self._make = make

    def __call__(self, *values: int | Iterable[int]) -> list[_Row]:
        """The rows for these ids, in order; none where one is larger than any id."""
        if any(isinstance(value, int) and value > LARGEST for value in values):
            return []
        connection = connections[_ALIAS]
        # A statement knows how its connection's values are read, so it lives and ends with the connection.
        statements: dict[Question[_Row], _Statement] = vars(connection).setdefault("heard_questions", {})
        made = statements.get(self)
        if made is None:
            made = statements[self] = self._statement(len(values))
        with connection.cursor() as cursor:
            cursor.execute(made.sql, made.filled(values))
            rows: Any = cursor.fetchall()
        if made.converters:
            rows = made.compiler.apply_converters(rows, made.converters)
        if not made.names:
            return [cast("_Row", tuple(row)) for row in rows]
        model = cast("type[Model]", made.compiler.query.model)
        return [cast("_Row", model.from_db(_ALIAS, made.names, row)) for row in rows]

    def _statement(self, count: int) -> _Statement:
        asked = self._make(*(_Mark(_FIRST_MARK + number) for number in range(count)))
        compiler = asked.query.get_compiler(_ALIAS)
        sql, parameters = compiler.as_sql()
        columns = [expression for expression, _, _ in compiler.select]
        if compiler.klass_info and compiler.klass_info.get("related_klass_infos"):
            raise TypeError("a question asks for rows of one table")
        names = ()
        if not issubclass(asked._iterable_class, ValuesListIterable):
            names = tuple(column.target.attname for column in columns)
        return _Statement(sql, tuple(parameters), compiler, compiler.get_converters(columns), names)
