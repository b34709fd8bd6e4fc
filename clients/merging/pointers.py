"""Which rows of any app point at a client, read from the models themselves, and what becomes of two that cannot both stand.

So a merge takes along rows of apps that nobody here may import. What a unique constraint needs is declared beside the
model (`salon.core.clashes`); an app above registers the functions of its BY_HAND models when it starts.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel, ManyToManyRel

from clients.models import Client
from salon.core.clashes import Clash


@dataclass(frozen=True)
class Joining:
    """Which card takes in which others, and when."""

    winner: int
    losers: tuple[int, ...]
    now: dt.datetime

    @property
    def cards(self) -> tuple[int, ...]:
        """Return all of them, the main card first."""
        return (self.winner, *self.losers)


@dataclass(frozen=True)
class ByHand:
    """What an app does with the rows of one model.

    `join` is called before the rows are moved, and returns what `part` needs to take it back, as JSON can hold it.
    `part` is called after they were moved back, with the moment of the undo in `now`.
    """

    join: Callable[[Joining], Any]
    part: Callable[[Joining, Any], None]


@dataclass(frozen=True)
class Unique:
    """A constraint that a pointer is part of. `others`: its further fields; None where it is made of expressions."""

    name: str
    others: tuple[str, ...] | None
    condition: models.Q | None = None


@dataclass(frozen=True)
class Pointer:
    """A foreign key to the client: of a model, or of the hidden table behind a many-to-many field."""

    model: type[models.Model]
    field: "models.ForeignKey[Any, Any]"

    @property
    def label(self) -> str:
        """Return the name by which a snapshot knows it."""
        return f"{self.model._meta.label_lower}.{self.field.name}"

    @cached_property
    def uniques(self) -> tuple[Unique, ...]:
        """Return the unique constraints that it is part of."""
        return tuple(_uniques(self.model, self.field))

    @cached_property
    def answer(self) -> Clash | None:
        """Return what the model declares for a clash, or None."""
        return declared(self.model).get(_name_in(self.model, self.field))

    def rows(self, **which: Any) -> "models.QuerySet[Any]":
        """Return rows of the model, those of no manager of its own left out."""
        return self.model._base_manager.filter(**which)


_by_hand: dict[type[models.Model], ByHand] = {}


def register(model: type[models.Model], act: ByHand) -> None:
    """Say what is done with the rows of a BY_HAND model. Called once, when the app starts."""
    _by_hand[model] = act


def by_hand() -> Mapping[str, ByHand]:
    """Return what is done by hand, by the label of the model, in a stable order."""
    return {model._meta.label_lower: act for model, act in sorted(_by_hand.items(), key=lambda one: one[0]._meta.label_lower)}


def every() -> list[Pointer]:
    """Return every foreign key to the client, of all apps, hidden ones and many-to-many tables included, in a stable order."""
    found = []
    for relation in Client._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and not isinstance(relation, ManyToManyRel):
            model, field = relation.related_model, relation.field
            if not isinstance(model, str) and isinstance(field, models.ForeignKey):
                found.append(Pointer(model, field))
    return sorted(found, key=lambda pointer: pointer.label)


def declared(model: type[models.Model]) -> Mapping[str, Clash]:
    """Return the answers that a model declares, by field. For the table of a many-to-many field those of its owner."""
    merging: Any = _owner(model).__dict__.get("Merging")
    return merging.clashes if merging is not None else {}


def stays_words(model: type[models.Model]) -> Any:
    """Return the sentence of an undo about rows that came since (%(count)s, %(name)s), None where it is silent."""
    return getattr(model.__dict__.get("Merging"), "stays", None)


def faults(pointers: Sequence[Pointer] | None = None) -> Iterator[str]:
    """Yield a line for each unique constraint around a client that nobody answered, with what to paste."""
    for pointer in every() if pointers is None else pointers:
        name, owner = _name_in(pointer.model, pointer.field), _owner(pointer.model)
        if pointer.uniques and pointer.answer is None:
            yield (
                f"{owner._meta.label}: {pointer.uniques[0].name} lets one of two rows stand when cards are merged. Paste: "
                f'class Merging: clashes: ClassVar[dict[str, Clash]] = {{"{name}": Clash.MAIN}}  (or REBUILT, BY_HAND)'
            )
        if pointer.answer is Clash.BY_HAND and pointer.model not in _by_hand:
            yield f"{owner._meta.label}: {name} is BY_HAND, and no function is registered (pointers.register)"
        if pointer.answer is Clash.MAIN and any(one.others is None for one in pointer.uniques):
            yield f"{owner._meta.label}: {name} is MAIN, which cannot read a constraint of expressions: use BY_HAND"


def _owner(model: type[models.Model]) -> type[models.Model]:
    made_for: Any = model._meta.auto_created
    return made_for or model


def _name_in(model: type[models.Model], field: "models.ForeignKey[Any, Any]") -> str:
    """Return the name under which the answer is declared: the field's, or that of the many-to-many field behind the table."""
    owner = _owner(model)
    if owner is model:
        return field.name
    return next(many.name for many in owner._meta.local_many_to_many if many.remote_field.through is model)


def _uniques(model: type[models.Model], field: "models.ForeignKey[Any, Any]") -> Iterator[Unique]:
    if field.unique:
        yield Unique(f"{model._meta.db_table}.{field.column}", ())
    for names in model._meta.unique_together:
        if field.name in names:
            yield Unique(f"unique {', '.join(names)}", tuple(name for name in names if name != field.name))
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint):
            continue
        if field.name in constraint.fields:
            others = tuple(name for name in constraint.fields if name != field.name)
            yield Unique(constraint.name, others, constraint.condition)
        elif field.name in {name for one in constraint.expressions for name in _named(one)}:
            yield Unique(constraint.name, None, constraint.condition)


def _named(expression: Any) -> Iterator[str]:
    """Yield the fields that an expression of a constraint reads."""
    if isinstance(expression, str):
        yield expression
    if isinstance(expression, models.F):
        yield expression.name
    for part in getattr(expression, "get_source_expressions", list)():
        yield from _named(part)
