"""The tables that hold something about a person, found by walking every model and its Privacy: nobody is named here.

So a table of any app above is emptied with the others, and one that somebody adds tomorrow too.
"""

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import models

from clients.models import Client
from salon.core import privacy
from salon.core.privacy import Fate

_CHUNK = 500


@dataclass(frozen=True)
class Table:
    """A table with rows about a person: how they are found from the person, and what becomes of them."""

    model: type[models.Model]
    path: str
    fate: Fate
    fields: frozenset[str]

    @property
    def label(self) -> str:
        """Return its name as the record of an erasure has it."""
        return self.model._meta.label_lower

    def of(self, ids: Collection[int]) -> list[int]:
        """Return the ids of the rows about these clients."""
        condition = "pk__in" if self.path == "id" else f"{self.path}__in"
        rows = self.model._base_manager.filter(**{condition: list(ids)})
        return list(rows.order_by("pk").values_list("pk", flat=True).distinct())


@dataclass(frozen=True)
class Tie:
    """Another link of a table to a client, beside the one that says whose row it is: "the mother of", "taken in by"."""

    model: type[models.Model]
    field: "models.ForeignKey[Any, Any]"
    fate: Fate

    @property
    def label(self) -> str:
        """Return the name of its table."""
        return self.model._meta.label_lower

    def of(self, ids: Collection[int]) -> list[int]:
        """Return the ids of the rows that point to these clients by it."""
        rows = self.model._base_manager.filter(**{f"{self.field.name}__in": list(ids)})
        return list(rows.order_by("pk").values_list("pk", flat=True))


@functools.cache
def tables() -> tuple[Table, ...]:
    """Return the tables about a person, those that are furthest from them first: a way is walked before it is cut."""
    found = []
    for model in privacy.our_models():
        said: Any = model.__dict__["Privacy"]
        if said.subject is not None:
            found.append(Table(model, said.subject, privacy.fate(model), frozenset(said.erase)))
    return tuple(sorted(found, key=lambda table: (-table.path.count("__"), table.model is Client)))


@functools.cache
def ties() -> tuple[Tie, ...]:
    """Return the other links to a client. One that must point somewhere takes its row along, any other is cut or stays."""
    found = []
    for model in privacy.our_models():
        said: Any = model.__dict__["Privacy"]
        for field in model._meta.concrete_fields:
            if not (isinstance(field, models.ForeignKey) and field.related_model is Client):
                continue
            if said.subject is not None and said.subject.split("__")[0] == field.name:
                continue
            emptied = Fate.EMPTIED if field.name in said.erase else Fate.KEPT
            found.append(Tie(model, field, emptied if field.null else Fate.DELETED))
    return tuple(found)


def count(ids: Collection[int]) -> dict[str, int]:
    """Return how many rows about these clients each table has, those without any left out."""
    counts = {table.label: len(table.of(ids)) for table in tables()}
    return {label: number for label, number in counts.items() if number}


def scrub(ids: Collection[int], *, stays: Mapping[str, Any]) -> dict[str, int]:
    """Empty and delete all rows about these clients, and return how many by table. Call it with the cards locked.

    `stays` are the columns that say on the card itself that it is gone.
    """
    found = [(table, table.of(ids)) for table in tables()]
    others = [(tie, tie.of(ids)) for tie in ties()]
    counts: dict[str, int] = {}
    for table, pks in found:
        if not pks or table.fate is Fate.KEPT:
            continue
        counts[table.label] = counts.get(table.label, 0) + len(pks)
        if table.fate is Fate.DELETED:
            _delete(table.model, pks)
        else:
            _empty(table.model, table.fields, pks, stays if table.model is Client else {})
    for tie, pks in others:
        if not pks or tie.fate is Fate.KEPT:
            continue
        counts[tie.label] = counts.get(tie.label, 0) + len(pks)
        if tie.fate is Fate.DELETED:
            _delete(tie.model, pks)
        else:
            _empty(tie.model, {tie.field.name}, pks, {})
    return counts


def _delete(model: type[models.Model], pks: Sequence[int]) -> None:
    for some in _some(pks):
        model._base_manager.filter(pk__in=some).delete()


def _empty(model: type[models.Model], names: Collection[str], pks: Sequence[int], stays: Mapping[str, Any]) -> None:
    """Set columns to nothing. By `update`: nothing of a model's own may stand in the way."""
    many = {field.name for field in model._meta.local_many_to_many}
    columns = {name: privacy.empty_value(_column(model, name)) for name in names if name not in many}
    for some in _some(pks):
        for name in many & set(names):
            through: Any = getattr(model, name).through
            through._base_manager.filter(**{f"{model._meta.get_field(name).m2m_field_name()}__in": some}).delete()  # type: ignore[union-attr]
        model._base_manager.filter(pk__in=some).update(**{**columns, **stays})


def _column(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def _some(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(pks), _CHUNK):
        yield pks[start : start + _CHUNK]


def cards_of(client: Client) -> list[int]:
    """Return the ids of all cards of the person: this one, and those that were taken into it, at any depth. Lower ids first."""
    ids = {client.pk}
    while more := set(Client.objects.filter(merged_into__in=ids).values_list("pk", flat=True)) - ids:
        ids |= more
    return sorted(ids)
