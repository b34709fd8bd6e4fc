"""Deleting many inactive cards: the page that says what goes and what stays, the number to type, and how far it is."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from clients import access, acting, clearing, deletions
from clients.models import DeletionRun
from clients.rights_forms import DeleteManyForm
from salon.core import asking, notices
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, progress, refuse, sent

NAMED = 20


@allowed(May.DELETE_CLIENTS)
@acting.on_cards
def delete(request: SignedIn, cards: acting.Cards) -> HttpResponse:
    """Show what deleting the selected cards takes, and which stay and why; have it done once their number was typed."""
    found, may_erase = clearing.look(cards.ids, by=request.user, now=cards.now), request.user.may(May.ERASE_CLIENTS)
    form = DeleteManyForm(sent(request), may_erase=may_erase)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            row = clearing.start(found, typed=data["typed"], is_at_once=data["when"] == "now", by=request.user, now=cards.now)
        except Refused as refused:
            refuse(form, refused)
        else:
            return go(request, "clients:deletion_run", row.pk)
    people = access.clients_for(request.user).filter(pk__in=found.ids[:NAMED]).order_by("sort_name", "pk")
    context = {
        "form": form, "found": found, "chosen": cards.chosen, "count": len(found.ids), "people": people,
        "others": max(0, len(found.ids) - NAMED), "may_erase": may_erase, "when": form["when"].value() or "tidying",
        "erase_on": timezone.localtime(cards.now).date() + deletions.GRACE,
        "ask": "" if may_erase else asking.sentence(May.ERASE_CLIENTS), **acting.back(request, cards.chosen),
    }  # fmt: skip
    return page(request, "clients/delete_many.html", context, status=422 if form.errors else 200)


@allowed(May.DELETE_CLIENTS)
@require_GET
def run(request: SignedIn, pk: int) -> HttpResponse:
    """Show how far a deletion of many is; at its end what was done, and whose card stays and why."""
    row = get_object_or_404(DeletionRun.objects.select_related("by"), pk=pk)
    if row.settled_at is None:
        job = progress(request, row.cards_count - len(row.todo), row.cards_count)
        return page(request, "clients/deletion_run.html", {"row": row, **job}, fragment="clients/_deletion_job.html")
    if is_fragment(request):
        return go(request, "clients:deletion_run", pk)
    notices.read(request.user, now=timezone.now(), url=request.path)
    here = access.clients_for(request.user).filter(pk__in=row.refused).order_by("sort_name", "pk")
    kept: list[dict[str, Any]] = [{"client": card, "why": clearing.REASONS[row.refused[str(card.pk)]]} for card in here]
    context = {"row": row, "kept": kept, "unseen": len(row.refused) - len(kept)}
    return page(request, "clients/deletion_run.html", context)
