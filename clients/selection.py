"""The clients ticked in a list: by id, on any of its pages, or all that a list finds, as a signed filter. Reads only.

Whoever acts on a selection reads it by `read` and asks `rows` for the clients, as the acting user may see them now.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
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

    `but`: who was unticked since, which the signed filter says too. `is_open`: ticks are asked for, on a phone too. `is_cut`:
    more were ticked than an address can carry. `is_over`: the filter is not one that we signed for this user today.
    """

    ids: tuple[int, ...] = ()
    is_open: bool = False
    every: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)
    is_cut: bool = False
    is_over: bool = False
    but: tuple[int, ...] = ()

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
    """Return what is ticked, as the query of a list carries it. "All" counts before single ticks.

    Beside "all", `but` names those unticked on the page and `too` those ticked again: from here on the signed filter says
    so, and whoever carries it carries that. More than TICKED_MOST unticked are no selection: none of them may slip in.
    """
    is_open, token = "select" in given, given.get("all", "")
    if token:
        found = _unseal(token, user)
        if found is not None:
            but = tuple(sorted({*found[1], *_numbers(given, "but")} - _numbers(given, "too")))
            if len(but) > TICKED_MOST:
                return Selection((), is_open, is_over=True)
            return Selection((), is_open, token if but == found[1] else seal(found[0], user, but=but), found[0], but=but)
    ticked = dict.fromkeys(number for text in given.getlist("sel")[: 2 * TICKED_MOST] if (number := whole(text)))
    is_cut = len(ticked) > TICKED_MOST
    return Selection(tuple(ticked)[:TICKED_MOST], is_open, is_cut=is_cut, is_over=bool(token))


def unticked(given: QueryDict) -> tuple[int, ...]:
    """Return who was unticked, as a form carries it that names its list itself.."""
    return tuple(sorted(_numbers(given, "but")))


def _numbers(given: QueryDict, name: str) -> set[int]:
    return {number for text in given.getlist(name) if (number := whole(text))}


def seal(wanted: Mapping[str, Any], user: User, *, but: Sequence[int] = ()) -> str:
    """Return the signed filter of all whom the list `wanted` finds except `but`: for this user, for half a day."""
    facts = {"list": lists.query(wanted, number=1), "by": user.pk, **({"but": list(but)} if but else {})}
    return signing.dumps(facts, salt=_SALT, compress=True)


def rows(chosen: Selection, user: User, salon: Salon, *, now: dt.datetime) -> ClientQuerySet:
    """Return the selected clients whom `user` may see, in no order; nobody for no selection."""
    if chosen.every:
        which = {name: chosen.wanted[name] for name in ("text", "status", "filters")}
        return lists.matching(user, salon, now=now, **which).exclude(pk__in=chosen.but)
    return access.clients_for(user).filter(pk__in=chosen.ids)


def shown(
    chosen: Selection, user: User, salon: Salon, wanted: Mapping[str, Any], found: lists.Listing, *, now: dt.datetime
) -> Shown:
    """Return the selection as the page `found` of the list `wanted` shows it."""
    page = [row.client.pk for row in found.rows]
    if not chosen.every:
        here = frozenset(chosen.ids).intersection(page)
        return Shown(len(chosen.ids), here, tuple(pk for pk in chosen.ids if pk not in here))
    is_this = lists.query(wanted, number=1) == lists.query(chosen.wanted, number=1)
    if is_this and not found.is_capped and not chosen.but:
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


def _unseal(token: str, user: User) -> tuple[Mapping[str, Any], tuple[int, ...]] | None:
    """Return the list that a signed filter names and who is left out of it, None for one that is not this user's today."""
    try:
        facts = signing.loads(token, salt=_SALT, max_age=_LASTS)
    except signing.BadSignature:
        return None
    return (lists.wanted(QueryDict(facts["list"])), tuple(facts.get("but", ()))) if facts["by"] == user.pk else None
