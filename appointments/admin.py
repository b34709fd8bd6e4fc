"""The calendar in the admin: visits to look at, services and staff to change by their operations."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy

from appointments import catalogue, crew
from appointments.forms import ServiceForm, StaffForm
from appointments.models import Appointment, OwnRhythm, Service, Staff, StaffDay, UsualStaff, WorkingHours
from clients.admin import OfClient
from salon.core.backoffice import Editing, Everyday, Looking, each, site

CALENDAR = Everyday(
    lazy("Visits are booked, moved and cancelled in the calendar."), lazy("Open the calendar"), "appointments:today"
)
STAFF = Everyday(
    lazy("People and their hours are changed under Settings → Staff and hours."), lazy("Open the staff"), "appointments:staff"
)


@admin.register(Appointment, site=site)
class AppointmentAdmin(OfClient):
    """The visits."""

    called = lazy("appointments")
    everyday = CALENDAR
    list_display = ("start_at", "client", "staff", "service", "state", "price", "is_overbooked", "created_at")
    list_filter = ("state", "staff", "is_overbooked", "service")
    list_select_related = ("client", "staff", "service")
    date_hierarchy = "start_at"
    ordering = ("-start_at", "-pk")

    def everyday_path(self, obj: Any) -> str:
        """Return the path of the visit."""
        return reverse("appointments:detail", args=[obj.pk])


@admin.register(Service, site=site)
class ServiceAdmin(Editing):
    """What the salon offers."""

    called = lazy("services")
    everyday = Everyday(
        lazy("Services are changed under Settings → Services."), lazy("Open the services"), "appointments:services"
    )
    everyday_page = "appointments:service_edit"
    form = ServiceForm
    list_display = ("name", "category", "duration_minutes", "price", "rebook_weeks", "position", "is_active")
    list_filter = ("is_active", "category")
    search_fields = ("name", "category")
    actions = ("retire", "offer_again")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what the everyday form asks for."""
        return [*ServiceForm.Meta.fields, "is_active", "related"] if obj else [*ServiceForm.Meta.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return whether it is offered: that is an act of its own."""
        return ["is_active", "related"] if obj else []

    def write(self, request: HttpRequest, stored: Any, values: dict[str, Any]) -> Service:
        """Add or change the service."""
        by: Any = request.user
        return catalogue.edit(stored, by=by, **values) if stored else catalogue.add(by=by, **values)

    @admin.action(description=lazy("Take off the list"))
    def retire(self, request: HttpRequest, rows: Any) -> None:
        """Offer them no more."""
        each(request, rows, lambda row: catalogue.retire(row, by=request.user))  # type: ignore[arg-type]

    @admin.action(description=lazy("Offer again"))
    def offer_again(self, request: HttpRequest, rows: Any) -> None:
        """Offer them again."""
        each(request, rows, lambda row: catalogue.offer_again(row, by=request.user))  # type: ignore[arg-type]


@admin.register(Staff, site=site)
class StaffAdmin(Editing):
    """Who works with clients. Hours are a week on a page of their own."""

    called = lazy("staff")
    everyday = STAFF
    everyday_page = "appointments:staff_edit"
    form = StaffForm
    list_display = ("name", "user", "color", "position", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("user",)
    search_fields = ("name",)
    actions = ("deactivate", "reactivate")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what the everyday form asks for."""
        return [*StaffForm.Meta.fields, "is_active", "related"] if obj else [*StaffForm.Meta.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return whether they work here: that is an act of its own."""
        return ["is_active", "related"] if obj else []

    def write(self, request: HttpRequest, stored: Any, values: dict[str, Any]) -> Staff:
        """Add somebody, without hours yet, or change them and leave their hours."""
        by: Any = request.user
        if stored is None:
            return crew.add(by=by, hours=(), **values)
        hours = list(stored.hours.values_list("weekday", "starts_at", "ends_at"))
        return crew.edit(stored, by=by, hours=hours, **values)

    @admin.action(description=lazy("Take out of the calendar"))
    def deactivate(self, request: HttpRequest, rows: Any) -> None:
        """Let them go, unless they have visits ahead."""
        now = timezone.now()
        each(request, rows, lambda row: crew.deactivate(row, by=request.user, now=now))  # type: ignore[arg-type]

    @admin.action(description=lazy("Bring back into the calendar"))
    def reactivate(self, request: HttpRequest, rows: Any) -> None:
        """Bring them back."""
        each(request, rows, lambda row: crew.reactivate(row, by=request.user))  # type: ignore[arg-type]


@admin.register(WorkingHours, site=site)
class WorkingHoursAdmin(Looking):
    """The hours of the week."""

    everyday = STAFF
    called = lazy("working hours")
    list_display = ("staff", "weekday", "starts_at", "ends_at")
    list_filter = ("staff", "weekday")
    list_select_related = ("staff",)


@admin.register(StaffDay, site=site)
class StaffDayAdmin(Looking):
    """The rows that two bookings of one day wait for each other at."""

    called = lazy("days of the staff")
    everyday = CALENDAR
    list_display = ("staff", "on")
    list_filter = ("staff",)
    list_select_related = ("staff",)
    date_hierarchy = "on"


@admin.register(OwnRhythm, site=site)
class OwnRhythmAdmin(OfClient):
    """After how many weeks a client likes to come again."""

    called = lazy("own rhythms of clients")
    everyday = Everyday(
        lazy("The weeks until the next visit are entered on the client’s card, on the page Other."), lazy("Open the clients"),
        "clients:list",
    )  # fmt: skip
    list_display = ("client", "weeks")
    list_select_related = ("client",)


@admin.register(UsualStaff, site=site)
class UsualStaffAdmin(OfClient):
    """With whom a client usually books."""

    called = lazy("usual stylists")
    everyday = Everyday(
        lazy("The usual stylist is chosen on the client’s card, on the page Other."), lazy("Open the clients"), "clients:list"
    )
    list_display = ("client", "staff")
    list_filter = ("staff",)
    list_select_related = ("client", "staff")
