"""Which card a client's data is on now: the card itself, or the one that took it in. Reads only.

For whoever has the id of a card from before: an address of a page, a booking, an answer that comes in.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, Protocol

from django.db import connection
from django.db.models import Min

from clients.models import Client

# A merge points those taken in before to the new card too, so one step is the rule.
_STEPS = 10


def of(pk: int) -> int:
    """Return the id of the card on which the data of card `pk` is now; of none the id itself."""
    is_gone = Client.objects.filter(pk=pk, merged_into__isnull=False).exists()
    return of_many([pk])[pk] if is_gone else pk


def of_many(ids: Collection[int]) -> dict[int, int]:
    """Return the id of the present card for each of these ids."""
    found = {pk: pk for pk in ids}
    for _step in range(_STEPS):
        rows = Client.objects.filter(pk__in=set(found.values()), merged_into__isnull=False)
        onward = dict(rows.values_list("pk", "merged_into_id"))
        if not onward:
            break
        found = {pk: onward.get(here) or here for pk, here in found.items()}
    return found


def hold(pk: int) -> int:
    """Return what `of` does. If that is the card itself, no merge of it begins until the transaction ends.

    Others may hold it as well. Whoever writes a row of a client without changing the card calls this first; one whose
    card has gone begins anew with the other: to wait for that one here would be out of order.
    """
    return pk if _held(pk) is None else of(pk)


def _held(pk: int) -> int | None:
    """Return the card that took this one in, or None, with the card's key held: foreign keys are checked at the commit only."""
    table = connection.ops.quote_name(Client._meta.db_table)
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT merged_into_id FROM {table} WHERE id = %s{lock}", [pk])  # noqa: S608
        row = cursor.fetchone()
    return row[0] if row else None


class Made(Protocol):
    """A card, or what was read of one."""

    @property
    def pk(self) -> Any:
        """Return the card's id."""

    @property
    def created_at(self) -> Any:
        """Return when the card itself was made."""


def since(cards: Iterable[Made]) -> dict[int, dt.datetime]:
    """Return by id since when the client of each of these present cards is one: the day of the oldest card that it took in.

    The card keeps its own: by that it is known again after a restore, and an undone merge leaves nothing behind.
    """
    own: dict[int, dt.datetime] = {card.pk: card.created_at for card in cards}
    taken_in = Client.objects.filter(merged_into__in=own).order_by().values_list("merged_into").annotate(first=Min("created_at"))
    return own | {pk: min(first, own[pk]) for pk, first in taken_in}


def taken_in_by(pk: int) -> list[int]:
    """Return the ids of the cards that this one took in."""
    return list(Client.objects.filter(merged_into=pk).values_list("pk", flat=True))
