"""The clients ticked in a list: by id, on any of its pages, or all that a list finds, as a signed filter. Reads only.

Whoever acts on a selection reads it by `read` and asks `rows` for the clients, as the acting user may see them now.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.http import QueryDict
from django.utils import formats
from django.utils.translation import gettext as _

from clients import access, lists
from clients.models import ClientQuerySet
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.web import whole

# So many ids fit into an address; whoever wants more narrows the list and selects all of it.
TICKED_MOST = 500
# What one act from the list takes. It answers within seconds, and nobody looks through more by eye.
ACT_MOST = 5_000
_LASTS = 12 * 60 * 60
_SALT = "clients.selection"


@dataclass(frozen=True)
class Selection:
    """What is ticked. `every` is the signed filter of "select all", and `wanted` the list that it names (see `lists.wanted`).

    `is_open`: ticks are asked for, on a phone too. `is_cut`: more were ticked than an address can carry. `is_over`: the
    filter is not one that we signed for this user today.
    """

    ids: tuple[int, ...] = ()
    is_open: bool = False
    every: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)
    is_cut: bool = False
    is_over: bool = False

    def __bool__(self) -> bool:
        return bool(self.ids or self.every)

    @property
    def query(self) -> str:
        """Return what carries it in an address, ready to stand before another name; nothing for no selection."""
        found = [("all", self.every)] if self.every else [("sel", str(pk)) for pk in self.ids]
        pairs = [*([("select", "1")] if self.is_open else []), *found]
        return f"{urlencode(pairs)}&" if pairs else ""


@dataclass(frozen=True)
class Shown:
    """A selection on a page of the list: how many there are, whose tick on the page is set, and who is ticked elsewhere."""

    count: int
    here: frozenset[int]
    elsewhere: tuple[int, ...]


def read(given: QueryDict, user: User) -> Selection:
    """Return what is ticked, as the query of a list carries it. "All" counts before single ticks."""
    is_open, token = "select" in given, given.get("all", "")
    if token:
        wanted = _unseal(token, user)
        if wanted is not None:
            return Selection((), is_open, token, wanted)
    ticked = dict.fromkeys(number for text in given.getlist("sel")[: 2 * TICKED_MOST] if (number := whole(text)))
    is_cut = len(ticked) > TICKED_MOST
    return Selection(tuple(ticked)[:TICKED_MOST], is_open, is_cut=is_cut, is_over=bool(token))


def seal(wanted: Mapping[str, Any], user: User) -> str:
    """Return the signed filter of all whom the list `wanted` finds: for this user, for half a day."""
    return signing.dumps({"list": lists.query(wanted, number=1), "by": user.pk}, salt=_SALT)


def rows(chosen: Selection, user: User, salon: Salon, *, now: dt.datetime) -> ClientQuerySet:
    """Return the selected clients whom `user` may see, in no order; nobody for no selection."""
    if chosen.every:
        which = {name: chosen.wanted[name] for name in ("text", "status", "filters")}
        return lists.matching(user, salon, now=now, **which)
    return access.clients_for(user).filter(pk__in=chosen.ids)


def shown(
    chosen: Selection, user: User, salon: Salon, wanted: Mapping[str, Any], found: lists.Listing, *, now: dt.datetime
) -> Shown:
    """Return the selection as the page `found` of the list `wanted` shows it."""
    page = [row.client.pk for row in found.rows]
    if not chosen.every:
        here = frozenset(chosen.ids).intersection(page)
        return Shown(len(chosen.ids), here, tuple(pk for pk in chosen.ids if pk not in here))
    if lists.query(wanted, number=1) == lists.query(chosen.wanted, number=1) and not found.is_capped:
        return Shown(found.count, frozenset(page), ())
    every = rows(chosen, user, salon, now=now).order_by()
    return Shown(every.count(), frozenset(every.filter(pk__in=page).values_list("pk", flat=True)), ())


def check(chosen: Selection, count: int) -> None:
    """Raise Refused for a selection that no act can take: nobody, more than ACT_MOST, or a filter that is too old."""
    if chosen.is_over:
        raise Refused(_("This selection is too old. Select the clients again."))
    if not count:
        raise Refused(_("Nobody is selected."))
    if count > ACT_MOST:
        number = formats.number_format(ACT_MOST, use_l10n=True, force_grouping=True)
        raise Refused(_("At most %(most)s clients at once. Narrow the list by a filter.") % {"most": number})


def _unseal(token: str, user: User) -> Mapping[str, Any] | None:
    try:
        facts = signing.loads(token, salt=_SALT, max_age=_LASTS)
    except signing.BadSignature:
        return None
    return lists.wanted(QueryDict(facts["list"])) if facts["by"] == user.pk else None
