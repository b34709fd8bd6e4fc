"""What speaks against a time: taken, outside working hours, past. Warnings that staff may overrule, never errors."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from appointments import agenda, availability, claims
from appointments.availability import Span
from appointments.models import Appointment, Staff
from salon.core.models import Salon


@dataclass(frozen=True)
class Objection:
    """One reason against a time. `code` names it, so that "Book anyway" overrules what was shown and nothing else."""

    code: str
    words: str
    visit: Appointment | None = None


def against(
    *, staff: Staff, start_at: dt.datetime, minutes: int, salon: Salon, now: dt.datetime, except_for: Appointment | None = None
) -> list[Objection]:
    """Return what speaks against `staff` starting `minutes` of work at `start_at`: nothing if all is well."""
    span = Span(start_at, start_at + dt.timedelta(minutes=minutes))
    visits = claims.in_the_way(staff=staff, start_at=span.start_at, end_at=span.end_at, except_for=except_for)
    found = overlaps(visits)
    if not _is_working(staff, span, salon):
        found.append(Objection("hours", _("%(name)s does not work at this time.") % {"name": staff.name}))
    if start_at < now:
        found.append(Objection("past", _("This time is in the past. It is written down as it was, and nobody is told.")))
    return found


def overlaps(visits: Iterable[Appointment]) -> list[Objection]:
    """Return an objection for each visit in the way."""
    words = _("%(name)s already has a visit at this time.")
    return [Objection(f"visit-{visit.pk}", words % {"name": visit.staff.name}, visit) for visit in visits]


def are_overruled(found: Iterable[Objection], overruled: str) -> bool:
    """Return whether each objection was shown before and overruled: `overruled` holds their codes, split by commas."""
    return {objection.code for objection in found} <= set(overruled.split(","))


def _is_working(staff: Staff, span: Span, salon: Salon) -> bool:
    hours = [work for on in availability.days_of(span, salon.zone) for work in agenda.hours_on(on, [staff], salon.zone)[staff.pk]]
    return availability.is_within(span, hours)
