"""The page of cards that may be one person: what was found and why, and the answers to it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from clients import access
from clients.duplicates import pairs, scan, together
from clients.merging import together as merging
from clients.models import DuplicatePair, DuplicateSearch
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, safe_next, toast, whole

_PER_PAGE = 50
# What the chips of the page show: bands of pairs that wait, or those that were answered.
_SHOWS = ("sure", "likely", "possible", "answered")


@allowed(May.EDIT_CLIENTS)
@require_GET
def index(request: SignedIn) -> HttpResponse:
    """Show the pairs that wait for an answer, the likeliest first, or those that were answered."""
    every = pairs.shown(request.user)
    waiting = every.filter(state=pairs.State.OPEN)
    kinds = {name: waiting.filter(band=name) for name in _SHOWS[:3]} | {"answered": every.exclude(state=pairs.State.OPEN)}
    counts = {name: rows.order_by().count() for name, rows in kinds.items()}
    show = request.GET.get("show", "")
    show = show if show in kinds else next((name for name in _SHOWS[:3] if counts[name]), "sure")
    shown = Paginator(kinds[show], _PER_PAGE).get_page(whole(request.GET.get("page", "")) or 1)
    ready = together.ready(request.user)[: merging.MOST] if show == "sure" else []
    context = {
        "show": show, "counts": counts, "page": shown, "search": DuplicateSearch.objects.filter(pk=1).first(),
        "rows": _lines(request, list(shown.object_list)), "ready": ready,
    }  # fmt: skip
    return page(request, "clients/duplicates.html", context)


@allowed(May.EDIT_CLIENTS)
@require_POST
def answer(request: SignedIn, pk: int) -> HttpResponse:
    """Remember that two cards are not one person, or one household; taken back from the toast."""
    row = get_object_or_404(pairs.shown(request.user), pk=pk)
    said = request.POST.get("answer", "")
    try:
        pairs.answer(row, said if said in pairs.ANSWERS else pairs.State.NOT_SAME, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        words = _("Remembered: one household.") if said == pairs.State.HOUSEHOLD else _("Remembered: not the same person.")
        toast(request, words, undo_url=reverse("clients:duplicate_undo", args=[row.pk]), undo=str(row.pk))
    return go(request, safe_next(request, reverse("clients:duplicates")))


@allowed(May.EDIT_CLIENTS)
@require_POST
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Let a pair that was answered wait again."""
    row = get_object_or_404(pairs.shown(request.user), pk=pk)
    try:
        pairs.ask_again(row, by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        toast(request, _("Undone."))
    return go(request, safe_next(request, reverse("clients:duplicates")))


@allowed(May.EDIT_CLIENTS)
@require_POST
def search(request: SignedIn) -> HttpResponse:
    """Have all cards compared again, by the worker."""
    scan.want(timezone.now())
    toast(request, _("All cards are being compared. Look again in a minute."))
    return go(request, "clients:duplicates")


@allowed(May.MERGE)
@require_POST
def merge(request: SignedIn) -> HttpResponse:
    """Merge the sure pairs that the page showed and in which nothing contradicts."""
    ids = {number for text in request.POST.getlist("pair") if (number := whole(text))}
    done = merging.merge_all(ids, by=request.user, now=timezone.now())
    words = ngettext("%(count)s pair merged.", "%(count)s pairs merged.", len(done.merged)) % {"count": len(done.merged)}
    if done.merged:
        words += " " + _("Each can be undone on its card for 30 days.")
    if done.left:
        left = ngettext("%(count)s is left to be looked at.", "%(count)s are left to be looked at.", len(done.left))
        words += " " + left % {"count": len(done.left)}
    toast(request, words)
    return go(request, "clients:duplicates")


def _lines(request: SignedIn, rows: list[DuplicatePair]) -> list[dict[str, Any]]:
    """Return each pair with both people as this reader may see them."""
    cards = {card.pk: card for row in rows for card in (row.low, row.high)}
    names = access.contacts_of(request.user, cards.values(), request.salon, now=timezone.now())
    return [
        {
            "pair": row, "compare_url": pairs.compare_path([row.low_id, row.high_id]),
            "people": [(card, names[card.pk]) for card in (row.low, row.high)],
        }
        for row in rows
    ]  # fmt: skip
