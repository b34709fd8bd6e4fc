"""Where a card stands in the list it was opened from: its number, and whose card is before and after it. Reads only."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from clients import lists
from clients.models import Client
from salon.core.models import Salon, User


@dataclass(frozen=True)
class Place:
    """The card is number `number` of `count`; `before` and `after` are None at the ends."""

    number: int
    count: int
    before: Client | None
    after: Client | None

    @property
    def page(self) -> int:
        """Return the page of the list that has the card."""
        return (self.number - 1) // lists.PER_PAGE + 1


def of(user: User, salon: Salon, client: Client, wanted: Mapping[str, Any], *, now: dt.datetime) -> Place | None:
    """Return the place of `client` in the list that `wanted` describes (see `lists.wanted`), None if it has left it."""
    which = {name: wanted[name] for name in ("text", "status", "filters")}
    rows = lists.sortable(lists.matching(user, salon, now=now, **which), wanted["sort"], now=now)
    order = lists.SORTS[wanted["sort"]]
    keys = rows.filter(pk=client.pk).values_list(*(name.removeprefix("-") for name in order)).first()
    if keys is None:
        return None
    earlier, later = _beyond(order, keys, is_later=False), _beyond(order, keys, is_later=True)
    counts = rows.order_by().aggregate(count=Count("pk"), earlier=Count("pk", filter=earlier))
    backwards = [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order]
    return Place(
        number=counts["earlier"] + 1,
        count=counts["count"],
        before=rows.filter(earlier).order_by(*backwards).first(),
        after=rows.filter(later).order_by(*order).first(),
    )


def _beyond(order: Sequence[str], keys: Sequence[Any], *, is_later: bool) -> Q:
    """Return the condition of the rows that come after (or before) the row with these keys."""
    found, same = Q(), Q()
    for name, key in zip(order, keys, strict=True):
        field, is_up = name.removeprefix("-"), not name.startswith("-")
        found |= same & Q(**{f"{field}__{'gt' if is_up is is_later else 'lt'}": key})
        same &= Q(**{field: key})
    return found
