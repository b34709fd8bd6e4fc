"""What the page of a merge sends: which cards, which is the main one, what was chosen, and what the sender saw. Never saves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict

from clients.merging import fields
from salon.core.web import whole

# One more than may be merged, so that too many are told and not cut in silence.
_MOST = 6


@dataclass(frozen=True)
class Asked:
    """A request for a merge. `versions` and `seen` are what the page showed; both are empty for one that is only opened."""

    ids: tuple[int, ...] = ()
    main: int | None = None
    chosen: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[int, int] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)


def read(given: QueryDict) -> Asked:
    """Return what was asked for. Whatever is no number, no field of ours or no mark is left out."""
    texts = [*given.getlist("id"), *given.getlist("sel")]
    ids = tuple(dict.fromkeys(number for text in texts if (number := whole(text))))[:_MOST]
    chosen = {name: number for name in fields.NAMES if (number := whole(given.get(name, ""))) is not None}
    versions = {pk: number for pk in ids if (number := whole(given.get(f"version-{pk}", ""))) is not None}
    return Asked(ids, whole(given.get("main", "")), chosen, versions, _seen(given.get("seen", "")))


def _seen(text: str) -> dict[str, str]:
    try:
        found = json.loads(text[:4000]) if text else {}
    except ValueError:
        return {}
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}
