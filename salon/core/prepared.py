"""Queries compiled once and run many times: for the one path that runs them for every message.

Django's own SQL and converters, without building them anew each time. On PostgreSQL several run in one round trip,
each still a statement of its own with its own view of what is committed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from salon.core import pipeline

Row = tuple[Any, ...]


class Query:
    """A `values_list` queryset in which some values stand for others that are given at each run.

    `places` names each such value by one that stands in the queryset; it must not occur there for anything else.
    Belongs to the thread that made it. A queryset that locks must be made inside a transaction.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]", **places: int | str) -> None:
        self._compiler = queryset.query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        self.sql, params = self._compiler.as_sql()
        self._converters: Any = None
        names = {value: name for name, value in places.items()}
        self._params = [(names.get(param) if isinstance(param, int | str) else None, param) for param in params]
        if missing := set(places) - {name for name, _param in self._params}:
            raise ValueError(f"not in the query: {sorted(missing)}")

    def params(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters of one run."""
        return [param if name is None else values[name] for name, param in self._params]

    def rows(self, raw: Sequence[Sequence[Any]]) -> list[Row]:
        """Return what the database gave as Python values."""
        if not raw:
            return []
        if self._converters is None:
            # Known only when the SQL was built: what turns a column into a Python value.
            self._converters = self._compiler.get_converters([each[0] for each in self._compiler.select])
        if not self._converters:
            return [row if isinstance(row, tuple) else tuple(row) for row in raw]
        return [tuple(row) for row in self._compiler.apply_converters(raw, self._converters)]


def run(queries: Sequence[Query], values: Mapping[str, Any]) -> list[list[Row]]:
    """Run `queries` one after the other, in this order, and return the rows of each."""
    connection = connections[DEFAULT_DB_ALIAS]
    statements = [(query.sql, query.params(values)) for query in queries]
    if connection.vendor == "postgresql":
        raw: list[Any] = [rows for _count, rows in pipeline.run(connection, statements)]
    else:
        with connection.cursor() as cursor:
            raw = [cursor.execute(sql, params).fetchall() for sql, params in statements]
    return [query.rows(rows) for query, rows in zip(queries, raw, strict=True)]


def finish(statements: Sequence[pipeline.Statement], meanwhile: Callable[[], None] | None = None) -> list[int]:
    """Execute `statements` in this order as the last of an `atomic` block; return how many rows each changed.

    On PostgreSQL the COMMIT of an outermost block goes along, and `meanwhile` runs while the server works: it must not
    touch the database, and must not raise. Elsewhere it does not run: the one writer is not to wait for it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql":
        return [count for count, _rows in pipeline.run(connection, statements, is_last=True, meanwhile=meanwhile)]
    with connection.cursor() as cursor:
        return [cursor.execute(sql, params).rowcount for sql, params in statements]
