"""What the pages of one client have in common: head, tabs and the way back to the list. For the rooms above too."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext_lazy

from clients import (
    access,
    answers,
    contacts,
    deletions,
    existing,
    fold,
    links,
    lists,
    neighbours,
    readings,
    rooms,
    survivors,
    tags,
    timeline,
    ways,
)
from clients.duplicates import pairs, telling
from clients.models import Client
from salon.core import asking, countries
from salon.core.models import User
from salon.core.roles import May
from salon.core.web import SignedIn, whole

# What the panels of the card listen for: an answer or an address has changed what may be sent.
CHANGED = "consent-changed"
_MOST_TOLD = 1000
# The pages of a card in the order of their keys 1 to 5; the rooms above serve two of them.
_TABS: dict[str, tuple[str, str | Promise]] = {
    "main": ("clients:card", lazy("Main data")),
    "address": ("clients:address", lazy("Address")),
    "appointments": ("appointments:of_client", lazy("Appointments")),
    "other": ("clients:other", pgettext_lazy("tab of the card", "Other")),
    "messages": ("notifications:of_client", lazy("Messages")),
}


@dataclass(frozen=True)
class Tab:
    """One tab of the card: a link. `count` is how many things stand behind it, 0 where nobody counts."""

    name: str
    url: str
    label: str | Promise
    current: bool
    count: int = 0


@dataclass(frozen=True)
class Neighbour:
    """The card before or after this one in the list: a link to the same tab of it."""

    url: str
    name: str


def head(request: SignedIn, client: Client, *, tab: str) -> dict[str, Any]:
    """Return what `clients/_head.html` needs: client, contacts, tabs (current: `tab`), the way back, book_url,
    write_url, write_ask (whom to ask instead), the `deletion` of a card that is being deleted.

    `tab` is one of _TABS. The way back: back_url, back_to, and where the card was opened from a list its place `in_list`,
    with the cards `before` and `after` it (None at the ends).
    """
    user, now = request.user, timezone.now()
    query = came_from(request)
    suffix = f"?{urlencode({'from': query})}" if query is not None else ""
    counts, deletion = rooms.tab_counts(user, client), deletions.of(client)
    tabs = [
        Tab(name, url + suffix, label, name == tab, counts.get(name, 0))
        for name, (view, label) in _TABS.items()
        if (url := address_of(view, client.pk))
    ]
    return {
        "client": client,
        "contacts": access.contacts(user, client, request.salon, now=now),
        "tabs": tabs,
        "deletion": deletion,
        "book_url": _book_url(user, client) if deletion is None else "",
        "sms_stopped_at": readings.stopped_by_sms(client),
        **_way_back(request, client, query, suffix, tab=tab, now=now),
        **(writing(user) if client.inactive_at is None and deletion is None else {"write_url": "", "write_ask": ""}),
    }


def _way_back(request: SignedIn, client: Client, query: str | None, suffix: str, *, tab: str, now: dt.datetime) -> dict[str, Any]:
    """Return the link to the list, to the page of it that has the card, and the card's neighbours there."""
    found: dict[str, Any] = {
        "back_url": reverse("clients:list"),
        "back_to": _("Clients"),
        "in_list": None,
        "before": None,
        "after": None,
    }
    if query is None:
        return found
    wanted = lists.wanted(QueryDict(query))
    place = neighbours.of(request.user, request.salon, client, wanted, now=now)
    if place is not None:
        beside = {"before": place.before, "after": place.after}
        names = access.contacts_of(request.user, [one for one in beside.values() if one], request.salon, now=now)
        for side, other in beside.items():
            if other:
                url = address_of(_TABS[tab][0], other.pk) or reverse("clients:card", args=[other.pk])
                found[side] = Neighbour(url + suffix, names[other.pk].name)
    query = lists.query(wanted, number=place.page if place else wanted["number"])
    return {**found, "in_list": place, "back_url": found["back_url"] + (f"?{query}" if query else "")}


def card(request: SignedIn, client: Client) -> dict[str, Any]:
    """Return the context of the whole card."""
    asked = request.GET.get("ask", "")
    found = head(request, client, tab="main")
    panels = {tab.name: tab.url for tab in found["tabs"] if tab.name == "messages"}
    return {
        **found,
        **told(request, client),
        "panels": panels,
        "birth": birth_of(client, timezone.localdate()),
        "since": survivors.since([client])[client.pk],
        "facts": rooms.facts_of(request.user, client, timezone.now()),
        "further": contacts.shown(client, request.salon, is_masked=found["contacts"].is_masked),
        "fronts": answers.fronts(client),
        "reminders": [answers.reminders(client, channel) for channel in ways.of_reminders()],
        "how": answers.HOW,
        "asked": asked if asked.removeprefix("told-") in fold.CHANNELS else "",
        "how_told": existing.HOW,
        "likely": _likely(request.user, client),
    }


def _likely(user: User, client: Client) -> list[dict[str, Any]]:
    """Return the cards that may be the same person, each with why, the pair to answer and where the two are compared."""
    return [
        {
            "pair": pair, "other": other, "reasons": telling.words(pair.reasons),
            "compare_url": pairs.compare_path([client.pk, other.pk]),
        }
        for pair, other in pairs.of_card(user, client)
    ]  # fmt: skip


def told(request: SignedIn, client: Client) -> dict[str, Any]:
    """Return what `clients/_timeline.html` needs, of the kind and the length that the request asks for."""
    kind, shown = request.GET.get("show", ""), whole(request.GET.get("shown", "")) or 0
    query = came_from(request)
    return {
        "client": client,
        "timeline": timeline.of(
            request.user, client, kind=kind, shown=min(max(shown, timeline.FIRST), _MOST_TOLD), now=timezone.now()
        ),
        "timeline_url": reverse("clients:card", args=[client.pk])
        + (f"?{urlencode({'from': query})}&" if query is not None else "?"),
    }


def address(client: Client) -> dict[str, Any]:
    """Return the country in the reader's language, and the address of a map with the house on it (nothing without a town)."""
    country = dict(countries.choices()).get(client.country, client.country)
    lines = [client.street, f"{client.postcode} {client.city}".strip(), country]
    query = urlencode({"query": ", ".join(line for line in lines if line)})
    has_place = bool(client.city or client.postcode)
    return {"country": country, "map_url": f"https://www.openstreetmap.org/search?{query}" if has_place else ""}


def other(request: SignedIn, client: Client, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page Other needs besides the head `found`."""
    user = request.user
    ties = links.of(client, access.clients_for(user))
    names = access.contacts_of(user, [tie.other for tie in ties], request.salon, now=timezone.now())
    return {
        "tag_names": tags.in_use() if user.may(May.EDIT_CLIENTS) else [],
        "further": contacts.shown(client, request.salon, is_masked=found["contacts"].is_masked),
        "ties": [(tie, names[tie.other.pk].name) for tie in ties],
        "blacklistings": list(client.blacklistings.select_related("by", "lifted_by")) if user.may(May.EDIT_CLIENTS) else [],
        "usual_url": address_of("appointments:usual", client.pk),
        "rhythm_url": address_of("appointments:rhythm", client.pk),
        "reminders_url": address_of("notifications:reminders_of_client", client.pk),
    }


def birth_of(client: Client, today: dt.date) -> dict[str, Any]:
    """Return day (as a date, in a leap year where the year is unknown), whether the year is known, and the age."""
    if not client.birth_day or not client.birth_month:
        return {}
    year = client.birth_year
    try:
        day = dt.date(year or 2000, client.birth_month, client.birth_day)
    except ValueError:
        return {}
    age = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return {"day": day, "has_year": bool(year), "age": age if year else None}


def list_query(text: str) -> str:
    """Return the query string of a list, cleaned of everything a list does not know."""
    return lists.query(lists.wanted(QueryDict(text)))


def came_from(request: SignedIn) -> str | None:
    """Return the query string of the list that the card was opened from, None for a card opened otherwise.

    A part of the page that is fetched or saved does not carry it, but the page it belongs to does.
    """
    given = request.GET
    if "from" not in given and request.htmx.current_url_abs_path:
        given = QueryDict(urlsplit(request.htmx.current_url_abs_path).query)
    return list_query(given["from"]) if "from" in given else None


def writing(user: User) -> dict[str, str]:
    """Return where somebody writes to clients (write_url), or whom one whose colleague may has to ask (write_ask)."""
    address = address_of("notifications:new")
    if not address or not user.may(May.SEE_MESSAGES):
        return {"write_url": "", "write_ask": ""}
    if user.may(May.SEND_MARKETING):
        return {"write_url": address, "write_ask": ""}
    return {"write_url": "", "write_ask": asking.sentence(May.SEND_MARKETING)}


def address_of(view: str, *args: int) -> str:
    """Return the address of a page that a room above may serve, or nothing where it does not."""
    try:
        return reverse(view, args=args)
    except NoReverseMatch:
        return ""


def _book_url(user: User, client: Client) -> str:
    address = address_of("appointments:book") if user.may(May.BOOK) and client.inactive_at is None else ""
    return f"{address}?client={client.pk}" if address else ""
