"""Which fields hold something about a client, and what becomes of them when the client is forgotten.

Every model of ours carries a class `Privacy` with `subject` (the path to the client, None for none), `erase` and
`keep` (field names). A system check fails on a field in neither or both; merge and erasure read the same classes.
What becomes of a row follows from these (`fate`); where that would be wrong, `Privacy` says `fate` itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db import models

OURS = ("core", "clients", "appointments", "notifications")


class Fate(StrEnum):
    """What becomes of a row when its person is forgotten."""

    DELETED = "deleted"
    EMPTIED = "emptied"  # the fields of `erase` are emptied, the rest stays
    KEPT = "kept"


@dataclass(frozen=True)
class Fault:
    """A field or a model that nobody classified, or a name in Privacy that is no field."""

    model: type[models.Model]
    message: str
    hint: str


def field_names(model: type[models.Model]) -> set[str]:
    """Return the names of the model's own columns and many-to-many fields."""
    return {field.name for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many)}


def our_models() -> list[type[models.Model]]:
    """Return every model of the four apps, in the order they were registered."""
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


def fate(model: type[models.Model]) -> Fate:
    """Return what becomes of the rows of a model whose person is forgotten.

    As its Privacy says, else: a row whose own link to the person goes with the rest (it stands in `erase`) stays, emptied;
    a row that would still lead to them is deleted; further away, what is to be erased is emptied.
    """
    privacy: Any = model.__dict__["Privacy"]
    if (said := getattr(privacy, "fate", None)) is not None:
        return Fate(said)
    if privacy.subject is None or not privacy.erase:
        return Fate.KEPT
    is_near = "__" not in privacy.subject and privacy.subject != "id"
    return Fate.DELETED if is_near and privacy.subject not in privacy.erase else Fate.EMPTIED


def empty_value(field: "models.Field[Any, Any]") -> Any:
    """Return what a column holds that is emptied. Raises TypeError for one that must hold something.

    Nothing where it may be null, no text, no bytes; a flag, a count and a JSON go back to what they begin with.
    """
    if field.null:
        return None
    if isinstance(field, models.BinaryField):
        return b""
    if isinstance(field, models.CharField | models.TextField) and not field.unique:
        return ""
    if field.has_default() and not isinstance(field, models.DateField) and not field.unique:
        return field.get_default()
    raise TypeError(f"{field.model._meta.label}.{field.name} cannot be emptied")


def faults(candidates: list[type[models.Model]] | None = None) -> Iterator[Fault]:
    """Yield what is unclassified in `candidates` (default: all models of ours), with the line to paste."""
    for model in our_models() if candidates is None else candidates:
        privacy: Any = model.__dict__.get("Privacy")
        names = field_names(model)
        if privacy is None:
            lines = f"class Privacy:\n    subject = None\n    erase = set()\n    keep = {sorted(names)!r}"
            yield Fault(model, f"{model._meta.label} has no Privacy.", f"Paste and sort: {lines}")
            continue
        both = privacy.erase & privacy.keep
        missing = names - privacy.erase - privacy.keep
        unknown = (privacy.erase | privacy.keep) - names
        if both:
            yield Fault(model, f"{model._meta.label}: in erase and in keep: {sorted(both)}.", "Choose one.")
        if missing:
            pasted = ", ".join(f'"{name}"' for name in sorted(missing))
            yield Fault(model, f"{model._meta.label}: unclassified: {sorted(missing)}.", f"Paste into one of the sets: {pasted}")
        if unknown:
            yield Fault(model, f"{model._meta.label}: no such field: {sorted(unknown)}.", "Delete from Privacy.")
