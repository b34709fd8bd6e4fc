"""What every act on a selection of clients needs of its page: who is chosen, the way back, and the answer to a refusal."""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.urls import reverse

from clients import lists, selection
from clients.selection import Selection
from salon.core.errors import Refused
from salon.core.web import SignedIn, go, safe_next, toast


def selected(request: SignedIn) -> Selection:
    """Return who is selected, on the way to the form or in what it sends."""
    given: Any = request.POST if request.method == "POST" else request.GET
    return selection.read(given, request.user)


def ids_of(request: SignedIn, chosen: Selection, now: dt.datetime) -> set[int]:
    """Return the selected ids: those ticked by hand even if they have gone meanwhile, so that the answer can say so."""
    if not chosen.every:
        return set(chosen.ids)
    rows = selection.rows(chosen, request.user, request.salon, now=now).order_by()
    return set(rows.values_list("pk", flat=True)[: selection.ACT_MOST + 1])


def back(request: SignedIn, chosen: Selection) -> dict[str, str]:
    """Return the way back (back_url): to `next`, else to the list it was begun from, with nobody selected."""
    here = QueryDict(urlsplit(request.htmx.current_url_abs_path or "").query)
    query = lists.query(chosen.wanted or lists.wanted(here), number=1)
    return {"back_url": safe_next(request, reverse("clients:list") + (f"?{query}" if query else ""))}


def refused(request: SignedIn, error: Refused) -> HttpResponse:
    """Say why nothing was done, and lead back."""
    toast(request, error.message, level=messages.WARNING)
    return go(request, safe_next(request, reverse("clients:list")))
