"""The pages of a merge: what it would do, the other card to merge with, and what an undo would give back."""

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from clients import access, cards, lists, merge_forms, selection
from clients.merging import merges, plan, since, undoing
from clients.models import Merge
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.templatetags.house import as_long_day
from salon.core.web import SignedIn, allowed, go, page, toast

_SHOWN = 8


@allowed(May.MERGE)
def merge(request: SignedIn) -> HttpResponse:
    """Show what the merge of some cards will do, and do it. Who changed a card meanwhile is pointed at."""
    now, user = timezone.now(), request.user
    asked = merge_forms.read(request.POST if request.method == "POST" else request.GET)
    status, seen = 200, None
    try:
        found = plan.cards_for(user, asked.ids or _chosen(request))
        if request.method == "POST" and asked.main is not None:
            ids = [card.pk for card in found]
            done = merges.merge(ids, main=asked.main, by=user, now=now, chosen=asked.chosen, versions=asked.versions)
            return _answer(request, done)
    except merges.Changed as changed:
        found = plan.cards_for(user, asked.ids)
        toast(request, changed.message, level=messages.WARNING)
        status, seen = 409, asked.seen
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
        return go(request, "clients:list")
    made = plan.make(user, request.salon, found, main=asked.main, chosen=asked.chosen, now=now, seen=seen)
    context = {"plan": made, "seen": json.dumps(made.seen), "others": _mains(made), "is_changed": status == 409}
    return page(request, "clients/merge.html", context, fragment="clients/_merge.html", status=status)


@allowed(May.MERGE)
@require_GET
def merge_with(request: SignedIn, pk: int) -> HttpResponse:
    """Look for the card to merge this one with."""
    client = access.client_for(request.user, pk)
    text = request.GET.get("q", "").strip()[:200]
    now, rows = timezone.now(), []
    if text:
        found = access.found_for(request.user, text, request.salon, now=now).exclude(pk=client.pk).order_by("sort_name", "pk")
        rows = lists.rows_of(request.user, request.salon, list(found[:_SHOWN]), now=now)
    context = {**cards.head(request, client, tab="main"), "text": text, "rows": rows}
    return page(request, "clients/merge_with.html", context, fragment="clients/_merge_with.html")


@allowed(May.MERGE)
def merge_undo(request: SignedIn, pk: int) -> HttpResponse:
    """Show what an undo of a merge would give back and what stays, and do it."""
    now = timezone.now()
    done = get_object_or_404(Merge.objects.select_related("winner", "by"), pk=pk)
    client = access.client_for(request.user, done.winner_id)
    if request.method == "POST":
        try:
            undoing.undo(done, by=request.user, now=now)
        except Refused as refused:
            toast(request, refused.message, level=messages.WARNING)
        else:
            toast(request, _undone(len(done.taken_in)))
        return go(request, "clients:card", client.pk)
    why_not = undoing.why_not(done, now=now)
    context = {"merge": done, "client": client, "why_not": why_not, "newer": undoing.newer(done)}
    context |= {"shown": since.of(done) if not why_not else None}
    return page(request, "clients/merge_undo.html", context)


def _chosen(request: SignedIn) -> list[int]:
    """Return the clients of a selection of all that a list finds: one more than can be merged, where there are as many."""
    every = selection.rows(selection.read(request.GET, request.user), request.user, request.salon, now=timezone.now())
    return list(every.order_by("pk").values_list("pk", flat=True)[: merges.MOST + 1])


def _answer(request: SignedIn, done: Merge) -> HttpResponse:
    count = len(done.taken_in) + 1
    until = as_long_day(done.at + merges.UNDO_FOR)
    words = ngettext("%(count)s client merged.", "%(count)s clients merged.", count) % {"count": count}
    still = _("Undo until %(day)s.") % {"day": until}
    toast(request, f"{words} {still}", undo_url=reverse("clients:merge_undo", args=[done.pk]), undo=str(done.pk))
    return go(request, "clients:card", done.winner_id)


def _undone(count: int) -> str:
    return ngettext("Merge undone: the other card is back.", "Merge undone: %(count)s other cards are back.", count) % {
        "count": count
    }


def _mains(made: plan.Plan) -> list[tuple[plan.Head, str]]:
    """Return each head of the page with the address at which its card is the main one; nothing for the one that is."""
    found: list[tuple[plan.Head, str]] = []
    for head in made.heads:
        query: list[tuple[str, Any]] = [("id", pk) for pk in sorted(made.ids)]
        url = f"{reverse('clients:merge')}?{urlencode([*query, ('main', head.card.pk)])}"
        found.append((head, "" if head.is_main else url))
    return found
