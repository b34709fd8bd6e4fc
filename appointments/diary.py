"""The visits to come of a client, for the clients app, which cannot look up here. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from appointments import booking, claims, slips
from appointments.models import STANDS, Appointment
from clients import bookings
from clients.bookings import Ahead, Diary, Returned
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import User


def ahead_of(client_ids: Collection[int], now: dt.datetime) -> dict[int, list[Ahead]]:
    """Return the visits to come of each of these clients that has one, the next one first. One query."""
    rows = Appointment.objects.filter(client__in=client_ids, state__in=STANDS, start_at__gte=now)
    found: dict[int, list[Ahead]] = {}
    for row in rows.select_related("service", "staff").order_by("start_at", "pk"):
        found.setdefault(row.client_id or 0, []).append(_ahead(row))
    return found


@transaction.atomic
def cancel_all(client: Client, *, by: User | None, now: dt.datetime, is_notice_wanted: bool) -> list[bookings.Slip]:
    """Cancel all visits to come of the client, all or none, and return a slip of each. Raises as `booking.cancel` does."""
    rows = Appointment.objects.filter(client=client, state__in=STANDS, start_at__gte=now).order_by("pk")
    return [_cancel(row, by=by, now=now, is_notice_wanted=is_notice_wanted) for row in rows]


def next_start(now: dt.datetime) -> Subquery:
    """Return an expression over clients: the start of their next visit."""
    return Subquery(Appointment.objects.upcoming(now).filter(client=OuterRef("pk")).order_by("start_at").values("start_at")[:1])


def put_back(kept: Sequence[bookings.Slip], *, by: User | None, now: dt.datetime) -> list[Returned]:
    """Let the visits of these slips stand again, each by itself, and return how it went with each that is still there."""
    rows = Appointment.objects.select_related("service", "staff").in_bulk([facts["appointment"] for facts in kept])
    found = [(rows[facts["appointment"]], slips.Slip(**facts)) for facts in kept if facts["appointment"] in rows]
    found.sort(key=lambda one: one[0].start_at)
    return [Returned(_ahead(row), _why_not(row, slip, by=by, now=now)) for row, slip in found]


def _cancel(row: Appointment, *, by: User | None, now: dt.datetime, is_notice_wanted: bool) -> bookings.Slip:
    was = slips.before(row)
    done = booking.cancel(row, by=by, now=now, is_notice_wanted=is_notice_wanted)
    return asdict(replace(was, version=done.version))


def _why_not(row: Appointment, slip: slips.Slip, *, by: User | None, now: dt.datetime) -> str:
    """Put one visit back, and return nothing; or why that is not possible any more."""
    if row.start_at <= now:
        return _("the time is over")
    if not row.staff.is_active:
        return _("%(name)s does not work here any more") % {"name": row.staff.name}
    try:
        booking.undo(row, slip=slip, by=by, now=now)
    except claims.Overlap:
        return _("the time is taken")
    except booking.Conflict:
        return _("it was changed since")
    except Refused as refused:
        return str(refused)
    return ""


def _ahead(row: Appointment) -> Ahead:
    url = reverse("appointments:detail", args=[row.pk])
    return Ahead(row.pk, row.start_at, row.service.name, row.staff.name, url, row.end_at)


DIARY = Diary(ahead_of, cancel_all, put_back, next_start)
