"""Many rows in one statement, without an object for each: what the ORM does between a value and its column takes longer.

For lists that are brought in. The values are given as the columns hold them; constraints and triggers see every row.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from django.db import connection, models

# Below the limits of both databases (parameters of a statement), for tables of up to sixty columns.
BATCH = 500

Row = Sequence[Any]


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Row]) -> list[int]:
    """Insert rows and return their ids in the order given. `names` are attributes (a foreign key with `_id`).

    Columns that are left out take the default of their field. Raises IntegrityError as the ORM does.
    """
    statement = _Insert(model, names)
    ids: list[int] = []
    with connection.cursor() as cursor:
        for some in _batches(rows):
            cursor.execute(*statement.of(some, " RETURNING id"))
            ids += [pk for (pk,) in cursor.fetchall()]
    return ids


def upsert(model: type[models.Model], names: Sequence[str], rows: Iterable[Row], *, unique: Sequence[str]) -> None:
    """Insert rows; where one with the same `unique` attributes stands already, write the other `names` over it."""
    statement = _Insert(model, names)
    columns = {name: _quoted(_field(model, name)) for name in names}
    changes = ", ".join(f"{column} = excluded.{column}" for name, column in columns.items() if name not in unique)
    tail = f" ON CONFLICT ({', '.join(columns[name] for name in unique)}) DO UPDATE SET {changes}"
    with connection.cursor() as cursor:
        for some in _batches(rows):
            cursor.execute(*statement.of(some, tail))


def find(model: type[models.Model], names: Sequence[str], by: str, values: Iterable[str]) -> list[tuple[Any, ...]]:
    """Return `names` of the rows whose text `by` is one of `values`, in any order. `by` has an index.

    One parameter however many values, and each looked up in the index: for a list of hundreds, PostgreSQL would rather read
    the whole table, again and again as it grows.
    """
    wanted = list(values)
    if not wanted:
        return []
    column, table = _quoted(_field(model, by)), connection.ops.quote_name(model._meta.db_table)
    selected = ", ".join(f"{table}.{_quoted(_field(model, name))}" for name in names)
    if connection.vendor == "postgresql":
        rows = f"(SELECT {selected} FROM {table} WHERE {table}.{column} = wanted.value OFFSET 0) AS found"  # noqa: S608
        sql, param = f"SELECT found.* FROM unnest(%s::text[]) AS wanted (value) CROSS JOIN LATERAL {rows}", _array(wanted)  # noqa: S608
    else:
        sql = f"SELECT {selected} FROM json_each(%s) AS wanted CROSS JOIN {table} WHERE {table}.{column} = wanted.value"  # noqa: S608
        param = json.dumps(wanted)
    with connection.cursor() as cursor:
        cursor.execute(sql, [param])
        return list(cursor.fetchall())


class _Insert:
    """An INSERT into one table, for some rows after the other."""

    def __init__(self, model: type[models.Model], names: Sequence[str]) -> None:
        self._given = [_field(model, name) for name in names]
        left_out = [field for field in model._meta.concrete_fields if not field.primary_key and field not in self._given]
        self._defaults = [field.get_db_prep_save(field.get_default(), connection) for field in left_out]
        columns = ", ".join(_quoted(field) for field in (*self._given, *left_out))
        self._head = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) "
        self._converters = [_converter(field) for field in self._given]

    def of(self, rows: Sequence[Row], tail: str) -> tuple[str, list[Any]]:
        """Return the statement for these rows, ending in `tail`, and its parameters."""
        columns = [
            [convert(value) for value in column] if convert else list(column)
            for convert, column in zip(self._converters, zip(*rows, strict=True), strict=True)
        ]
        source = self._of_arrays if connection.vendor == "postgresql" else self._of_values
        sql, params = source(columns)
        return self._head + sql + tail, params

    def _of_values(self, columns: list[list[Any]]) -> tuple[str, list[Any]]:
        rows = list(zip(*columns, strict=True))
        line = f"({', '.join(['%s'] * (len(columns) + len(self._defaults)))})"
        return f"VALUES {', '.join([line] * len(rows))}", [value for row in rows for value in (*row, *self._defaults)]

    def _of_arrays(self, columns: list[list[Any]]) -> tuple[str, list[Any]]:
        # One parameter a column: the driver takes longer to find thousands of places in a statement than the server to fill it.
        # A column of one value, as half of a list's are, is that value and no array.
        selected, arrays, single, lists = list[str](), list[str](), list[Any](), list[str]()
        for place, (field, column) in enumerate(zip(self._given, columns, strict=True)):
            kind = _type(field)
            if place and column.count(column[0]) == len(column):
                selected.append(f"%s::{kind}")
                single.append(column[0])
            else:
                selected.append(f"c{place}")
                arrays.append(f"%s::{kind}[]")
                lists.append(_array(column))
        names = ", ".join([*[name for name in selected if name.startswith("c")], "place"])
        values = ", ".join([*selected, *["%s"] * len(self._defaults)])
        made = f"SELECT {values} FROM unnest({', '.join(arrays)}) WITH ORDINALITY AS made ({names}) ORDER BY made.place"  # noqa: S608
        return made, [*single, *self._defaults, *lists]


def _array(column: Sequence[Any]) -> str:
    """Return a column as PostgreSQL writes an array. The driver asks of each value what it is, which takes five times as long.

    Text without a sign to guard, which a column mostly is, is put together as a whole.
    """
    kinds = set(map(type, column))
    if kinds == {int}:
        return f"{{{','.join(map(str, column))}}}"
    if kinds == {str}:
        inner = '","'.join(column)
        if "\\" not in inner and inner.count('"') == 2 * (len(column) - 1):
            return f'{{"{inner}"}}'
    return f"{{{','.join([_element(value) for value in column])}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _type(field: "models.Field[Any, Any]") -> str:
    """Return the type of a column's values. Text without a length: a cast to one would cut what is too long in silence."""
    return "text" if isinstance(field, models.CharField | models.TextField) else str(field.db_type(connection))


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return next(field for field in model._meta.concrete_fields if field.attname == name)


def _quoted(field: "models.Field[Any, Any]") -> str:
    return connection.ops.quote_name(field.column)


def _converter(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """Return what makes of a value what the database takes; None where it takes the value itself."""
    if isinstance(field, models.DateTimeField):
        return _Moments(field)
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, models.BinaryField):
        raise TypeError("no list holds bytes")
    if isinstance(field, models.DateField | models.UUIDField):
        return partial(field.get_db_prep_save, connection=connection)
    return None


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


class _Moments:
    """Converts moments; those of one list are mostly one."""

    def __init__(self, field: "models.Field[Any, Any]") -> None:
        self._field = field
        self._last: dt.datetime | None = None
        self._made: Any = None

    def __call__(self, at: dt.datetime | None) -> Any:
        if at is not self._last:
            self._last, self._made = at, self._field.get_db_prep_save(at, connection)
        return self._made


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, BATCH)):
        yield some
