"""How a day looks: for each person the visits in order, the gaps between them and the breaks. Reads only."""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from appointments import access, availability, claims, states
from appointments.availability import Shift, Span
from appointments.models import TAKES_TIME, Appointment, Staff, State, WorkingHours
from clients.access import Contacts
from salon.core.models import Salon, User

# Shorter gaps are no room for anything.
LEAST_GAP = dt.timedelta(minutes=15)
STEP = dt.timedelta(minutes=15)
LOOKS_AHEAD = 21
MOVABLE = (State.BOOKED, State.CONFIRMED, State.ARRIVED)

# What the button of a state says: the act, for the word of the state stands beside it.
_ACTS: Mapping[str, Promise] = {
    State.CONFIRMED: pgettext_lazy("act", "Confirm"),
    State.ARRIVED: pgettext_lazy("act", "Check in"),
    State.IN_CHAIR: pgettext_lazy("act", "Start"),
    State.DONE: pgettext_lazy("act", "Finish"),
}


@dataclass(frozen=True)
class Line:
    """One line of somebody's day: a visit, a free gap, a break, or the mark for now. `kind` says which."""

    kind: str
    span: Span
    visit: Appointment | None = None
    contacts: Contacts | None = None
    following: str | None = None
    can_change: bool = False
    can_miss: bool = False

    @property
    def following_label(self) -> str:
        """Return the word on the button of the next state: the act that leads there."""
        return str(_ACTS[self.following]) if self.following else ""

    @property
    def can_move(self) -> bool:
        """Return whether the visit may get another time."""
        return self.can_change and self.visit is not None and self.visit.state in MOVABLE

    @property
    def can_cancel(self) -> bool:
        """Return whether the visit may be cancelled."""
        return self.can_change and self.visit is not None and states.TABLE.may(self.visit.state, State.CANCELLED)


@dataclass
class Column:
    """Somebody's day. `can_book`: this reader may book here."""

    staff: Staff
    can_book: bool
    hours: list[Span] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    cancelled: list[Line] = field(default_factory=list)
    booked_minutes: int = 0

    @property
    def working_minutes(self) -> int:
        """Return how long this person works on the day."""
        return sum(span.minutes for span in self.hours)


@dataclass(frozen=True)
class Day:
    """Everybody's day, and the facts on top of it."""

    on: dt.date
    columns: list[Column]
    visit_count: int
    free_staff: Staff | None = None
    free_at: dt.datetime | None = None


def day(on: dt.date, *, user: User, salon: Salon, now: dt.datetime) -> Day:
    """Return the local day `on` as `user` may see it. The number of queries does not grow with the visits."""
    people = list(Staff.objects.all())
    hours = hours_on(on, people, salon.zone)
    visits = claims.of_staff([person.pk for person in people], availability.day(on, salon.zone))
    contacts = access.contacts_of(user, visits, salon, now=now)
    by_staff: dict[int, list[Appointment]] = defaultdict(list)
    for visit in visits:
        by_staff[visit.staff_id].append(visit)
    columns = [
        _column(person, on, hours[person.pk], by_staff[person.pk], contacts, user=user, now=now, zone=salon.zone)
        for person in people
        if by_staff[person.pk] or (person.is_active and hours[person.pk])
    ]
    soonest = min(
        (
            (free_at, column.staff.position, column.staff.pk, column.staff)
            for column in columns
            if column.staff.is_active
            and (free_at := availability.next_free(_gaps(column.hours, by_staff[column.staff.pk]), at_least=LEAST_GAP, now=now))
        ),
        default=None,
        key=lambda found: found[:3],
    )
    count = sum(visit.state != State.CANCELLED for visit in visits)
    return Day(on, columns, count, soonest[3] if soonest else None, soonest[0] if soonest else None)


def hours_on(on: dt.date, people: Iterable[Staff], zone: ZoneInfo) -> dict[int, list[Span]]:
    """Return when each of `people` works on the local day `on`, by staff id. One query."""
    shifts: dict[int, list[Shift]] = {person.pk: [] for person in people}
    for row in WorkingHours.objects.filter(staff__in=shifts, weekday=on.weekday()):
        shifts[row.staff_id].append(Shift(row.weekday, row.starts_at, row.ends_at))
    return {pk: availability.working(on, rows, zone) for pk, rows in shifts.items()}


def line_of(visit: Appointment, *, contacts: Contacts | None, can_change: bool, now: dt.datetime, zone: ZoneInfo) -> Line:
    """Return a visit as a line, with the state that one click leads to if this reader may change it."""
    is_ahead = visit.start_at.astimezone(zone).date() > now.astimezone(zone).date()
    following = states.following(visit.state, is_ahead=is_ahead) if can_change else None
    can_miss = can_change and not is_ahead and states.TABLE.may(visit.state, State.NO_SHOW)
    return Line("visit", Span(visit.start_at, visit.end_at), visit, contacts, following, can_change, can_miss)


def _gaps(hours: list[Span], visits: Iterable[Appointment]) -> list[Span]:
    return availability.free(hours, (Span(v.start_at, v.end_at) for v in visits if v.state in TAKES_TIME))


def _column(
    person: Staff, on: dt.date, hours: list[Span], visits: list[Appointment], contacts: dict[int, Contacts], *,
    user: User, now: dt.datetime, zone: ZoneInfo,
) -> Column:  # fmt: skip
    can_book = person.is_active and access.may_change(user, person)
    column = Column(person, can_book, hours)
    lines: list[Line] = []
    for visit in visits:
        line = line_of(visit, contacts=contacts.get(visit.pk), can_change=access.may_change(user, person), now=now, zone=zone)
        (column.cancelled if visit.state == State.CANCELLED else lines).append(line)
        if visit.state in TAKES_TIME:
            column.booked_minutes += Span(visit.start_at, visit.end_at).minutes
    if person.is_active:
        lines += [Line("free", gap) for gap in _from(now, _gaps(hours, visits)) if gap.end_at - gap.start_at >= LEAST_GAP]
    lines += [Line("break", pause) for pause in _breaks(hours)]
    if now.astimezone(zone).date() == on:
        lines.append(Line("now", Span(now, now)))
    column.lines = sorted(lines, key=lambda line: (line.span.start_at, line.kind != "now"))
    return column


def _from(now: dt.datetime, gaps: list[Span]) -> list[Span]:
    """Return what is left of `gaps` from `now` on, to the next full five minutes."""
    left = []
    for gap in gaps:
        start_at = availability.next_free([gap], at_least=LEAST_GAP, now=now)
        if start_at is not None:
            left.append(Span(start_at, gap.end_at))
    return left


def _breaks(hours: list[Span]) -> list[Span]:
    return [Span(before.end_at, after.start_at) for before, after in itertools.pairwise(hours)]


@dataclass(frozen=True)
class Slot:
    """A time at which a service fits, and with whom."""

    staff: Staff
    start_at: dt.datetime


def slots(
    on: dt.date, people: list[Staff], *, minutes: int, salon: Salon, now: dt.datetime, except_for: Appointment | None = None
) -> list[Slot]:
    """Return where `minutes` fit on the local day `on`, in order of time. Two queries, however many people."""
    hours = hours_on(on, people, salon.zone)
    taken: dict[int, list[Appointment]] = defaultdict(list)
    for visit in claims.of_staff([person.pk for person in people], availability.day(on, salon.zone)):
        if except_for is None or visit.pk != except_for.pk:
            taken[visit.staff_id].append(visit)
    length = dt.timedelta(minutes=minutes)
    found = [
        Slot(person, start_at)
        for person in people
        for start_at in availability.starts(_gaps(hours[person.pk], taken[person.pk]), length=length, step=STEP, not_before=now)
    ]
    return sorted(found, key=lambda slot: (slot.start_at, slot.staff.position, slot.staff.pk))


def first_slot(
    after: dt.date, people: list[Staff], *, minutes: int, salon: Salon, now: dt.datetime, except_for: Appointment | None = None
) -> Slot | None:
    """Return the first time after the local day `after` at which `minutes` fit, within three weeks; None for none."""
    for offset in range(1, LOOKS_AHEAD + 1):
        on = after + dt.timedelta(days=offset)
        if found := slots(on, people, minutes=minutes, salon=salon, now=now, except_for=except_for):
            return found[0]
    return None
