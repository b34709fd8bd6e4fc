"""The outbox's own statements as plain SQL: what is written for every message, without building it anew each time.

Called by `outbox` only. Names of tables and columns come from the models, values are parameters.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection, models

Statement = tuple[str, list[Any]]


class _Now:
    """The clock of the database."""


NOW = _Now()


def _clock(later: dt.timedelta = dt.timedelta(0)) -> str:
    """Return the expression for the database's clock, `later` than now, in the form its columns have."""
    seconds = int(later.total_seconds())
    if connection.vendor == "postgresql":
        return f"STATEMENT_TIMESTAMP() + INTERVAL '{seconds} seconds'" if seconds else "STATEMENT_TIMESTAMP()"
    return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '+{seconds} seconds')"


def _columns(model: type[models.Model], values: Mapping[str, Any]) -> list[tuple[str, str, list[Any]]]:
    """Return (column, expression, parameters) for each value. A timedelta is that much later than the database's now."""
    found = []
    for name, value in values.items():
        field: Any = model._meta.get_field(name)
        column = connection.ops.quote_name(field.column)
        if isinstance(value, _Now | dt.timedelta):
            found.append((column, _clock(value if isinstance(value, dt.timedelta) else dt.timedelta(0)), []))
        elif isinstance(value, tuple):
            marks = ", ".join(["%s"] * len(value))
            found.append((column, f"({marks})", [field.get_db_prep_save(one, connection) for one in value]))
        else:
            target = field.target_field if field.is_relation else field
            found.append((column, "%s", [target.get_db_prep_save(value, connection)]))
    return found


def _condition(model: type[models.Model], where: Mapping[str, Any], *, is_lease_running: bool = False) -> Statement:
    """Return the condition that each column equals its value, or is one of a tuple."""
    parts, params = [], []
    for (column, expression, values), value in zip(_columns(model, where), where.values(), strict=True):
        parts.append(f"{column} {'IN' if isinstance(value, tuple) else '='} {expression}")
        params += values
    if is_lease_running:
        parts.append(f"{connection.ops.quote_name('lease_until')} > {_clock()}")
    return " AND ".join(parts), params


def update(
    model: type[models.Model], changes: Mapping[str, Any], *, where: Mapping[str, Any], is_lease_running: bool = False
) -> Statement:
    """Return the UPDATE that sets `changes` where every column of `where` has its value (or one of a tuple)."""
    columns = _columns(model, changes)
    condition, values = _condition(model, where, is_lease_running=is_lease_running)
    assignments = ", ".join(f"{column} = {expression}" for column, expression, _values in columns)
    params = [value for _column, _expression, some in columns for value in some]
    table = connection.ops.quote_name(model._meta.db_table)
    return f"UPDATE {table} SET {assignments} WHERE {condition}", [*params, *values]  # noqa: S608 (names of models)


def insert_if(
    model: type[models.Model], values: Mapping[str, Any], other: type[models.Model], *, where: Mapping[str, Any]
) -> Statement:
    """Return the INSERT of one row of `model`, made only if a row of `other` is as `where` says."""
    columns = _columns(model, values)
    condition, more = _condition(other, where)
    names = ", ".join(column for column, _expression, _values in columns)
    # Written as VALUES would be typed: an untyped parameter in a SELECT is text to PostgreSQL.
    casts = ", ".join(
        f"CAST({expression} AS {_type(model, name)})" if connection.vendor == "postgresql" else expression
        for (_column, expression, _values), name in zip(columns, values, strict=True)
    )
    params = [value for _column, _expression, some in columns for value in some]
    table, there = (connection.ops.quote_name(one._meta.db_table) for one in (model, other))
    condition = f"EXISTS (SELECT 1 FROM {there} WHERE {condition})"  # noqa: S608 (names of models)
    return f"INSERT INTO {table} ({names}) SELECT {casts} WHERE {condition}", [*params, *more]


def _type(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.rel_db_type(connection) if not field.is_relation else field.target_field.rel_db_type(connection))
