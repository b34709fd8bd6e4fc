"""The outbox's own statements as plain SQL: what is written for every message, built once and then only filled in.

Called by `outbox` only. Names of tables and columns come from the models, values are parameters.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

Statement = tuple[str, list[Any]]


@dataclass(frozen=True)
class Given:
    """A value that comes with each message, by this name."""

    name: str


class _Now:
    """The clock of the database."""


class _OneMore:
    """What stands in the column, and one more."""


NOW = _Now()
ONE_MORE = _OneMore()
# What PostgreSQL's driver takes as it is.
_PLAIN = frozenset({str, int, uuid.UUID, dt.datetime, type(None)})
# The place of a value among the parameters, its name, and what makes of any value, or of one that is not plain, what the
# driver takes.
_Gap = tuple[int, str, Callable[[Any], Any]]


class _Statement:
    """A statement with gaps: each parameter is a value that never changes, or the name of one that is given."""

    def __init__(self) -> None:
        # The SQL, its parameters with what never changes as the driver takes it, its gaps, and what goes in as it is.
        self._built: tuple[str, list[Any], list[_Gap], frozenset[type]] | None = None

    def build(self, vendor: str) -> tuple[str, list[tuple[Any, Any]]]:
        """Return the SQL for a vendor and, for each of its parameters, the field and the value or Given."""
        raise NotImplementedError

    def fill(self, values: Mapping[str, Any]) -> Statement:
        """Return the statement for one message. Raises KeyError for a value that is missing."""
        sql, fixed, gaps, plain = self._built or self._build()
        params = fixed.copy()
        for place, name, prepare in gaps:
            value = values[name]
            params[place] = value if type(value) in plain else prepare(value)
        return sql, params

    def _build(self) -> tuple[str, list[Any], list[_Gap], frozenset[type]]:
        backend = connections[DEFAULT_DB_ALIAS]
        sql, places = self.build(backend.vendor)
        given = [(at, field, one.name) for at, (field, one) in enumerate(places) if isinstance(one, Given)]
        gaps = [(at, name, _preparer(field, backend.vendor)) for at, field, name in given]
        fixed = [None if isinstance(one, Given) else field.get_db_prep_save(one, backend) for field, one in places]
        self._built = sql, fixed, gaps, _PLAIN if backend.vendor == "postgresql" else frozenset()
        return self._built


class Update(_Statement):
    """The UPDATE that sets `changes` where every column of `where` has its value, or is one of a tuple.

    A timedelta in `changes` is that much later than the database's now, NOW the database's now itself, ONE_MORE one more
    than there was.
    """

    def __init__(
        self,
        model: type[models.Model],
        changes: Mapping[str, Any],
        *,
        where: Mapping[str, Any],
        is_lease_running: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.changes, self.where, self.is_lease_running = model, changes, where, is_lease_running

    def build(self, vendor: str) -> tuple[str, list[tuple[Any, Any]]]:
        """Return the SQL and what its parameters are."""
        sets = ", ".join(
            f"{_column(self.model, name)} = {self._new(vendor, name, value)}" for name, value in self.changes.items()
        )
        condition = _condition(self.model, vendor, self.where)
        if self.is_lease_running:
            condition += f" AND {_column(self.model, 'lease_until')} > {_clock(vendor)}"
        sql = f'UPDATE "{self.model._meta.db_table}" SET {sets} WHERE {condition}'  # noqa: S608 (names of models)
        return sql, [*_places(self.model, self.changes), *_places(self.model, self.where)]

    def _new(self, vendor: str, name: str, value: Any) -> str:
        return f"{_column(self.model, name)} + 1" if value is ONE_MORE else _expression(vendor, value)


class InsertIf(_Statement):
    """The INSERT of one row of `model`, made only if a row of `other` is as `where` says."""

    def __init__(
        self, model: type[models.Model], values: Mapping[str, Any], other: type[models.Model], *, where: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.model, self.values, self.other, self.where = model, values, other, where

    def build(self, vendor: str) -> tuple[str, list[tuple[Any, Any]]]:
        """Return the SQL and what its parameters are."""
        names = ", ".join(_column(self.model, name) for name in self.values)
        # An untyped parameter in a SELECT is text to PostgreSQL; in VALUES it would have its column's type.
        given = ", ".join(f"CAST(%s AS {_type(self.model, name)})" if vendor == "postgresql" else "%s" for name in self.values)
        there, condition = self.other._meta.db_table, _condition(self.other, vendor, self.where)
        exists = f'EXISTS (SELECT 1 FROM "{there}" WHERE {condition})'  # noqa: S608 (names of models)
        sql = f'INSERT INTO "{self.model._meta.db_table}" ({names}) SELECT {given} WHERE {exists}'
        return sql, [*_places(self.model, self.values), *_places(self.other, self.where)]


def given(*names: str) -> dict[str, Given]:
    """Return columns whose values are given under their own names."""
    return {name: Given(name) for name in names}


def _preparer(field: Any, vendor: str) -> Callable[[Any], Any]:
    """Return what makes of a value what the driver takes."""
    if vendor == "postgresql" and isinstance(field, models.JSONField):
        return lambda value: json.dumps(value, cls=field.encoder)
    return lambda value: field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


def _is_told_by_database(value: Any) -> bool:
    return value is NOW or value is ONE_MORE or isinstance(value, dt.timedelta)


def _places(model: type[models.Model], values: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
    """Return the parameters of these columns, without those that the database knows itself."""
    return [
        (_field(model, name), one)
        for name, value in values.items()
        if not _is_told_by_database(value)
        for one in (value if isinstance(value, tuple) else (value,))
    ]


def _field(model: type[models.Model], name: str) -> Any:
    field: Any = model._meta.get_field(name)
    return field.target_field if field.is_relation else field


def _column(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return f'"{field.column}"'


def _type(model: type[models.Model], name: str) -> str:
    return str(_field(model, name).rel_db_type(connections[DEFAULT_DB_ALIAS]))


def _expression(vendor: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(['%s'] * len(value))})"
    if value is NOW:
        return _clock(vendor)
    return _clock(vendor, int(value.total_seconds())) if isinstance(value, dt.timedelta) else "%s"


def _clock(vendor: str, seconds: int = 0) -> str:
    """Return the expression for the database's clock, `seconds` later than now, in the form its columns have."""
    if vendor == "postgresql":
        return f"STATEMENT_TIMESTAMP() + INTERVAL '{seconds} seconds'"
    return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '+{seconds} seconds')"


def _condition(model: type[models.Model], vendor: str, where: Mapping[str, Any]) -> str:
    return " AND ".join(
        f"{_column(model, name)} {'IN' if isinstance(value, tuple) else '='} {_expression(vendor, value)}"
        for name, value in where.items()
    )
