"""What becomes of one card or of many: inactive, on the blacklist, and back. Each act is one run with one Undo."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from clients import access, acting, blacklist, bookings, inactivity, reversal, runs, selection
from clients.models import CardRun
from clients.state_forms import BlacklistForm, InactiveForm
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, safe_next, sent, toast

_NAMED = 5


@allowed(May.EDIT_CLIENTS)
@acting.on_cards
def inactive(request: SignedIn, cards: acting.Cards) -> HttpResponse:
    """Ask why, and what becomes of appointments to come; make the selected clients inactive."""
    people = about(request, cards.ids, cards.now)
    ahead = bookings.ahead_of(cards.ids, now=cards.now)
    form = InactiveForm(sent(request), has_visits=bool(ahead), is_one=len(cards.ids) == 1)
    if form.is_valid():
        run = inactivity.make_many_inactive(cards.ids, by=request.user, now=cards.now, **form.cleaned_data)
        return _answer(request, run)
    context = {
        "form": form, "chosen": cards.chosen, **people, **_visits(request, ahead, cards.now), **acting.back(request, cards.chosen)
    }  # fmt: skip
    fragment = "clients/_inactive_dialog.html"
    return page(request, "clients/inactive.html", context, fragment=fragment, status=422 if form.errors else 200)


@allowed(May.EDIT_CLIENTS)
@acting.on_cards
def active(request: SignedIn, cards: acting.Cards) -> HttpResponse:
    """Make the selected clients active again; without a form of ours it is asked first."""
    if request.method == "POST":
        return _answer(request, inactivity.make_many_active(cards.ids, by=request.user, now=cards.now))
    context = {"chosen": cards.chosen, **about(request, cards.ids, cards.now), **acting.back(request, cards.chosen)}
    return page(request, "clients/active.html", context, fragment="clients/_active_dialog.html")


@allowed(May.EDIT_CLIENTS)
@acting.on_cards
def blacklisted(request: SignedIn, cards: acting.Cards) -> HttpResponse:
    """Ask why, and put the selected clients on the blacklist."""
    form = BlacklistForm(sent(request), today=cards.now.astimezone(request.salon.zone).date())
    if form.is_valid():
        return _answer(request, blacklist.add_many(cards.ids, by=request.user, now=cards.now, **form.cleaned_data))
    context = {"form": form, "chosen": cards.chosen, **about(request, cards.ids, cards.now), **acting.back(request, cards.chosen)}
    fragment = "clients/_blacklist_dialog.html"
    return page(request, "clients/blacklist.html", context, fragment=fragment, status=422 if form.errors else 200)


@allowed(May.EDIT_CLIENTS)
@acting.on_cards
def unblacklisted(request: SignedIn, cards: acting.Cards) -> HttpResponse:
    """Take the selected clients off the blacklist; without a form of ours it is asked first."""
    if request.method == "POST":
        return _answer(request, blacklist.lift_many(cards.ids, by=request.user, now=cards.now))
    context = {"chosen": cards.chosen, **about(request, cards.ids, cards.now), **acting.back(request, cards.chosen)}
    return page(request, "clients/unblacklist.html", context, fragment="clients/_unblacklist_dialog.html")


@allowed(May.EDIT_CLIENTS)
@require_GET
def run(request: SignedIn, pk: int) -> HttpResponse:
    """Show what became of an act on many cards: on how many it was done, and on whose not and why."""
    row = get_object_or_404(CardRun.objects.select_related("by"), pk=pk)
    now = timezone.now()
    here = access.clients_for(request.user).filter(pk__in=[*row.refused, *row.waiting]).order_by("sort_name", "pk")
    names = access.contacts_of(request.user, here[: selection.ACT_MOST], request.salon, now=now)
    rows = [{"pk": pk, "name": who.name, "why": runs.REASONS.get(row.refused.get(str(pk), ""), "")} for pk, who in names.items()]
    context = {
        "run": row, "heading": reversal.heading(row), "count": len(row.changed), "unseen": len(row.refused) - len(here),
        "rows": [one for one in rows if one["why"]], "waiting": [one for one in rows if not one["why"]],
        "is_open": runs.is_open(row, now) and bool(row.changed or row.waiting),
    }  # fmt: skip
    return page(request, "clients/card_run.html", context)


@allowed(May.EDIT_CLIENTS)
@require_POST
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Take an act on one card or many back."""
    row = get_object_or_404(CardRun, pk=pk)
    asked = len(row.changed) + len(row.waiting)
    try:
        count = reversal.undo(row, by=request.user, now=timezone.now())
    except Refused as error:
        toast(request, error.message, level=messages.WARNING)
    else:
        text = ngettext("Undone on %(count)s card.", "Undone on %(count)s cards.", count) % {"count": count}
        stays = _("Cancelled appointments stay cancelled.") if row.waiting else _("What was changed since stays.")
        toast(request, text if count == asked and not row.waiting else f"{text} {stays}")
    return go(request, safe_next(request, reverse("clients:list")))


def about(request: SignedIn, ids: Collection[int], now: dt.datetime) -> dict[str, Any]:
    """Return how many are chosen (count), and the name of the one where it is one."""
    one = access.clients_for(request.user).filter(pk__in=ids).first() if len(ids) == 1 else None
    name = access.contacts(request.user, one, request.salon, now=now).name if one else ""
    return {"count": len(ids), "name": name, "client": one}


def _visits(request: SignedIn, ahead: dict[int, list[bookings.Ahead]], now: dt.datetime) -> dict[str, Any]:
    """Return who has appointments to come: the first few with their visits, and how many more have some."""
    clients = list(access.clients_for(request.user).filter(pk__in=ahead).order_by("sort_name", "pk")[:_NAMED])
    names = access.contacts_of(request.user, clients, request.salon, now=now)
    booked = [{"name": names[one.pk].name, "visits": ahead[one.pk], "is_told": bool(one.email)} for one in clients]
    return {"booked": booked, "booked_count": len(ahead), "booked_more": len(ahead) - len(booked)}


def _answer(request: SignedIn, row: CardRun) -> HttpResponse:
    """Say what was done with one Undo for all of it, and where the rest is told; lead back."""
    done, left = len(row.changed) + len(row.waiting), len(row.refused)
    see = {"see_url": reverse("clients:card_run", args=[row.pk])} if left or row.waiting else {}
    undo = {"undo_url": reverse("clients:card_undo", args=[row.pk]), "undo": str(row.pk)} if done else {}
    words = reversal.words(row)
    if left and done:
        words += " " + ngettext("%(count)s not.", "%(count)s not.", left) % {"count": left}
    toast(request, words, **undo, **see, level=messages.SUCCESS if done else messages.WARNING)
    return go(request, safe_next(request, reverse("clients:list")))
