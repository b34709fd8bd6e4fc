"""The day, the booking page and a client's visits. What happens to one visit is in visit_views."""

import datetime as dt
import uuid
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from appointments import access, agenda, claims, desk, objections, picking, slips
from appointments.forms import BookForm
from appointments.models import STANDS, Appointment
from clients import access as clients_access
from clients import cards
from clients.models import Client
from salon.core import dates
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, toast, whole


@allowed(May.SEE_CALENDAR)
def today(request: SignedIn) -> HttpResponse:
    """Show today, or go to the day that "Go to date" asks for."""
    asked = request.GET.get("on", "")
    if asked:
        on = dates.read(asked)
        return go(request, "appointments:day", on) if on else go(request, "appointments:today")
    return day(request, timezone.localdate())  # type: ignore[return-value]


@allowed(May.SEE_CALENDAR)
def day(request: SignedIn, iso: dt.date) -> HttpResponse:
    """Show everybody's day."""
    return page(request, "appointments/day.html", day_context(request, iso), fragment="appointments/_agenda.html")


def day_context(request: SignedIn, on: dt.date, *, focus: int = 0) -> dict[str, Any]:
    """Return what `_agenda.html` needs to show the local day `on`; `focus` is the visit that was just acted on."""
    before, after = on - dt.timedelta(days=1), on + dt.timedelta(days=1)
    found = agenda.day(on, user=request.user, salon=request.salon, now=timezone.now())
    return {"day": found, "before": before, "after": after, "today": timezone.localdate(), "focus": focus}


@allowed(May.BOOK)
def book(request: SignedIn) -> HttpResponse:
    """Book a visit: the form with free times, and what speaks against the chosen one."""
    people = access.bookable_staff(request.user)
    clients = clients_access.clients_for(request.user).active()
    if not people.exists():
        return page(request, "appointments/book_nobody.html", {"why": _why_nobody(request.user)})
    options: dict[str, Any] = {"staff": people, "clients": clients, "user": request.user, "salon": request.salon}
    if request.method != "POST":
        return _ask(request, BookForm(initial=_first_values(request) | _unbookable(request), **options))
    act = request.POST.get("act", "book")
    if act != "book":
        if act.startswith("wake-"):
            sleeper = clients_access.client_for(request.user, whole(act.removeprefix("wake-")) or 0)
            desk.wake(sleeper, by=request.user, now=timezone.now())
        return _ask(request, BookForm(initial=picking.typed(request.POST, act), **options))
    return _book_or_say_why(request, BookForm(request.POST, **options))


def _why_nobody(user: User) -> str:
    """Return why this user finds nobody to book for, and what to do or whom to ask."""
    if user.may(May.EDIT_SETTINGS):
        return _("Nobody has a column in the calendar yet. Add the first person, then the services that visits are booked for.")
    if user.may(May.BOOK_FOR_ALL_STAFF):
        return _("Nobody has a column in the calendar yet. Ask the owner to add the first person under Staff and hours.")
    return _("Your account has no column in the calendar yet. Ask the owner to link it under Staff and hours.")


def _book_or_say_why(request: SignedIn, form: BookForm) -> HttpResponse:
    if not form.is_valid():
        return _ask(request, form, status=422)
    found = _against(request, form)
    if not objections.are_overruled(found, request.POST.get("overruled", "")):
        return _ask(request, form, against=found, status=409)
    try:
        visit = _book(request, form, may_overbook=any(objection.visit for objection in found))
    except claims.Overlap as overlap:
        return _ask(request, form, against=objections.overlaps(overlap.visits), status=409)
    except Refused as refused:
        refuse(form, refused)
        return _ask(request, form, status=422)
    words = _("%(name)s is booked, %(day)s %(time)s with %(staff)s.") % facts_of(request, visit)
    toast(request, words, undo_url=reverse("appointments:undo", args=[visit.pk]), undo=slips.token(visit))
    return go(request, "appointments:day", timezone.localtime(visit.start_at).date())


def _against(request: SignedIn, form: BookForm) -> list[objections.Objection]:
    """Return what speaks against the time in a valid form: nothing if this press of the button has booked it before."""
    data = form.cleaned_data
    if Appointment.objects.filter(idempotency_key=data["key"]).exists():
        return []
    return objections.against(
        staff=data["staff"], start_at=data["start_at"], minutes=data["service"].duration_minutes,
        salon=request.salon, now=timezone.now(),
    )  # fmt: skip


def _book(request: SignedIn, form: BookForm, *, may_overbook: bool) -> Appointment:
    data = form.cleaned_data
    return desk.book(
        client=data["client"], newcomer=data["newcomer"], staff=data["staff"], service=data["service"],
        start_at=data["start_at"], by=request.user, now=timezone.now(), note=data["note"],
        is_notice_wanted=data["is_notice_wanted"], may_overbook=may_overbook, key=data["key"],
    )  # fmt: skip


def name_of(request: SignedIn, visit: Appointment) -> str:
    """Return the client's name as this reader may see it."""
    found = access.contacts_of(request.user, [visit], request.salon, now=timezone.now())
    return found[visit.pk].name if visit.pk in found else _("Walk-in")


def facts_of(request: SignedIn, visit: Appointment) -> dict[str, str]:
    """Return what a toast says of a visit: name, day ("Wed 18 Nov"), time and staff."""
    start_at = timezone.localtime(visit.start_at)
    day = dates.show(start_at.date(), pgettext("date format", "D j M"))
    return {"name": name_of(request, visit), "day": day, "time": start_at.strftime("%H:%M"), "staff": visit.staff.name}


def _first_values(request: SignedIn) -> dict[str, Any]:
    """Return the values that the address of the booking page gives: client, service, staff, start."""
    values: dict[str, Any] = {name: request.GET[name] for name in ("client", "service", "staff") if request.GET.get(name)}
    start_at = _start_or_none(request.GET.get("start", ""))
    on = start_at.date() if start_at else dates.read(request.GET.get("on", ""))
    values |= {"on": on or timezone.localdate(), "key": uuid.uuid4().hex}
    return values | ({"time": start_at.time()} if start_at else {})


def _unbookable(request: SignedIn) -> dict[str, Any]:
    """Say why, where the address asks to book for a client for whom nobody books, and return the form without them.

    Whoever may not know that a card is restricted, or was erased, hears what is said of an id that never was.
    """
    pk = whole(request.GET.get("client", ""))
    if pk is None:
        return {}
    client = Client.objects.filter(pk=pk, merged_into=None, erased_at=None).first()
    try:
        if client is None or (client.restricted_at is not None and not request.user.may(May.SERVE_RIGHTS)):
            raise Refused(_("This card is not in the book any more."))
        claims.refuse_client(client)
        claims.refuse_deleted(client)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
        return {"client": ""}
    return {}


def _ask(
    request: SignedIn, form: BookForm, *, against: list[objections.Objection] | None = None, status: int = 200
) -> HttpResponse:
    """Show the booking form with the client's notes, those the search finds, the free times and the objections."""
    context = picking.context(request, form) | {
        "form": form,
        "against": picking.named(request, against or []),
        "overruled": ",".join(found.code for found in against or []),
    }  # fmt: skip
    return page(request, "appointments/book.html", context, fragment="appointments/_book_form.html", status=status)


@allowed(May.SEE_CLIENTS)
def of_client(request: SignedIn, pk: int) -> HttpResponse:
    """Show a client's visits as a tab of the card: those ahead, then the past by year."""
    client = clients_access.client_for(request.user, pk)
    now = timezone.now()
    visits = list(access.appointments_for(request.user).filter(client=client).order_by("-start_at"))
    ahead = [visit for visit in visits if visit.start_at >= now and visit.state in STANDS][::-1]
    past = [visit for visit in visits if visit not in ahead]
    years = [(year, list(rows)) for year, rows in groupby(past, key=lambda visit: timezone.localtime(visit.start_at).year)]
    mine = {staff.pk for staff in access.bookable_staff(request.user)}
    context = {
        "client": client, "ahead": ahead, "years": years, "count": len(visits), "mine": mine,
        "can_book": bool(mine),
    }  # fmt: skip
    return page(request, "appointments/of_client.html", context | cards.head(request, client, tab="appointments"))


def _start_or_none(text: str) -> dt.datetime | None:
    """Return the salon's wall time of "2026-11-18T12:30" with or without an offset; None for anything else."""
    try:
        found = parse_datetime(text)
        wall = timezone.localtime(found) if found and timezone.is_aware(found) else found
    except (ValueError, OverflowError):
        return None
    return wall if wall and dates.is_known(wall.date()) else None
