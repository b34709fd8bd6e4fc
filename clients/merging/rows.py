"""Moves the rows that point at cards to one of them, whatever app they are of, and back. Called with the cards locked.

What moved is what the UPDATE itself returned, so that no row that came at the last moment goes along unnoticed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from clients.merging import pointers, snapshots
from clients.merging.pointers import Joining, Pointer, Unique
from clients.merging.snapshots import Snapshot
from salon.core import failpoints
from salon.core.clashes import Clash
from salon.core.errors import Refused

_BATCH = 500


def take(joining: Joining, snapshot: Snapshot) -> int:
    """Repoint every row of the losers to the winner, note it in `snapshot`, and return how many.

    Raises Refused, naming the table, where two rows cannot both stand and nobody declared what then.
    """
    every = pointers.every()
    for label, act in pointers.by_hand().items():
        snapshot.by_hand.setdefault(label, []).append(act.join(joining))
    count = 0
    for pointer in every:
        if pointer.answer is Clash.REBUILT:
            pointer.rows(**{f"{pointer.field.name}__in": joining.losers}).delete()
            continue
        if pointer.answer is Clash.MAIN:
            snapshot.gone += _take_off(pointer, joining)
        moved = snapshot.moved.setdefault(pointer.label, {})
        for loser in joining.losers:
            ids = _move(pointer, loser, joining.winner)
            moved.setdefault(str(loser), []).extend(ids)
            count += len(ids)
        failpoints.hit("merge_table_moved")
    return count


def give_back(joining: Joining, snapshot: Snapshot) -> int:
    """Repoint every row that `take` moved and that is still there, and return how many."""
    count = 0
    for pointer in pointers.every():
        for loser, ids in snapshot.moved.get(pointer.label, {}).items():
            count += _point(pointer, ids, joining.winner, int(loser))
        failpoints.hit("unmerge_table_moved")
    snapshots.put_back(snapshot.gone)
    for label, act in pointers.by_hand().items():
        # A card may have been looked through more than once: the last first.
        for kept in reversed(snapshot.by_hand.get(label, [])):
            act.part(joining, kept)
    return count


def newest() -> dict[str, int]:
    """Return the newest id of every table that points at a client, by the label of its model."""
    models_of = {pointer.model for pointer in pointers.every()}
    found = {}
    for model in models_of:
        top = model._base_manager.order_by("-pk").values_list("pk", flat=True).first()
        found[model._meta.label_lower] = int(top or 0)
    return found


def left_over(ids: Sequence[int]) -> Iterator[tuple[Pointer, list[Any]]]:
    """Yield the rows (ids) that point at these cards, by pointer."""
    for pointer in pointers.every():
        rows = list(pointer.rows(**{f"{pointer.field.name}__in": ids}).values_list("pk", flat=True)[:_BATCH])
        if rows:
            yield pointer, rows


def _move(pointer: Pointer, loser: int, winner: int) -> list[int]:
    """Point all rows of one card to another and return their ids."""
    table, column = _quoted(pointer.model._meta.db_table), _quoted(pointer.field.column)
    key = _quoted(pointer.model._meta.pk.column)
    # Names come from the model, values are parameters.
    sql = f"UPDATE {table} SET {column} = %s WHERE {column} = %s RETURNING {key}"  # noqa: S608
    try:
        with transaction.atomic(savepoint=bool(pointer.uniques) and pointer.answer is None), connection.cursor() as cursor:
            cursor.execute(sql, [winner, loser])
            return [pk for (pk,) in cursor.fetchall()]
    except IntegrityError as error:
        if pointer.answer is not None or not pointer.uniques:
            raise
        raise Refused(
            _("These cards cannot be merged: both have an entry in “%(table)s”, and only one can stand.")
            % {"table": pointer.model._meta.verbose_name}
        ) from error


def _point(pointer: Pointer, ids: Sequence[int], from_: int, to: int) -> int:
    """Point those of these rows that point to one card to another, and return how many there were."""
    table, column = _quoted(pointer.model._meta.db_table), _quoted(pointer.field.column)
    key, count = _quoted(pointer.model._meta.pk.column), 0
    with connection.cursor() as cursor:
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            marks = ", ".join(["%s"] * len(some))
            sql = f"UPDATE {table} SET {column} = %s WHERE {column} = %s AND {key} IN ({marks})"  # noqa: S608
            cursor.execute(sql, [to, from_, *some])
            count += max(cursor.rowcount, 0)
    return count


def _take_off(pointer: Pointer, joining: Joining) -> list[dict[str, Any]]:
    """Delete the losers' rows that cannot stand beside one of a card before, and return them as a snapshot keeps them."""
    name, gone = pointer.field.attname, []
    rows = list(pointer.rows(**{f"{pointer.field.name}__in": joining.cards}).order_by("pk")) if pointer.uniques else []
    rows.sort(key=lambda row: joining.cards.index(getattr(row, name)))
    standing: dict[Unique, set[tuple[Any, ...]]] = {unique: set() for unique in pointer.uniques}
    for row in rows:
        keys = {unique: _key(unique, row) for unique in pointer.uniques}
        if any(key is not None and key in standing[unique] for unique, key in keys.items()):
            gone.append(snapshots.row(row))
            pointer.rows(pk=row.pk).delete()
            continue
        for unique, key in keys.items():
            if key is not None:
                standing[unique].add(key)
    return gone


def _key(unique: Unique, row: models.Model) -> tuple[Any, ...] | None:
    """Return by what a row clashes with others of the same card; None for one that the constraint leaves alone."""
    values = tuple(getattr(row, row._meta.get_field(name).attname) for name in unique.others or ())  # type: ignore[union-attr]
    if any(value is None for value in values):
        return None
    if unique.condition is not None and not type(row)._base_manager.filter(unique.condition, pk=row.pk).exists():
        return None
    return values


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
