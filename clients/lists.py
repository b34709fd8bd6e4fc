"""One page of the client list, ready to show: rows with what this reader may see. Called by the list and search views."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, prefetch_related_objects
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients import access, answers, search
from clients.access import Contacts, Visits
from clients.models import Client, ClientQuerySet
from salon.core.models import Salon, User
from salon.core.web import whole

PER_PAGE = 50
SELECTED_MAX = 500
# All who are inactive can be leafed through, if there are not more than these.
LISTED_MOST = 10_000
STATUSES: Mapping[str, Q] = {
    "active": Q(inactive_at=None),
    "inactive": Q(inactive_at__isnull=False),
    "blacklist": Q(blacklisted_at__isnull=False),
}
LABELS: Mapping[str, str | Promise] = {"active": _("Active"), "inactive": _("Inactive"), "blacklist": _("Blacklist")}
SORTS: Mapping[str, tuple[str, ...]] = {"name": ("sort_name", "pk"), "-name": ("-sort_name", "-pk")}


@dataclass(frozen=True)
class Row:
    """One client as a line of a list."""

    client: Client
    contacts: Contacts
    email: answers.Answer
    sms: answers.Answer
    visits: Visits


@dataclass(frozen=True)
class Selection:
    """The clients ticked in a list, on this page and on others. `is_open`: ticks are asked for, on a phone too."""

    ids: tuple[int, ...] = ()
    is_open: bool = False

    @property
    def query(self) -> str:
        """Return what carries it in an address, ready to stand before another name; nothing for no selection."""
        pairs = [*([("select", 1)] if self.is_open else []), *(("sel", pk) for pk in self.ids)]
        return f"{urlencode(pairs)}&" if pairs else ""

    def beyond(self, rows: Sequence[Row]) -> list[int]:
        """Return the ticked clients that are not among `rows`."""
        here = {row.client.pk for row in rows}
        return [pk for pk in self.ids if pk not in here]


@dataclass(frozen=True)
class Listing:
    """One page of a list. `count` is exact unless `is_capped` says that it is more: a search stops counting."""

    rows: list[Row]
    page: Page[int]
    count: int
    is_capped: bool


def status_counts(user: User) -> dict[str, int]:
    """Return how many clients each chip has, in one query."""
    counted = access.clients_for(user).aggregate(**{name: Count("pk", filter=status) for name, status in STATUSES.items()})
    return {name: int(counted[name]) for name in STATUSES}


def listing(
    user: User, salon: Salon, *, text: str, status: str, sort: str, number: int, now: dt.datetime, count: int | None = None
) -> Listing:
    """Return page `number` of the clients of `status` that `text` finds. `count`: how many, where it is known already."""
    rows, condition = access.clients_for(user), access.matching(user, text, salon, now=now) if text else Q()
    known, most = count, None if text else LISTED_MOST
    if status == "active":
        # Active clients are everywhere in the order, so walking it is quick; the few others are looked up.
        rows = rows.filter(STATUSES[status])
    else:
        condition &= STATUSES[status]
    if text or status != "active":
        known = None
    found = search.page(rows, condition, order=SORTS[sort], number=number, per_page=PER_PAGE, count=known, count_up_to=most)
    paginator = Paginator(range(found.count), PER_PAGE)
    return Listing(rows_of(user, salon, found.rows, now=now), paginator.page(found.page), found.count, found.is_capped)


def matching(user: User, salon: Salon, *, text: str, status: str, now: dt.datetime) -> ClientQuerySet:
    """Return the clients of `status` that `text` finds and `user` may see, all of them and in no order."""
    rows = access.found_for(user, text, salon, now=now) if text else access.clients_for(user)
    return rows.filter(STATUSES[status])


def rows_of(user: User, salon: Salon, clients: Sequence[Client], *, now: dt.datetime) -> list[Row]:
    """Return these clients as lines, with the same number of queries however many they are."""
    ids = [client.pk for client in clients]
    prefetch_related_objects(clients, "tags")
    shown = access.contacts_of(user, clients, salon, now=now)
    said = answers.of_clients(ids)
    visits = access.visits_of(ids, user, now=now)
    return [
        Row(client, shown[client.pk], said[client.pk]["email"], said[client.pk]["sms"], visits.get(client.pk, Visits()))
        for client in clients
    ]


def found_elsewhere(user: User, salon: Salon, *, text: str, now: dt.datetime) -> int:
    """Return how many inactive clients `text` finds, counted up to 100."""
    found = matching(user, salon, text=text, status="inactive", now=now)
    return len(found.order_by().values_list("pk")[:100])


def wanted(given: Any) -> dict[str, Any]:
    """Return text, status, sort and page number of a list's query, each something the list knows."""
    status, sort, number = given.get("status", ""), given.get("sort", ""), given.get("page", "")
    return {
        "text": given.get("q", "").strip()[:200],
        "status": status if status in STATUSES else "active",
        "sort": sort if sort in SORTS else "name",
        "number": whole(number) or 1,
    }


def selection(given: QueryDict) -> Selection:
    """Return what is ticked, as a list's query carries it; never more than a page can show well."""
    ids = dict.fromkeys(number for text in given.getlist("sel")[:SELECTED_MAX] if (number := whole(text)))
    return Selection(tuple(ids), is_open="select" in given)


def addresses(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query strings that the list's links need: of this very page, of its other pages, of its other order."""

    def query(**changes: Any) -> str:
        given = {"q": wanted["text"], "status": wanted["status"], "sort": wanted["sort"], "page": wanted["number"], **changes}
        defaults = {"q": "", "status": "active", "sort": "name", "page": 1}
        return urlencode({key: value for key, value in given.items() if value not in (None, defaults[key])})

    other = "-name" if wanted["sort"] == "name" else "name"
    pages = query(page=None)
    return {
        "status_label": LABELS[wanted["status"]],
        "here_query": query(),
        "pages_query": f"{pages}&" if pages else "",
        "sort_query": query(sort=other, page=None),
        "inactive_query": query(status="inactive", page=None),
        "chips": [
            {"name": name, "label": label, "query": query(status=name, page=None), "is_current": name == wanted["status"]}
            for name, label in LABELS.items()
        ],
    }
