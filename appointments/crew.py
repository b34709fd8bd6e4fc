"""The people who work with clients, and their hours: added, changed, let go. Their visits stay."""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments import retirement
from appointments.models import Appointment, Staff, StaffDay, WorkingHours
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

Hours = Iterable[tuple[int, dt.time, dt.time]]


def least_used_color() -> int:
    """Return the colour, 1 to 8, that the fewest in the calendar have; of several the first."""
    used = Counter(Staff.objects.filter(is_active=True).values_list("color", flat=True))
    return min(range(1, 9), key=lambda color: used[color])


@transaction.atomic
def add(*, by: User, hours: Hours, **fields: Any) -> Staff:
    """Return somebody new with these working hours: (weekday, from, to), Monday is 0, two a day make a break."""
    staff = Staff.objects.create(**fields)
    _write_hours(staff, hours)
    audit.record("staff.add", staff, by=by)
    return staff


@transaction.atomic
def edit(staff: Staff, *, by: User, hours: Hours, **fields: Any) -> Staff:
    """Change somebody and their hours, and return them. Visits already booked stay where they are."""
    row = Staff.objects.select_for_update().get(pk=staff.pk)
    changed = sorted(name for name, value in fields.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
    if _write_hours(row, hours):
        changed.append("hours")
    if changed:
        audit.record("staff.edit", row, by=by, fields=changed)
    return row


@transaction.atomic
def deactivate(staff: Staff, *, by: User, now: dt.datetime) -> Staff:
    """Let somebody go, and return them. Raises Refused while they have visits ahead: those need another hand first.

    Holds the days that bookings lock, so that none slips in between the look and the change.
    """
    list(StaffDay.objects.select_for_update().filter(staff=staff, on__gte=now.date() - dt.timedelta(days=1)).order_by("on"))
    row = Staff.objects.select_for_update().get(pk=staff.pk)
    count = Appointment.objects.filter(staff=row).upcoming(now).count()
    if count:
        words = ngettext(
            "%(name)s has %(count)d visit ahead. Move or cancel it first.",
            "%(name)s has %(count)d visits ahead. Move or cancel them first.",
            count,
        )
        raise Refused(words % {"name": row.name, "count": count})
    return retirement.set_active(staff, False, event="staff.deactivate", by=by)


@transaction.atomic
def reactivate(staff: Staff, *, by: User) -> Staff:
    """Bring somebody back, and return them."""
    return retirement.set_active(staff, True, event="staff.reactivate", by=by)


def _write_hours(staff: Staff, hours: Hours) -> bool:
    """Write the week, and return whether it changed. Raises Refused for hours of one day that overlap."""
    wanted = sorted(hours)
    for one, other in itertools.pairwise(wanted):
        if one[0] == other[0] and other[1] < one[2]:
            raise Refused(_("The hours of a day overlap."))
    rows = WorkingHours.objects.filter(staff=staff)
    if sorted(rows.values_list("weekday", "starts_at", "ends_at")) == wanted:
        return False
    rows.delete()
    WorkingHours.objects.bulk_create(
        WorkingHours(staff=staff, weekday=weekday, starts_at=starts_at, ends_at=ends_at) for weekday, starts_at, ends_at in wanted
    )
    return True
