"""The outbox's own statements as plain SQL: what is written for every message, built once and then only filled in.

Called by `outbox` only. Names of tables and columns come from the models, values are parameters.
"""

import datetime as dt
import functools
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models

Statement = tuple[str, list[Any]]


class _Now:
    """The clock of the database."""


NOW = _Now()


def update(
    model: type[models.Model], changes: Mapping[str, Any], *, where: Mapping[str, Any], is_lease_running: bool = False
) -> Statement:
    """Return the UPDATE that sets `changes` where every column of `where` has its value, or is one of a tuple.

    A timedelta in `changes` is that much later than the database's now, NOW the database's now itself.
    """
    label, backend = model._meta.label, connections[DEFAULT_DB_ALIAS]
    sql = _update(label, backend.vendor, _shape(changes), _shape(where), is_lease_running)
    return sql, [*_params(label, changes, backend), *_params(label, where, backend)]


def insert_if(
    model: type[models.Model], values: Mapping[str, Any], other: type[models.Model], *, where: Mapping[str, Any]
) -> Statement:
    """Return the INSERT of one row of `model`, made only if a row of `other` is as `where` says."""
    label, there, backend = model._meta.label, other._meta.label, connections[DEFAULT_DB_ALIAS]
    sql = _insert_if(label, backend.vendor, _shape(values), there, _shape(where))
    return sql, [*_params(label, values, backend), *_params(there, where, backend)]


# The form of a value, on which the SQL depends: a parameter, so many of them, or so many seconds from now.
_Shape = tuple[tuple[str, str, int], ...]


def _shape(values: Mapping[str, Any]) -> _Shape:
    return tuple(
        (name, "clock", 0)
        if value is NOW
        else (name, "clock", int(value.total_seconds()))
        if isinstance(value, dt.timedelta)
        else (name, "any", len(value))
        if isinstance(value, tuple)
        else (name, "one", 1)
        for name, value in values.items()
    )


def _params(label: str, values: Mapping[str, Any], backend: Any) -> list[Any]:
    """Return the values as the driver wants them, without those that the database's clock gives."""
    found: list[Any] = []
    for name, value in values.items():
        if value is NOW or isinstance(value, dt.timedelta):
            continue
        field = _field(label, name)
        found += [field.get_db_prep_save(one, backend) for one in (value if isinstance(value, tuple) else (value,))]
    return found


@functools.cache
def _field(label: str, name: str) -> Any:
    field: Any = apps.get_model(label)._meta.get_field(name)
    return field.target_field if field.is_relation else field


@functools.cache
def _column(label: str, name: str) -> str:
    field: Any = apps.get_model(label)._meta.get_field(name)
    return f'"{field.column}"'


def _expression(vendor: str, form: str, count: int) -> str:
    if form == "any":
        return f"({', '.join(['%s'] * count)})"
    return _clock(vendor, count) if form == "clock" else "%s"


def _clock(vendor: str, seconds: int = 0) -> str:
    """Return the expression for the database's clock, `seconds` later than now, in the form its columns have."""
    if vendor == "postgresql":
        return f"STATEMENT_TIMESTAMP() + INTERVAL '{seconds} seconds'"
    return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '+{seconds} seconds')"


def _condition(label: str, vendor: str, shape: _Shape) -> str:
    return " AND ".join(
        f"{_column(label, name)} {'IN' if form == 'any' else '='} {_expression(vendor, form, count)}"
        for name, form, count in shape
    )


@functools.cache
def _update(label: str, vendor: str, changes: _Shape, where: _Shape, is_lease_running: bool) -> str:
    sets = ", ".join(f"{_column(label, name)} = {_expression(vendor, form, count)}" for name, form, count in changes)
    condition = _condition(label, vendor, where)
    if is_lease_running:
        condition += f" AND {_column(label, 'lease_until')} > {_clock(vendor)}"
    return f'UPDATE "{apps.get_model(label)._meta.db_table}" SET {sets} WHERE {condition}'  # noqa: S608 (names of models)


@functools.cache
def _insert_if(label: str, vendor: str, values: _Shape, other: str, where: _Shape) -> str:
    names = ", ".join(_column(label, name) for name, _form, _count in values)
    # An untyped parameter in a SELECT is text to PostgreSQL; in VALUES it would have its column's type.
    given = ", ".join(f"CAST(%s AS {_type(label, name)})" if vendor == "postgresql" else "%s" for name, _form, _count in values)
    table, there = apps.get_model(label)._meta.db_table, apps.get_model(other)._meta.db_table
    condition = f'EXISTS (SELECT 1 FROM "{there}" WHERE {_condition(other, vendor, where)})'  # noqa: S608 (names of models)
    return f'INSERT INTO "{table}" ({names}) SELECT {given} WHERE {condition}'


def _type(label: str, name: str) -> str:
    return str(_field(label, name).rel_db_type(connections[DEFAULT_DB_ALIAS]))
