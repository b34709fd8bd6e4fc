"""The pages of deleting: the one that asks, the list of those to be erased, and what was erased."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients import access, bookings, deletions, inactivity
from clients.erasure import plan
from clients.models import Deletion, Erasure
from clients.rights_forms import KNOWN, DeleteForm
from salon.core import asking
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May
from salon.core.templatetags.house import as_day, as_time, as_weekday
from salon.core.web import SignedIn, allowed, go, page, refuse, sent, toast

SHOWN = 50


def _may_not(request: HttpRequest, pk: int) -> HttpResponse | None:
    """Return the page for somebody at the desk: who deletes, and that the card can be made inactive instead."""
    user = request.user
    if not (isinstance(user, User) and user.may(May.EDIT_CLIENTS)):
        return None
    client = access.client_for(user, pk)
    context = {"client": client, "ask": asking.sentence(May.DELETE_CLIENTS)}
    return page(request, "clients/delete_refused.html", context, status=403)


@allowed(May.DELETE_CLIENTS, otherwise=_may_not)
def delete(request: SignedIn, pk: int) -> HttpResponse:
    """Show what deleting takes and leaves, and do it once the name was typed."""
    client, now = access.client_for(request.user, pk), timezone.now()
    may_erase = request.user.may(May.ERASE_CLIENTS)
    form = DeleteForm(sent(request), client=client, country=request.salon.country, may_erase=may_erase)
    if form.is_bound and form.is_valid():
        try:
            row = deletions.delete(
                client, is_asked=bool(form.known_by), by=request.user, now=now,
                is_notice_wanted=form.cleaned_data["is_notice_wanted"], known_by=form.known_by,
            )  # fmt: skip
        except Refused as refused:
            refuse(form, refused)
        else:
            _tell(request, row)
            return go(request, "clients:list")
    context = {
        "client": client, "form": form, "plan": plan.of(client, now=now),
        "may_erase": may_erase, "erase_on": timezone.localtime(now).date() + deletions.GRACE,
        "ask": "" if may_erase else asking.sentence(May.ERASE_CLIENTS),
        "when": form["when"].value() or "tidying", "known": KNOWN,
    }  # fmt: skip
    return page(request, "clients/delete.html", context, status=422 if form.is_bound else 200)


def _tell(request: SignedIn, row: Deletion) -> None:
    """Say what happened, without the name: the words wait in the session of the reader. Erase now whom the client asked for."""
    if deletions.is_waiting(row):
        toast(request, _("The cancellation is sent to the client first, by day, then the card is deleted: within twelve hours."))
    elif not row.is_asked:
        toast(request, _("Deleted. An owner can bring the card back until %(day)s.") % {"day": as_day(row.erase_on)})
    else:
        _erase(request, row)


def _erase(request: SignedIn, row: Deletion) -> None:
    try:
        erasure = deletions.carry_out(row, now=timezone.now())
    except (Refused, OperationalError, OSError) as error:
        why = error.message if isinstance(error, Refused) else _("The client is hidden, and will be erased within minutes.")
        toast(request, why, level=messages.WARNING)
    else:
        case = str(erasure.case)[:8] if erasure else ""
        toast(request, _("Erased. Case %(case)s.") % {"case": case}, see_url="")


@require_POST
@allowed(May.EDIT_CLIENTS)
def make_inactive(request: SignedIn, pk: int) -> HttpResponse:
    """Make the card inactive instead of deleting it."""
    client = access.client_for(request.user, pk)
    try:
        inactivity.make_inactive(client, reason="other", by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        toast(request, _("%(name)s is inactive.") % {"name": client.name})
    return go(request, "clients:card", pk)


@allowed(May.DELETE_CLIENTS)
def deleted(request: SignedIn) -> HttpResponse:
    """Show who is to be erased and when, and what was erased, without names."""
    now = timezone.now()
    rows = Deletion.objects.select_related("client", "by").order_by("erase_on", "pk")
    numbered = Paginator(rows, SHOWN).get_page(request.GET.get("page"))
    erasures = Erasure.objects.select_related("by").prefetch_related("outside").order_by("-at", "-pk")[:SHOWN]
    context: dict[str, Any] = {
        "waiting": [(row, deletions.is_late(row, now)) for row in numbered], "numbered": numbered, "erasures": erasures,
        "may_erase": request.user.may(May.ERASE_CLIENTS), "ask": asking.sentence(May.ERASE_CLIENTS),
    }  # fmt: skip
    return page(request, "clients/deleted.html", context)


@require_POST
@allowed(May.ERASE_CLIENTS)
def bring_back(request: SignedIn, pk: int) -> HttpResponse:
    """Take a deletion back."""
    row = get_object_or_404(Deletion.objects.select_related("client"), pk=pk)
    try:
        back = deletions.bring_back(row, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
        return go(request, "clients:deleted")
    lost = [returned for returned in back.visits if returned.why_not]
    words = [
        _("%(name)s is back.") % {"name": back.client.name},
        *_stand_again(len(back.visits) - len(lost)),
        *map(_is_lost, lost),
    ]
    toast(request, " ".join(words), level=messages.WARNING if lost else messages.SUCCESS)
    return go(request, "clients:card", back.client.pk)


def _stand_again(count: int) -> list[str]:
    words = ngettext("%(count)s appointment stands again.", "%(count)s appointments stand again.", count)
    return [words % {"count": count}] if count else []


def _is_lost(returned: bookings.Returned) -> str:
    visit = returned.visit
    facts = {
        "day": as_weekday(visit.start_at),
        "time": as_time(visit.start_at),
        "service": visit.service,
        "why": returned.why_not,
    }
    return _("Not back: %(day)s, %(time)s, %(service)s (%(why)s).") % facts


@require_POST
@allowed(May.ERASE_CLIENTS)
def erase_now(request: SignedIn, pk: int) -> HttpResponse:
    """Erase a hidden client without waiting for the day."""
    row = get_object_or_404(Deletion.objects.select_related("client"), pk=pk)
    try:
        row = deletions.hasten(row, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        _erase(request, row)
    return go(request, "clients:deleted")
