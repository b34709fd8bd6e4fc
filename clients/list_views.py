"""The pages of the list of clients: its rows, and the choice of filters."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from clients import access, cards, filters, lists, selection
from clients.duplicates import pairs
from clients.marking import Marker
from salon.core import asking
from salon.core.models import User
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page


@allowed(May.SEE_CLIENTS)
def list_(request: SignedIn) -> HttpResponse:
    """Show the clients: one page of 50, by name, filtered, searched while typing."""
    now, user, salon = timezone.now(), request.user, request.salon
    wanted = lists.wanted(request.GET)
    is_typing = is_fragment(request) and request.htmx.trigger == "q"
    counts = {} if is_typing else lists.status_counts(user)
    found = lists.listing(user, salon, now=now, count=counts.get(wanted["status"]), **wanted)
    is_short = bool(wanted["text"]) and wanted["status"] == "active" and found.count < lists.PER_PAGE
    context = {
        **lists.addresses(wanted),
        "found": found,
        "counts": counts,
        "chips": lists.chips(wanted, counts),
        "wanted": wanted,
        "marker": Marker(wanted["text"]),
        "elsewhere": lists.found_elsewhere(user, salon, wanted, now=now) if is_short else 0,
        "left_out": lists.without_profiling(user, salon, wanted, now=now),
        "left_out_most": lists.LISTED_MOST,
        "has_visits": access.has_columns(),
        "duplicates_count": 0 if is_typing else pairs.open_count(user),
        "is_off": (request.htmx.trigger or "").startswith("filter-"),
        **_asks(user),
        **_selecting(request, wanted, found, now),
    }
    return page(request, "clients/list.html", context, fragment="clients/_rows.html")


@allowed(May.SEE_CLIENTS)
@require_GET
def narrow(request: SignedIn) -> HttpResponse:
    """Show every filter with what it is set to, and lead to the list that was asked for."""
    wanted = lists.wanted(request.GET)
    if "set" in request.GET:
        chosen = selection.read(request.GET, request.user).query
        return go(request, f"{reverse('clients:list')}?{chosen}{lists.query(wanted, number=1)}")
    on = dict(wanted["filters"])
    fields = [
        {"filter": one, "offers": one.offers(), "value": on.get(one.name, ""), "id": f"set-{one.name}"} for one in filters.every()
    ]
    context = {"fields": fields, "wanted": wanted, "list_query": lists.query(wanted, number=1)}
    return page(request, "clients/filter.html", context, fragment="clients/_filter_dialog.html")


def _asks(user: User) -> dict[str, str]:
    """Return where somebody at the desk writes to clients, and whom they ask for what their role has not."""
    acts = {"ask_import": May.IMPORT_CLIENTS, "ask_export": May.EXPORT, "write_ask": May.SEND_MARKETING}
    lacking = [act for act in acts.values() if user.may(May.EDIT_CLIENTS) and not user.may(act)]
    words = asking.sentences(lacking) if lacking else {}
    address = cards.address_of("notifications:new")
    found = {name: words.get(act, "") for name, act in acts.items()}
    return {**found, "write_url": address if user.may(May.SEND_MARKETING) else "", "has_messages": address}


def _selecting(request: SignedIn, wanted: Mapping[str, Any], found: lists.Listing, now: dt.datetime) -> dict[str, Any]:
    """Return what is ticked, for somebody at the desk: the acts on it are others' rooms, found by their addresses."""
    user = request.user
    if not user.may(May.SEE_MESSAGES):
        return {"may_select": False, "selection": selection.Selection(), "ticked": None, "selection_bar": ""}
    chosen = selection.read(request.GET, user)
    return {
        "may_select": True,
        "selection": chosen,
        "ticked": selection.shown(chosen, user, request.salon, wanted, found, now=now),
        "every": selection.seal(wanted, user),
        "selection_bar": "clients/_selection.html",
        "ticked_most": selection.TICKED_MOST,
        "act_most": selection.ACT_MOST,
    }
