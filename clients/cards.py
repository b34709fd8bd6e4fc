"""What the pages of one client have in common: head, tabs and the way back to the list. For the rooms above too."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import access, answers, duplicates, fold
from clients.models import Client
from salon.core import asking
from salon.core.models import User
from salon.core.roles import May
from salon.core.web import SignedIn

# What a list's address may carry back and forth.
LIST_KEYS = ("q", "status", "sort", "page")
# What the panels of the card listen for: an answer or an address has changed what may be sent.
CHANGED = "consent-changed"
_TABS = (
    ("main", "clients:card", May.SEE_CLIENTS),
    ("appointments", "appointments:of_client", May.SEE_CLIENTS),
    ("messages", "notifications:of_client", May.SEE_CLIENTS),
)


@dataclass(frozen=True)
class Tab:
    """One tab of the card: a link."""

    name: str
    url: str
    label: str
    current: bool


def head(request: SignedIn, client: Client, *, tab: str) -> dict[str, Any]:
    """Return what `clients/_head.html` needs: client, contacts, tabs (current: `tab`), back_url, back_to, book_url,
    write_url, write_ask (whom to ask instead).

    `tab` is "main", "appointments" or "messages".
    """
    user = request.user
    came_from = list_query(request.GET.get("from", ""))
    suffix = f"?{_from(came_from)}" if came_from else ""
    labels = {"main": _("Main data"), "appointments": _("Appointments"), "messages": _("Messages")}
    tabs = [
        Tab(name, url + suffix, labels[name], name == tab)
        for name, view, act in _TABS
        if user.may(act) and (url := _address(view, client.pk))
    ]
    return {
        "client": client,
        "contacts": access.contacts(user, client, request.salon, now=timezone.now()),
        "tabs": tabs,
        "back_url": reverse("clients:list") + (f"?{came_from}" if came_from else ""),
        "back_to": _("Clients"),
        "book_url": _book_url(user, client),
        **(writing(user) if client.inactive_at is None else {"write_url": "", "write_ask": ""}),
    }


def card(request: SignedIn, client: Client) -> dict[str, Any]:
    """Return the context of the whole card."""
    asked = request.GET.get("ask", "")
    found = head(request, client, tab="main")
    panels = {tab.name: tab.url for tab in found["tabs"] if tab.name != "main"}
    among = access.clients_for(request.user)
    return {
        **found,
        "panels": panels,
        "birth": birth_of(client, timezone.localdate()),
        "fronts": answers.fronts(client),
        "reminders": answers.reminders(client),
        "how": answers.HOW,
        "asked": asked if asked in fold.CHANNELS else "",
        "likely": duplicates.of(client, among) if request.user.may(May.EDIT_CLIENTS) else [],
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
    given = QueryDict(text)
    kept = QueryDict(mutable=True)
    for key in LIST_KEYS:
        if given.get(key):
            kept[key] = given[key][:200]
    return kept.urlencode()


def _from(query: str) -> str:
    carried = QueryDict(mutable=True)
    carried["from"] = query
    return carried.urlencode()


def _book_url(user: User, client: Client) -> str:
    address = _address("appointments:book") if user.may(May.BOOK) and client.inactive_at is None else ""
    return f"{address}?client={client.pk}" if address else ""


def writing(user: User) -> dict[str, str]:
    """Return where somebody writes to clients (write_url), or whom one whose colleague may has to ask (write_ask)."""
    address = _address("notifications:new")
    if not address or not user.may(May.SEE_MESSAGES):
        return {"write_url": "", "write_ask": ""}
    if user.may(May.SEND_MARKETING):
        return {"write_url": address, "write_ask": ""}
    return {"write_url": "", "write_ask": asking.sentence(May.SEND_MARKETING)}


def _address(view: str, *args: int) -> str:
    """Return the address of a page that a room above may serve, or nothing where it does not."""
    try:
        return reverse(view, args=args)
    except NoReverseMatch:
        return ""
