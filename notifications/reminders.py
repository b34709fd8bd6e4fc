"""When a visit is reminded of: up to three times, each days before at a wall time or hours before. The planner's rule.

The times hold for all visits but those of a service or a client that has its own answer. Why wall time: ADR 4.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    BooleanField,
    DateTimeField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, Greatest
from django.db.models.lookups import Exact, StartsWith

from appointments.models import Appointment
from notifications import kinds, outbox, stopping
from notifications.models import BY_ITSELF, Message, State
from notifications.plans import TIMES_MAX, ReminderException, ReminderTime
from notifications.wanting import Asked, Wish, occasion
from salon.core.lookups import Lookup

KIND = kinds.TABLE["reminder"]
_HOURS = KIND.hours["email"]
_DAY = dt.timedelta(days=1)
# The salon or the client does not want this one of the reminders.
NOT_CHOSEN = "not_chosen"


def times() -> list[ReminderTime]:
    """Return the times of the salon, on or off, the first slot first."""
    return list(ReminderTime.objects.order_by("slot"))


def rule(asked: Asked) -> Iterator[Wish]:
    """Yield, for each time, the visits whose reminder is due by then and can still be reminded of."""
    known = times()
    nearest = _nearest(known)
    has_exceptions = ReminderException.objects.exists()
    ahead = Appointment.objects.standing().filter(start_at__gt=asked.now + KIND.margin)
    for time in known:
        if not (time.is_on or has_exceptions):
            continue
        visits = _unsaid(_held(ahead, time) if has_exceptions else ahead, time.slot)
        groups = _by_hours(visits, time, asked) if time.hours_before else _by_days(visits, time, asked)
        for some, due, leaves_at in groups:
            in_time = Q(time_set_at__lte=due)
            if time == nearest:
                in_time |= Q(start_at__gte=F("time_set_at") + kinds.REMINDER_LATE_BOOKING)
            not_before = Greatest(F("time_set_at") + KIND.waits, _instant(leaves_at))
            named = occasion("pk", "time_version", Value(time.slot))
            yield Wish(some.filter(in_time), named, due=not_before, expires_at=F("start_at") - KIND.margin, not_before=not_before)


def _nearest(known: Sequence[ReminderTime]) -> ReminderTime | None:
    """Return the time closest to the visit: what was booked too late for it is reminded of at once, if far enough away.

    The others are left out then: nobody needs three reminders of a visit booked a moment ago.
    """
    on = [time for time in known if time.is_on]
    return min(on, key=distance, default=None)


def distance(time: ReminderTime) -> float:
    """Return about how many hours before a visit at noon the reminder is due."""
    if time.hours_before:
        return time.hours_before
    at = wall(time)
    return (time.days_before or 0) * 24 + 12 - at.hour - at.minute / 60


def wall(time: ReminderTime) -> dt.time:
    """Return the wall time of a time that is set in days."""
    return time.at if isinstance(time.at, dt.time) else dt.time.fromisoformat(str(time.at))


def _held(visits: Any, time: ReminderTime) -> Any:
    """Keep the visits for which a time holds: by the client's own answer, else the service's, else the salon's."""
    of_client = ReminderException.objects.filter(time=time, client=OuterRef("client_id")).values("is_on")[:1]
    of_service = ReminderException.objects.filter(time=time, service=OuterRef("service_id")).values("is_on")[:1]
    holds = Coalesce(Subquery(of_client), Subquery(of_service), Value(time.is_on), output_field=BooleanField())
    return visits.annotate(holds=holds).filter(holds=True)


def _unsaid(visits: Any, slot: int) -> Any:
    """Leave out the visits of which this reminder was said, or stopped by hand, unless they begin at another time now."""
    of_visit = Message.objects.filter(kind=KIND.name, appointment=OuterRef("pk"), told_start_at=OuterRef("start_at"))
    same = of_slot(of_visit, slot)
    by_hand = Q(state=State.CANCELLED, reason__in=[stopping.REASON, stopping.REASON_HELD])
    return visits.filter(~Lookup(same.filter(Q(state__in=outbox.TOLD) | by_hand)))


def unwanted() -> list[When]:
    """Return when a waiting reminder is not wanted any more because its time holds no longer, as cases over messages."""
    if not ReminderException.objects.exists() and all(time.is_on for time in times()):
        return []
    cases = []
    for time in times():
        own = ReminderException.objects.filter(time=time)
        of_client = own.filter(client=OuterRef("client_id")).values("is_on")[:1]
        of_service = own.filter(service__appointments=OuterRef("appointment_id")).values("is_on")[:1]
        holds = Coalesce(Subquery(of_client), Subquery(of_service), Value(time.is_on), output_field=BooleanField())
        cases.append(When(BY_ITSELF & Q(kind=KIND.name) & _is_of(time.slot) & ~Q(holds), then=Value(NOT_CHOSEN)))
    return cases


def of_slot(rows: "QuerySet[Message]", slot: int) -> "QuerySet[Message]":
    """Keep the reminders of one slot, also those that were said again. One that names no slot counts as of every one."""
    others = Q()
    for other in range(1, TIMES_MAX + 1):
        if other != slot:
            others |= _is_of(other)
    return rows.filter(~others)


def _is_of(slot: int) -> Q:
    """Return the condition that the occasion of a message names a slot of its visit."""
    said = occasion("appointment_id", "time_version", Value(slot))
    return Q(Exact(F("occasion"), said)) | Q(StartsWith(F("occasion"), Concat(said, Value(":"))))


# --- on which day, at which hour ----------------------------------------------------------------------------------

# Visits, when their reminder is due, and when it leaves out of the quiet hours: instants, or expressions over the visits.
_Group = tuple[Any, Any, Any]


def _by_days(visits: Any, time: ReminderTime, asked: Asked) -> Iterator[_Group]:
    """Yield the visits of each local day whose reminder is due by then."""
    today, last = asked.day(asked.now), asked.day(asked.until) + ((time.days_before or 0) + 1) * _DAY
    for offset in range((last - today).days + 1):
        on = today + offset * _DAY
        due = due_on(on, time, asked.zone)
        for some, leaves_at in _out_of_quiet(visits.filter(**of_day(on, asked.zone)), due, asked.zone):
            if leaves_at <= asked.until:
                yield some, due, leaves_at


def _by_hours(visits: Any, time: ReminderTime, asked: Asked) -> Iterator[_Group]:
    """Yield the visits whose reminder is due in the day hours of a local day, and in the night after it."""
    before = dt.timedelta(hours=time.hours_before or 0)
    due = ExpressionWrapper(F("start_at") - before, output_field=DateTimeField())
    soonest = asked.now + KIND.margin  # what begins earlier is not reminded of any more: no need to look for it
    on = asked.day(soonest - before) - _DAY
    while on <= asked.day(asked.until) + _DAY:
        opens, closes = _HOURS.window(on, asked.zone)
        opens_next, _closes = _HOURS.window(on + _DAY, asked.zone)
        by_day = visits.filter(start_at__gte=opens + before, start_at__lt=closes + before, start_at__lte=asked.until + before)
        if opens <= asked.until and closes + before > soonest:
            yield by_day, due, due
        by_night = visits.filter(start_at__gte=closes + before, start_at__lt=opens_next + before)
        evening = closes - dt.timedelta(minutes=1)
        is_ahead = opens_next + before > soonest
        if is_ahead and opens_next <= asked.until:
            yield by_night.filter(start_at__gte=opens_next + KIND.margin), due, opens_next
        if is_ahead and evening <= asked.until:
            yield by_night.filter(start_at__lt=opens_next + KIND.margin), due, evening
        on += _DAY


def _out_of_quiet(visits: Any, due: dt.datetime, zone: ZoneInfo) -> Iterator[tuple[Any, dt.datetime]]:
    """Yield the visits with the instant at which their message leaves.

    A message that would wait until too close to the visit leaves before the quiet hours instead.
    """
    opens = _HOURS.first(due, zone)
    if opens == due:
        yield visits, due
        return
    yield visits.filter(start_at__gte=opens + KIND.margin), opens
    yield visits.filter(start_at__lt=opens + KIND.margin), _HOURS.last(due, zone)


def _instant(at: Any) -> Any:
    return at if hasattr(at, "resolve_expression") else Value(at, output_field=DateTimeField())


def due_on(on: dt.date, time: ReminderTime, zone: ZoneInfo) -> dt.datetime:
    """Return when the reminder of a visit on the local day `on` is due: so many days before, at the wall time.

    A wall time that the clocks skip is taken after the gap; one that comes twice is the first.
    """
    return dt.datetime.combine(on - (time.days_before or 0) * _DAY, wall(time), zone).astimezone(dt.UTC)


def of_day(on: dt.date, zone: ZoneInfo) -> dict[str, dt.datetime]:
    """Return the filter for visits that begin on the local day `on`, however many hours it has."""
    midnight, next_midnight = (dt.datetime.combine(day, dt.time(0), zone).astimezone(dt.UTC) for day in (on, on + _DAY))
    return {"start_at__gte": midnight, "start_at__lt": next_midnight}


# --- of one visit -------------------------------------------------------------------------------------------------


def holding(visit: Appointment) -> list[ReminderTime]:
    """Return the times that hold for one visit."""
    own = {row.time_id: row.is_on for row in ReminderException.objects.filter(service=visit.service_id)}
    if visit.client_id:
        own |= {row.time_id: row.is_on for row in ReminderException.objects.filter(client=visit.client_id)}
    return [time for time in times() if own.get(time.slot, time.is_on)]


def due_of(visit: Appointment, time: ReminderTime, zone: ZoneInfo) -> dt.datetime:
    """Return when the reminder of a visit is due, quiet hours not considered."""
    if time.hours_before:
        return visit.start_at - dt.timedelta(hours=time.hours_before)
    return due_on(visit.start_at.astimezone(zone).date(), time, zone)


def leaves_at(visit: Appointment, time: ReminderTime, zone: ZoneInfo) -> dt.datetime:
    """Return when the reminder of this visit leaves, quiet hours and Undo considered; it may lie in the past."""
    due = due_of(visit, time, zone)
    opens = _HOURS.first(due, zone)
    in_hours = opens if opens + KIND.margin <= visit.start_at else _HOURS.last(due, zone)
    return max(in_hours, visit.time_set_at + KIND.waits)


def is_early_enough(visit: Appointment, time: ReminderTime, zone: ZoneInfo) -> bool:
    """Return whether the visit was booked or moved early enough for this reminder."""
    is_late_allowed = time == _nearest(times()) and visit.start_at >= visit.time_set_at + kinds.REMINDER_LATE_BOOKING
    return visit.time_set_at <= due_of(visit, time, zone) or is_late_allowed
