"""The visits in the copy of their data that a client gets. Registered when the app starts."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment, UsualStaff
from clients import datacopy
from clients.datacopy import Part, Row
from clients.models import Client


def register() -> None:
    """Add the parts of the calendar."""
    columns = {
        "start": _("Start"), "end": _("End"), "service": _("Service"), "staff": _("With"), "price": _("Price"),
        "state": _("State"), "booked": _("Booked"),
    }  # fmt: skip
    datacopy.register(Part("visits", _("Appointments"), columns, _visits, is_portable=True))
    notes = {"start": _("Appointment"), "text": _("Text")}
    datacopy.register(Part("visit_notes", _("Notes on appointments"), notes, _notes))
    datacopy.register(Part("usual", _("Usual stylist"), {"staff": _("With")}, _usual))


def _visits(client: Client) -> Sequence[Row]:
    rows = Appointment.objects.filter(client=client).select_related("service", "staff").order_by("start_at", "pk")
    return [
        {
            "start": row.start_at, "end": row.end_at, "service": row.service.name, "staff": _first(row.staff.name),
            "price": row.price, "state": row.get_state_display(), "booked": row.created_at,
        }
        for row in rows
    ]  # fmt: skip


def _notes(client: Client) -> Sequence[Row]:
    rows = Appointment.objects.filter(client=client).exclude(note="").order_by("start_at", "pk")
    return [{"start": row.start_at, "text": row.note} for row in rows]


def _usual(client: Client) -> Sequence[Row]:
    rows = UsualStaff.objects.filter(client=client).select_related("staff")
    return [{"staff": _first(row.staff.name)} for row in rows]


def _first(name: str) -> str:
    """Return the first name: more of who works there is not the client's to have."""
    return name.split(maxsplit=1)[0] if name.split() else ""
