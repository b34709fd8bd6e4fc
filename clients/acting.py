"""What every act on a selection of clients needs of its page: who is chosen, the way back, and the answer to a refusal."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone

from clients import lists, selection
from clients.selection import Selection
from salon.core.errors import Refused
from salon.core.web import SignedIn, go, safe_next, toast

P = ParamSpec("P")


@dataclass(frozen=True)
class Cards:
    """The cards an act is about: as they were selected, by id, and at which moment."""

    chosen: Selection
    ids: set[int]
    now: dt.datetime


def selected(request: SignedIn) -> Selection:
    """Return who is selected, on the way to the form or in what it sends."""
    given: Any = request.POST if request.method == "POST" else request.GET
    return selection.read(given, request.user)


def on_cards(act: Callable[Concatenate[SignedIn, Cards, P], HttpResponse]) -> Callable[Concatenate[SignedIn, P], HttpResponse]:
    """Hand the view the selected cards; nobody, too many or a list that changed meanwhile is refused before it is asked."""

    @wraps(act)
    def view(request: SignedIn, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        now, chosen = timezone.now(), selected(request)
        ids = _ids(request, chosen, now)
        try:
            selection.check(chosen, len(ids))
        except Refused as error:
            return refused(request, error)
        return act(request, Cards(chosen, ids, now), *args, **kwargs)

    return view


def back(request: SignedIn, chosen: Selection) -> dict[str, str]:
    """Return the way back (back_url): to `next`, else to the list it was begun from, with nobody selected."""
    here = QueryDict(urlsplit(request.htmx.current_url_abs_path or "").query)
    query = lists.query(chosen.wanted or lists.wanted(here), number=1)
    return {"back_url": safe_next(request, reverse("clients:list") + (f"?{query}" if query else ""))}


def refused(request: SignedIn, error: Refused) -> HttpResponse:
    """Say why nothing was done, and lead back."""
    toast(request, error.message, level=messages.WARNING)
    return go(request, safe_next(request, reverse("clients:list")))


def _ids(request: SignedIn, chosen: Selection, now: dt.datetime) -> set[int]:
    """Return the selected ids: those ticked by hand even if they have gone meanwhile, so that the answer can say so."""
    if not chosen.every:
        return set(chosen.ids)
    rows = selection.rows(chosen, request.user, request.salon, now=now).order_by()
    return set(rows.values_list("pk", flat=True)[: selection.ACT_MOST + 1])
