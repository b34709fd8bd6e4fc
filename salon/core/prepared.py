"""Queries compiled once and run many times: for the hand-over of every message, and for what each page of clients asks.

Django's own SQL and converters, without building them anew each time. On PostgreSQL several run in one round trip,
each still a statement of its own with its own view of what is committed.
"""

import datetime as dt
import functools
import json
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ParamSpec

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute

from salon.core import pipeline

P = ParamSpec("P")
Row = tuple[Any, ...]
Statement = pipeline.Statement

# Attributes of a model that keep a value as the database gave it, and do nothing more.
_KEEPING = (DeferredAttribute, ForeignKeyDeferredAttribute)
# Stands in a query for a moment that is given at each run.
MOMENT = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_WORD = re.compile(r"[a-z_]+")
_PLACE = re.compile(r"%[s%]")


class Query:
    """A queryset in which some values stand for others that are given at each run.

    `places` names each such value by one that stands in the queryset; it must not occur there for anything else.
    Belongs to the thread that made it. A queryset that locks must be made inside a transaction.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]", **places: int | str | dt.datetime) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        self._adapt = connection.ops.adapt_datetimefield_value
        self._compiler = queryset.query.get_compiler(connection=connection)
        sql, params = self._compiler.as_sql()
        self._converters: Any = None
        self._make: Callable[[Row], Any] | None = None
        names = {self._given(value): name for name, value in places.items()}
        known = [(names.get(param) if isinstance(param, int | str | dt.datetime) else None, param) for param in params]
        if missing := set(places) - {name for name, _param in known}:
            raise ValueError(f"not in the query: {sorted(missing)}")
        self.sql, self._params = _with_words(sql, known)

    def _given(self, value: Any) -> Any:
        return self._adapt(value) if isinstance(value, dt.datetime) else value

    def params(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters of one run."""
        return [param if name is None else self._given(values[name]) for name, param in self._params]

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

    def objects(self, rows: Sequence[Row]) -> list[Any]:
        """Return the rows of a queryset of objects as these, with those that `select_related` brings along."""
        if self._make is None:
            self._make = _maker(self._compiler.klass_info, self._compiler.select)
        return [self._make(row) for row in rows]


def _maker(info: Mapping[str, Any], select: Sequence[Any]) -> Callable[[Row], Any]:
    """Return what makes an object of a row, with those that `select_related` brings along.

    As Model.from_db, by which columns that were not asked for are fetched when somebody wants them; but what every column
    is called and whether its field does more than keep a value is found out once.
    """
    model, places = info["model"], info["select_fields"]
    columns = [(select[place][0].target, place) for place in places]
    kept = [(field.attname, place) for field, place in columns if type(model.__dict__.get(field.attname)) in _KEEPING]
    told = [(field.attname, place) for field, place in columns if (field.attname, place) not in kept]
    [key] = [place for field, place in columns if field.primary_key]
    related = [
        (_maker(each, select), each["local_setter"], each["remote_setter"]) for each in info.get("related_klass_infos", ())
    ]

    def make(row: Row) -> Any:
        if row[key] is None:
            return None
        one = model.__new__(model)
        one._state = ModelState()
        one._state.db, one._state.adding = DEFAULT_DB_ALIAS, False
        one.__dict__.update({name: row[place] for name, place in kept})
        for name, place in told:
            setattr(one, name, row[place])
        for make_other, set_here, set_there in related:
            other = make_other(row)
            set_here(one, other)
            if other is not None:
                set_there(other, one)
        return one

    return make


def _with_words(sql: str, params: Sequence[tuple[str | None, Any]]) -> tuple[str, list[tuple[str | None, Any]]]:
    """Return a query with the words that never change in it as they stand, and the parameters that are left.

    By the plan that PostgreSQL keeps for a prepared statement, an index of the rows in one state serves where the state
    is read in the statement, and not where it is a parameter.
    """
    kept: list[tuple[str | None, Any]] = []
    rest = iter(params)

    def place(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return match[0]
        name, param = next(rest)
        if name is None and isinstance(param, str) and _WORD.fullmatch(param):
            return f"'{param}'"
        kept.append((name, param))
        return match[0]

    return _PLACE.sub(place, sql), kept


class _Kept(threading.local):
    def __init__(self) -> None:
        self.queries: dict[Any, Query] = {}


_kept = _Kept()


def kept(make: Callable[P, Query]) -> Callable[P, Query]:
    """Let `make` compile its query once in each thread, for each set of arguments."""

    @functools.wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> Query:
        key = (make, args, *kwargs.items())
        if key not in _kept.queries:
            _kept.queries[key] = make(*args, **kwargs)
        return _kept.queries[key]

    return get


def listed(place: str, kind: str = "bigint") -> RawSQL:
    """Return what stands in a queryset behind `__in` for a list given at each run, under the name `place`; `kind` "text" too."""
    is_array = connections[DEFAULT_DB_ALIAS].vendor == "postgresql"
    sql = f"SELECT unnest(%s::{kind}[])" if is_array else "SELECT value FROM json_each(%s)"
    return RawSQL(sql, [place])  # noqa: S611


def as_list(values: Collection[int] | Collection[str]) -> list[Any] | str:
    """Return these as a run gives them for the place of `listed`: one parameter, however many they are."""
    return list(values) if connections[DEFAULT_DB_ALIAS].vendor == "postgresql" else json.dumps(list(values))


def statements(queries: Sequence[Query], values: Mapping[str, Any]) -> list[Statement]:
    """Return what `run` executes."""
    return [(query.sql, query.params(values)) for query in queries]


def run(queries: Sequence[Query], values: Mapping[str, Any]) -> list[list[Row]]:
    """Run `queries` one after the other, in this order, and return the rows of each."""
    connection = connections[DEFAULT_DB_ALIAS]
    asked = statements(queries, values)
    if connection.vendor == "postgresql":
        raw: list[Any] = [rows for _count, rows in pipeline.run(connection, asked)]
    else:
        with connection.cursor() as cursor:
            raw = [cursor.execute(sql, params).fetchall() for sql, params in asked]
    return [query.rows(rows) for query, rows in zip(queries, raw, strict=True)]


def finish(statements: Sequence[Statement], meanwhile: Callable[[], None] | None = None) -> list[int]:
    """Execute `statements` in this order as the last of an `atomic` block; return how many rows each changed.

    On PostgreSQL the COMMIT of an outermost block goes along, and `meanwhile` runs while the server works: it must not
    touch the database, and must not raise. Elsewhere it does not run: the one writer is not to wait for it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql":
        return [count for count, _rows in pipeline.run(connection, statements, is_last=True, meanwhile=meanwhile)]
    with connection.cursor() as cursor:
        return [cursor.execute(sql, params).rowcount for sql, params in statements]
