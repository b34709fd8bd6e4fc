"""One page of the client list, ready to show: rows with what this reader may see. Called by the list and search views."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, DateTimeField, Q, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from clients import access, answers, bookings, inactivity, search, standings, tags
from clients import filters as narrowing
from clients.access import Contacts, Visits
from clients.filters import Chosen
from clients.models import Client, ClientQuerySet
from salon.core import prepared
from salon.core.models import Salon, User
from salon.core.roles import May
from salon.core.web import whole

PER_PAGE = 50
# All who are inactive can be leafed through, if there are not more than these.
LISTED_MOST = 10_000
# A count of more than so many is good for so long: to count 100,000 takes as long as all else that a page asks.
KEPT_FROM, KEPT_SECONDS = 10_000, 30
_many: dict[str, tuple[int, float]] = {}
STATUSES: Mapping[str, Q] = {
    "active": Q(inactive_at=None),
    # Who is being deleted waits for it elsewhere.
    "inactive": Q(inactive_at__isnull=False) & ~Q(inactive_reason=inactivity.DELETING),
    "blacklist": Q(blacklisted_at__isnull=False),
}
LABELS: Mapping[str, str | Promise] = {"active": _("Active"), "inactive": _("Inactive"), "blacklist": _("Blacklist")}
# By name, or by what is booked, which the calendar shows as well. In the order of the last visit the first page would be a
# search by habit, of those too who did not agree to one.
NEXT = "next"
SORTS: Mapping[str, tuple[str, ...]] = {
    "name": ("sort_name", "pk"), "-name": ("-sort_name", "-pk"), NEXT: ("next_at", "sort_name", "pk"),
}  # fmt: skip
# Who has nothing booked comes last, by name.
_NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Row:
    """One client as a line of a list."""

    client: Client
    contacts: Contacts
    email: answers.Answer
    sms: answers.Answer
    visits: Visits
    tags: Sequence[str]

    @cached_property
    def key(self) -> str:
        """Return the id as text: as a number each place where it stands would be put into the reader's language first."""
        return str(self.client.pk)

    @property
    def has_marks(self) -> bool:
        """Return whether something stands beside the name."""
        return bool(self.client.inactive_at or self.client.blacklisted_at or self.tags)


@dataclass(frozen=True)
class Listing:
    """One page of a list. `count` is exact unless `is_capped` says that it is more: a search stops counting."""

    rows: list[Row]
    page: Page[int]
    count: int
    is_capped: bool
    status: str


def status_counts(user: User) -> dict[str, int]:
    """Return how many clients each chip has, in one query. More than KEPT_FROM may be what they were KEPT_SECONDS ago."""
    if not user.may(May.SEE_CLIENTS):
        return dict.fromkeys(STATUSES, 0)
    now = time.monotonic()
    # A copy: another thread may add one meanwhile.
    found = {status: count for status, (count, at) in _many.copy().items() if now < at + KEPT_SECONDS}
    unknown = tuple(status for status in STATUSES if status not in found)
    counted: dict[str, int] = dict(prepared.run([_counted(unknown)], {})[0]) if unknown else {}
    _many.update({status: (count, now) for status, count in counted.items() if count > KEPT_FROM})
    return dict.fromkeys(STATUSES, 0) | found | counted


@prepared.kept
def _counted(statuses: tuple[str, ...]) -> prepared.Query:
    """Return the query of the chips: a part for each, which its index answers without the cards."""
    parts = [
        access.everybody()
        .order_by()
        .filter(STATUSES[name])
        .annotate(status=Value(name))
        .values("status")
        .annotate(found=Count("*"))
        .values_list("status", "found")
        for name in statuses
    ]
    return prepared.Query(parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0])


def listing(
    user: User, salon: Salon, *, text: str, status: str, sort: str, number: int, now: dt.datetime, filters: Chosen = (),
    count: int | None = None,
) -> Listing:  # fmt: skip
    """Return page `number` of the clients of `status` that `text` and `filters` find. `count`: how many of the status."""
    rows, condition = access.clients_for(user), access.matching(user, text, salon, now=now) if text else Q()
    condition &= narrowing.condition(filters, now=now)
    known, most = count, None if text else LISTED_MOST
    if status == "active":
        # Active clients are everywhere in the order, so walking it is quick; the few others are looked up.
        rows = rows.filter(STATUSES[status])
    else:
        condition &= STATUSES[status]
    rows = sortable(rows, sort, now=now)
    if sort == NEXT and most is not None:
        known, most = None, max(most, count or 0)  # no index has this order: all are looked at, and counted by the way
    if text or filters or status != "active":
        known = None
    found = search.page(rows, condition, order=SORTS[sort], number=number, per_page=PER_PAGE, count=known, count_up_to=most)
    paginator = Paginator(range(found.count), PER_PAGE)
    return Listing(rows_of(user, salon, found.rows, now=now), paginator.page(found.page), found.count, found.is_capped, status)


def found_first(user: User, salon: Salon, *, text: str, now: dt.datetime) -> Listing:
    """Return the first page of the active clients that `text` finds; of the inactive ones where it finds nobody else."""
    wanted: dict[str, Any] = {"text": text, "sort": "name", "number": 1, "now": now}
    active = listing(user, salon, status="active", **wanted)
    return active if active.count else listing(user, salon, status="inactive", **wanted)


def sortable(rows: ClientQuerySet, sort: str, *, now: dt.datetime) -> ClientQuerySet:
    """Return `rows` so that they can be brought into the order SORTS[sort]."""
    if sort != NEXT:
        return rows
    start = bookings.next_start(now)
    never = Value(_NEVER, output_field=DateTimeField())
    return rows.annotate(next_at=never if start is None else Coalesce(start, never))


def matching(user: User, salon: Salon, *, text: str, status: str, now: dt.datetime, filters: Chosen = ()) -> ClientQuerySet:
    """Return the clients of `status` that `text` and `filters` find and `user` may see, all of them and in no order."""
    return _of(user, salon, text=text, status=status, now=now).filter(narrowing.condition(filters, now=now))


def without_profiling(user: User, salon: Salon, wanted: Mapping[str, Any], *, now: dt.datetime) -> int:
    """Return how many a filter by habit leaves out because they said No to profiling or were not asked.

    Whatever they did: that is what they did not agree to be looked for by. Counted up to LISTED_MOST; 0 without such a filter.
    """
    if not narrowing.by_habit(wanted["filters"]):
        return 0
    others = narrowing.matching(wanted["filters"], now=now, is_habit=False)
    rows = _of(user, salon, text=wanted["text"], status=wanted["status"], now=now).filter(others, ~standings.profiled())
    return len(rows.order_by().values_list("pk")[:LISTED_MOST])


def _of(user: User, salon: Salon, *, text: str, status: str, now: dt.datetime) -> ClientQuerySet:
    rows = access.found_for(user, text, salon, now=now) if text else access.clients_for(user)
    return rows.filter(STATUSES[status])


def rows_of(user: User, salon: Salon, clients: Sequence[Client], *, now: dt.datetime) -> list[Row]:
    """Return these clients as lines, with the same number of queries however many they are."""
    ids = [client.pk for client in clients]
    tagged = tags.of_clients(ids)
    shown = access.contacts_of(user, clients, salon, now=now)
    said = answers.of_clients(ids)
    visits, no_visits = access.visits_of(ids, user, salon, now=now), Visits()
    return [
        Row(client, shown[client.pk], answer["email"], answer["sms"], visits.get(client.pk, no_visits), tagged.get(client.pk, ()))
        for client, answer in ((client, said[client.pk]) for client in clients)
    ]


def found_elsewhere(user: User, salon: Salon, wanted: Mapping[str, Any], *, now: dt.datetime) -> int:
    """Return how many inactive clients the search and the filters find, counted up to 100."""
    found = matching(user, salon, text=wanted["text"], filters=wanted["filters"], status="inactive", now=now)
    return len(found.order_by().values_list("pk")[:100])


def wanted(given: Any) -> dict[str, Any]:
    """Return text, status, sort, page number and filters of a list's query, each something the list knows."""
    status, sort, number = given.get("status", ""), given.get("sort", ""), given.get("page", "")
    return {
        "text": given.get("q", "").strip()[:200],
        "status": status if status in STATUSES else "active",
        "sort": sort if sort in SORTS else "name",
        "number": whole(number) or 1,
        "filters": narrowing.read(given),
    }


def query(wanted: Mapping[str, Any], **changes: Any) -> str:
    """Return the list's query string, with `changes`; what is as it always is stands in no address."""
    given = {**wanted, **changes}
    pairs = [("q", given["text"], ""), ("status", given["status"], "active"), ("sort", given["sort"], "name")]
    found = [(name, value) for name, value, usual in pairs if value != usual]
    return urlencode([*found, *given["filters"], *([("page", given["number"])] if given["number"] != 1 else [])])


def chips(wanted: Mapping[str, Any], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the chips of the statuses that somebody has, and always of the active and of the one that is shown."""
    shown = [name for name in counts if counts[name] or name in {"active", wanted["status"]}]
    return [
        {
            "name": name, "label": LABELS[name], "count": counts[name], "query": query(wanted, status=name, number=1),
            "is_current": name == wanted["status"],
        }
        for name in shown
    ]  # fmt: skip


def addresses(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query strings that the list's links need: of this very page, of its other pages, its order, its filters."""
    other = "-name" if wanted["sort"] == "name" else "name"  # from any other order to the usual one
    pages = query(wanted, number=1)
    on = wanted["filters"]
    return {
        "status_label": LABELS[wanted["status"]],
        "here_query": query(wanted),
        "list_query": pages,
        "pages_query": f"{pages}&" if pages else "",
        "sort_query": query(wanted, sort=other, number=1),
        "next_query": query(wanted, sort=NEXT, number=1),
        "inactive_query": query(wanted, status="inactive", number=1),
        "unfiltered_query": query(wanted, filters=(), number=1),
        "filter_chips": [
            {"name": name, "words": words, "query": query(wanted, number=1, filters=tuple(one for one in on if one[0] != name))}
            for name, words in narrowing.words(on)
        ],
    }
