"""What an undo needs of a merge: which rows came from which card, what stood on the cards, what was taken off. Sealed at rest."""

import datetime as dt
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from clients import survivors
from clients.models import Client, Merge
from salon.core import secrets

# What a merge changes of a card. The ids, the version and the mark itself stay out.
LEFT_OUT = frozenset({"id", "version", "erased_at", "merged_into"})


class _Exact(DjangoJSONEncoder):
    """Writes moments to the microsecond: what comes back is what was."""

    def default(self, o: Any) -> Any:
        """Return what JSON holds of a value."""
        return o.isoformat() if isinstance(o, dt.datetime) else super().default(o)


@dataclass
class Snapshot:
    """All of it is what JSON can hold; ids of cards are texts where they are keys.

    `before` the fields by card, `after` what the merge wrote on the main card, `moved` the ids of rows by pointer and
    card, `gone` rows that could not stand beside another one, `made` rows that the merge made by model, `by_hand` what
    the functions of BY_HAND models returned, `holds` the lines of the ledger that it wrote, `last_event` the newest line
    before, `newest` the newest row of each table then.
    """

    winner: int
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    moved: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    gone: list[dict[str, Any]] = field(default_factory=list)
    made: dict[str, list[int]] = field(default_factory=dict)
    by_hand: dict[str, list[Any]] = field(default_factory=dict)
    holds: list[int] = field(default_factory=list)
    last_event: int = 0
    newest: dict[str, int] = field(default_factory=dict)

    @property
    def losers(self) -> list[int]:
        """Return the ids of the cards that were taken in."""
        return [int(pk) for pk in self.before if int(pk) != self.winner]


def seal(snapshot: Snapshot) -> bytes:
    """Return the snapshot as it is stored."""
    text = json.dumps(asdict(snapshot), cls=_Exact, separators=(",", ":"))
    return secrets.seal_bytes(zlib.compress(text.encode()))


def unseal(merge: Merge) -> Snapshot:
    """Return the snapshot of a merge. Raises ValueError when it was deleted, Unreadable without the key."""
    if not merge.snapshot:
        raise ValueError("the snapshot of this merge was deleted")
    return Snapshot(**json.loads(zlib.decompress(secrets.unseal_bytes(bytes(merge.snapshot)))))


def fields_of(client: Client) -> dict[str, Any]:
    """Return the columns of a card as JSON holds them."""
    fields = (one for one in Client._meta.concrete_fields if one.attname.removesuffix("_id") not in LEFT_OUT)
    return {one.attname: as_json(client, one.attname) for one in fields}


def as_json(client: Client, name: str) -> Any:
    """Return one column of a card as JSON holds it."""
    found: Any = Client._meta.get_field(name)
    value = getattr(client, name)
    if value is None or isinstance(found, models.IntegerField):
        return value
    return found.value_to_string(client)


def from_json(name: str, value: Any) -> Any:
    """Return what `as_json` was made of."""
    found: Any = Client._meta.get_field(name)
    return None if value is None else found.to_python(value)


def row(one: models.Model) -> dict[str, Any]:
    """Return a row of any model as JSON holds it."""
    (found,) = json.loads(serializers.serialize("json", [one], cls=_Exact))
    return dict(found)


def put_back(rows: list[dict[str, Any]]) -> int:
    """Write rows back that `row` was made of and return how many. One whose other end is gone went with it."""
    count = 0
    for found in serializers.deserialize("python", rows):
        one: Any = found.object
        if all(_is_there(one, key) for key in one._meta.concrete_fields if isinstance(key, models.ForeignKey)):
            one.save_base(raw=True, force_insert=True)
            count += 1
    return count


def home(pk: int) -> int | None:
    """Return the id of the card on which the data of card `pk` is now, None where that person is gone."""
    here = survivors.of(pk)
    return here if Client.objects.filter(pk=here, erased_at=None).exists() else None


def _is_there(one: models.Model, key: "models.ForeignKey[Any, Any]") -> bool:
    pk = getattr(one, key.attname)
    target: Any = key.related_model
    if target is Client and pk is not None and (here := home(pk)) is not None:
        setattr(one, key.attname, here)
        return True
    if pk is None or (target is not Client and target._base_manager.filter(pk=pk).exists()):
        return True
    if key.null:
        setattr(one, key.attname, None)
    return key.null
