"""The visits to come of a client, for the clients app, which cannot look up here. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.urls import reverse

from appointments import booking
from appointments.models import STANDS, Appointment
from clients.bookings import Ahead, Diary
from clients.models import Client
from salon.core.models import User


def ahead_of(client_ids: Collection[int], now: dt.datetime) -> dict[int, list[Ahead]]:
    """Return the visits to come of each of these clients that has one, the next one first. One query."""
    rows = Appointment.objects.filter(client__in=client_ids, state__in=STANDS, start_at__gte=now)
    found: dict[int, list[Ahead]] = {}
    for row in rows.select_related("service", "staff").order_by("start_at", "pk"):
        url = reverse("appointments:detail", args=[row.pk])
        visit = Ahead(row.pk, row.start_at, row.service.name, row.staff.name, url, row.end_at)
        found.setdefault(row.client_id or 0, []).append(visit)
    return found


@transaction.atomic
def cancel_all(client: Client, *, by: User | None, now: dt.datetime, is_notice_wanted: bool) -> int:
    """Cancel all visits to come of the client, all or none, and return how many. Raises Refused as `booking.cancel` does."""
    rows = Appointment.objects.filter(client=client, state__in=STANDS, start_at__gte=now).order_by("pk")
    return len([booking.cancel(row, by=by, now=now, is_notice_wanted=is_notice_wanted) for row in rows])


def next_start(now: dt.datetime) -> Subquery:
    """Return an expression over clients: the start of their next visit."""
    return Subquery(Appointment.objects.upcoming(now).filter(client=OuterRef("pk")).order_by("start_at").values("start_at")[:1])


DIARY = Diary(ahead_of, cancel_all, next_start)
