"""Settings: the services that the salon offers, the people who work with clients, and their hours."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments import catalogue, crew
from appointments.forms import DAYS, DayForm, ServiceForm, StaffForm
from appointments.models import Service, Staff
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, toast


@allowed(May.READ_SETTINGS)
def services(request: SignedIn) -> HttpResponse:
    """List the services, the retired ones below."""
    rows = list(Service.objects.annotate(visit_count=Count("appointments")))
    offered = [row for row in rows if row.is_active]
    context = {"offered": offered, "retired": [row for row in rows if not row.is_active]}
    return page(request, "appointments/services.html", context)


@allowed(May.EDIT_SETTINGS)
def service_add(request: SignedIn) -> HttpResponse:
    """Add a service."""
    form = ServiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service = catalogue.add(by=request.user, **form.cleaned_data)
            toast(request, _("%(name)s is offered now.") % {"name": service.name})
            return go(request, "appointments:services")
        except Refused as refused:
            refuse(form, refused)
    return page(request, "appointments/service.html", {"form": form, "service": None}, status=422 if form.errors else 200)


@allowed(May.EDIT_SETTINGS)
def service_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Change a service, take it off the list, or put it back."""
    service = get_object_or_404(Service, pk=pk)
    act = _act(request, "retire", "offer")
    form = ServiceForm(request.POST if request.method == "POST" and act == "save" else None, instance=service)
    if request.method == "POST" and (act != "save" or form.is_valid()):
        try:
            if act == "retire":
                catalogue.retire(service, by=request.user)
                words = _("%(name)s is not offered any more.")
            elif act == "offer":
                catalogue.offer_again(service, by=request.user)
                words = _("%(name)s is offered again.")
            else:
                service = catalogue.edit(service, by=request.user, **form.cleaned_data)
                words = _("%(name)s is saved.")
            toast(request, words % {"name": service.name})
            return go(request, "appointments:services")
        except Refused as refused:
            if act == "save":
                refuse(form, refused)
            else:
                toast(request, refused.message, level=messages.ERROR)
    return page(request, "appointments/service.html", {"form": form, "service": service}, status=422 if form.errors else 200)


@allowed(May.READ_SETTINGS)
def staff(request: SignedIn) -> HttpResponse:
    """List the people who work with clients and when, those who left below."""
    rows = list(Staff.objects.select_related("user").prefetch_related("hours"))
    people = [(row, _week(row)) for row in rows if row.is_active]
    return page(request, "appointments/staff.html", {"people": people, "gone": [row for row in rows if not row.is_active]})


@allowed(May.EDIT_SETTINGS)
def staff_add(request: SignedIn) -> HttpResponse:
    """Add somebody with their hours."""
    form = StaffForm(request.POST or None, initial={"color": crew.least_used_color()})
    days = _days(None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and _are_valid(form, days):
        try:
            person = crew.add(by=request.user, hours=_hours(days), **form.cleaned_data)
            toast(request, _("%(name)s is in the calendar now.") % {"name": person.name})
            return go(request, "appointments:staff")
        except Refused as refused:
            refuse(form, refused)
    return _show(request, form, days, None)


@allowed(May.EDIT_SETTINGS)
def staff_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Change somebody and their hours, let them go, or bring them back."""
    person = get_object_or_404(Staff, pk=pk)
    act = _act(request, "deactivate", "reactivate")
    data = request.POST if request.method == "POST" and act == "save" else None
    form, days = StaffForm(data, instance=person), _days(person, data)
    if request.method == "POST" and (data is None or _are_valid(form, days)):
        try:
            if act == "deactivate":
                crew.deactivate(person, by=request.user, now=timezone.now())
                words = _("%(name)s is out of the calendar. The visits stay.")
            elif act == "reactivate":
                crew.reactivate(person, by=request.user)
                words = _("%(name)s is in the calendar again.")
            else:
                person = crew.edit(person, by=request.user, hours=_hours(days), **form.cleaned_data)
                words = _("%(name)s is saved.")
            toast(request, words % {"name": person.name})
            return go(request, "appointments:staff")
        except Refused as refused:
            if data is not None:
                refuse(form, refused)
            else:
                toast(request, refused.message, level=messages.ERROR)
    return _show(request, form, days, person)


def _act(request: SignedIn, *others: str) -> str:
    """Return which of `others` the button says, and "save" for anything else."""
    act = request.POST.get("act", "")
    return act if act in others else "save"


def _show(request: SignedIn, form: StaffForm, days: list[DayForm], person: Staff | None) -> HttpResponse:
    errors = [error for day in days for error in day.non_field_errors()] if form.is_bound else []
    are_days_wrong = form.is_bound and any(day.errors for day in days)
    context = {"form": form, "days": days, "person": person, "day_errors": errors, "are_days_wrong": are_days_wrong}
    is_wrong = form.is_bound and bool(form.errors or are_days_wrong)
    return page(request, "appointments/staff_edit.html", context, status=422 if is_wrong else 200)


def _are_valid(form: StaffForm, days: list[DayForm]) -> bool:
    """Return whether all is well: every part is checked, so that every fault shows at once."""
    return all([form.is_valid(), *[day.is_valid() for day in days]])


def _hours(days: list[DayForm]) -> list[tuple[int, dt.time, dt.time]]:
    return [row for day in days for row in day.hours()]


def _days(person: Staff | None, data: QueryDict | None) -> list[DayForm]:
    """Return the week as seven small forms: as posted, as it stands, or 9 to 18 from Tuesday to Saturday for somebody new."""
    initial: dict[int, dict[str, Any]] = {}
    if person is None:
        initial = {weekday: {"starts_at": dt.time(9), "ends_at": dt.time(18)} for weekday in range(1, 6)}
    else:
        for row in person.hours.all():
            day = initial.setdefault(row.weekday, {})
            if day:
                day |= {"break_from": day["ends_at"], "break_to": row.starts_at, "ends_at": row.ends_at}
            else:
                day |= {"starts_at": row.starts_at, "ends_at": row.ends_at}
    return [DayForm(data, weekday=weekday, initial=initial.get(weekday)) for weekday in range(7)]


def _week(person: Staff) -> list[tuple[str, str]]:
    """Return the working days as ("Monday", "9:00–18:00")."""
    return [(str(DAYS[row.weekday]), f"{row.starts_at:%H:%M}–{row.ends_at:%H:%M}") for row in person.hours.all()]
