"""Which fields hold something about a client, and what becomes of them when the client is forgotten.

Every model of ours carries a class `Privacy` with `subject` (the path to the client, None for none), `erase` and
`keep` (field names). A system check fails on a field in neither or both; merge and erasure read the same classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

OURS = ("core", "clients", "appointments", "notifications")


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
    """Return every model of this project, in a stable order."""
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


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
