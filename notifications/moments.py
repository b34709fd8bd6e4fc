"""Moments in a client's life that the salon may speak of: a birthday, a new card, time to come back, a visit just had.

Rules of the planner: statements over all clients or visits. All of it is advertising and needs a Yes. Whether the moment
still holds when a message leaves is `holding`.
"""

import calendar
import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import CharField, DateTimeField, F, OuterRef, Q, Subquery, Value

from appointments import rhythms
from appointments.models import STANDS, Appointment, OwnRhythm, Service
from appointments.models import State as VisitState
from clients import standings
from clients.models import Client, ImportedCard, Standing
from notifications import kinds, outbox
from notifications.models import Message, State
from notifications.wanting import Asked, Wish, occasion
from salon.core import public
from salon.core.lookups import Lookup
from salon.core.models import AuditEvent

ADDED = "client.added"
_DAY = dt.timedelta(days=1)
# On its way, or told.
_ASKED = (*outbox.TOLD, State.PENDING, State.CLAIMED, State.HELD)


def observed(year: int, month: int, day: int) -> dt.date:
    """Return on which day of a year somebody born on this day is wished well: of 29 February, the 28th in common years."""
    return dt.date(year, month, day if (month, day) != (2, 29) or calendar.isleap(year) else 28)


def birthdays(asked: Asked) -> Iterator[Wish]:
    """Yield, day by day, the clients whose birthday it is; up to two days late, never early, not before the switch's day."""
    if not public.has_address(asked.salon):
        return
    on, last = asked.due_days()
    on = max(on, asked.day(_not_before_the_switch(asked, asked.now - asked.kind.lasts)))
    while on <= last:
        is_theirs = Q(birth_month=on.month, birth_day=on.day)
        if (on.month, on.day) == (2, 28) and not calendar.isleap(on.year):
            is_theirs |= Q(birth_month=2, birth_day=29)
        born = Q(birth_year=None) | Q(birth_year__lt=on.year)
        due = asked.instant(on, asked.at)
        yield Wish(Client.objects.filter(is_theirs, born), _word(str(on.year)), due, due + asked.kind.lasts)
        on += _DAY


def welcomes(asked: Asked) -> Iterator[Wish]:
    """Yield the clients whose card somebody added, or who booked online: not those of an import, a merge or a demo."""
    if not public.has_address(asked.salon):
        return
    since = _not_before_the_switch(asked, asked.now - asked.kind.lasts)
    wait = asked.kind.waits + asked.delay * _DAY
    added = AuditEvent.objects.filter(action=ADDED, subject_type=Client._meta.label_lower, subject_id=OuterRef("pk"))
    imported = ImportedCard.objects.filter(client=OuterRef("pk"), is_new=True)
    new = Client.objects.filter(Lookup(added), ~Lookup(imported), created_at__gt=since, created_at__lte=asked.until - wait)
    yield Wish(new, _word("welcome"), F("created_at") + wait, F("created_at") + asked.kind.lasts)


def rebooks(asked: Asked) -> Iterator[Wish]:
    """Yield the last completed visits after which the client would come again by now, and has not booked; and once more.

    The weeks are those that the client named, else those of their rhythm, where that counts and they said Yes to profiling,
    else those of the service, else the salon's; one statement for each number in use.
    """
    if not public.has_address(asked.salon):
        return
    services, own = _weeks_of_services(asked.delay), set(OwnRhythm.objects.order_by().values_list("weeks", flat=True).distinct())
    rhythm = rhythms.weeks("client_id", asked.now)
    is_by_rhythm = asked.trigger.is_by_rhythm
    for weeks in sorted({*services.values(), *own}):
        visits, due = _last_visits(asked, weeks), F("start_at") + dt.timedelta(weeks=weeks)
        visits = visits.filter(_is_for(weeks, services, own))
        if is_by_rhythm:
            visits = visits.annotate(rhythm=rhythm).filter(Q(_named()) | Q(rhythm=None))
        yield Wish(visits, occasion("pk"), due, due + asked.kind.lasts, wait=dt.timedelta(weeks=weeks))
    for weeks in sorted(_rhythms_due(asked, rhythm)) if is_by_rhythm else ():
        visits, due = _last_visits(asked, weeks), F("start_at") + dt.timedelta(weeks=weeks)
        visits = visits.annotate(rhythm=rhythm).filter(~_named(), rhythm=weeks)
        yield Wish(visits, occasion("pk", _word(kinds.BY_HABIT)), due, due + asked.kind.lasts, wait=dt.timedelta(weeks=weeks))
    if asked.trigger.again is not None:
        yield _once_more(asked, dt.timedelta(weeks=asked.trigger.again))


def _last_visits(asked: Asked, weeks: int) -> Any:
    """Return the completed visits that are so many weeks ago, after which nobody came, booked or was reminded."""
    visits = _done(asked, *_days_since_the_switch(asked), dt.timedelta(weeks=weeks))
    return visits.filter(~Lookup(_booked(asked.now)), ~Lookup(_told_of_visit(asked)))


def _once_more(asked: Asked, wait: dt.timedelta) -> Wish:
    """Return the visits after which the client was reminded so long ago, and has neither come nor booked since."""
    begins, ends = _span(asked, *_days_since_the_switch(asked), wait)
    told = _told_of_visit(asked).order_by("-handoff_at").values("handoff_at")[:1]
    # What was handed over was written down at most as long before as it made sense.
    lately = Message.objects.filter(
        kind=asked.kind.name, state__in=outbox.TOLD, handoff_at__gte=begins, handoff_at__lt=ends,
        created_at__gte=begins - asked.kind.lasts, created_at__lt=ends,
    )  # fmt: skip
    done: Any = Appointment.objects.filter(pk__in=lately.values("appointment"), state=VisitState.DONE, client__isnull=False)
    visits = done.filter(~Lookup(_booked(asked.now))).annotate(told_at=Subquery(told))
    visits = visits.filter(told_at__gte=begins, told_at__lt=ends)
    due = F("told_at") + wait
    return Wish(visits, occasion("pk", _word(kinds.ONCE_MORE)), due, due + asked.kind.lasts, wait=wait)


def _told_of_visit(asked: Asked) -> Any:
    """Return, beside a visit, the messages by which its client was reminded after it."""
    same = Message.objects.filter(kind=asked.kind.name, appointment=OuterRef("pk"), client=OuterRef("client_id"))
    return same.filter(state__in=outbox.TOLD)


def _rhythms_due(asked: Asked, rhythm: Any) -> set[int]:
    """Return the weeks of all clients whose own rhythm says about now."""
    may_go = [Standing.State.GRANTED, Standing.State.SOFT_OPT_IN]
    said = Standing.objects.filter(client_id=OuterRef("client_id"), purpose=asked.kind.purpose, state__in=may_go)
    visits: Any = Appointment.objects.filter(
        Lookup(said), standings.profiled("client_id"), ~Lookup(_booked(asked.now)), ~Lookup(_told_of_visit(asked)),
        state=VisitState.DONE, client__isnull=False, start_at__gte=asked.now - rhythms.LOOKS_BACK, start_at__lte=asked.until,
    )  # fmt: skip
    gone = rhythms.Between(Value(asked.until, output_field=DateTimeField()), F("start_at"))
    # A week more on either side: which days it is to be is said later, by the calendar of the salon.
    about = -(-(asked.until - asked.now + asked.kind.lasts) // dt.timedelta(weeks=1)) + 1
    visits = visits.annotate(weeks=rhythm, gone=gone).filter(weeks__range=(F("gone") - about, F("gone") + 1))
    return set(visits.order_by().values_list("weeks", flat=True).distinct())


def reviews(asked: Asked) -> Iterator[Wish]:
    """Yield the last completed visit of each client who was not asked for so long. Nobody without a page for reviews."""
    if not asked.trigger.target or not public.has_address(asked.salon):
        return
    wait = asked.delay * _DAY
    asked_lately = Message.objects.filter(
        kind=asked.kind.name, client=OuterRef("client_id"), state__in=_ASKED,
        created_at__gt=asked.now - kinds.REVIEW_ONCE_IN,
    ).exclude(appointment=OuterRef("pk"))  # fmt: skip
    visits = _done(asked, *_days_since_the_switch(asked), wait).filter(~Lookup(asked_lately))
    visits = visits.filter(~Lookup(_later().filter(state=VisitState.DONE)))
    yield Wish(visits, occasion("pk"), F("start_at") + wait, F("start_at") + wait + asked.kind.lasts, wait=wait)


def booked(client_id: int, now: dt.datetime, *, after: dt.datetime) -> bool:
    """Return whether a client has a visit to come, or had one after `after` that was completed."""
    return bool(_booked_after(now, after).filter(client=client_id).exists())


def _weeks_of_services(usual: int) -> dict[int, int]:
    """Return by service after how many weeks its clients come again."""
    rows = Service.objects.order_by().values_list("pk", "rebook_weeks")
    return {pk: usual if weeks is None else weeks for pk, weeks in rows}


def _named(**of: int) -> Lookup:
    """Return the condition that the client of a visit named weeks of their own."""
    return Lookup(OwnRhythm.objects.filter(client=OuterRef("client_id"), **of))


def _is_for(weeks: int, services: Mapping[int, int], own: Collection[int]) -> Q:
    """Return the condition that the client of a visit comes again after so many weeks: by their own number, else the service's.

    Told by the number of the service: it says no to most visits before anything is looked up for them.
    """
    of_service = Q(service__in=[pk for pk, number in services.items() if number == weeks])
    return Q(_named(weeks=weeks)) | of_service & ~Q(_named()) if own else of_service


def _done(asked: Asked, first: dt.date, last: dt.date, wait: dt.timedelta) -> Any:
    """Return the completed visits that are so long ago on one of these local days, and not yet too long."""
    begins, ends = _span(asked, first, last, wait)
    return Appointment.objects.filter(state=VisitState.DONE, client__isnull=False, start_at__gte=begins, start_at__lt=ends)


def _span(asked: Asked, first: dt.date, last: dt.date, wait: dt.timedelta) -> tuple[dt.datetime, dt.datetime]:
    """Return from when up to when something happened that is `wait` ago on one of these local days, and not yet too long."""
    midnight, next_midnight = (asked.instant(day, dt.time(0)) for day in (first - wait, last - wait + _DAY))
    return max(midnight, asked.now - wait - asked.kind.lasts + dt.timedelta(microseconds=1)), next_midnight


def _later() -> Any:
    return Appointment.objects.filter(client=OuterRef("client_id"), start_at__gt=OuterRef("start_at"))


def _booked(now: dt.datetime) -> Any:
    return _booked_after(now, OuterRef("start_at")).filter(client=OuterRef("client_id"))


def _booked_after(now: dt.datetime, after: Any) -> Any:
    is_booked = Q(state__in=STANDS, start_at__gte=now) | Q(state=VisitState.DONE)
    return Appointment.objects.filter(is_booked, start_at__gt=after)


def _not_before_the_switch(asked: Asked, since: dt.datetime) -> dt.datetime:
    """Return since when causes count: what lay behind when the salon switched the kind on stays unsaid."""
    return max(since, asked.trigger.switched_on_at or since)


def _days_since_the_switch(asked: Asked) -> tuple[dt.date, dt.date]:
    """Return the first and the last local day on which what is said now was due: nothing that was due before the switch."""
    first, last = asked.due_days()
    since = _not_before_the_switch(asked, asked.now - asked.kind.lasts)
    day = asked.day(since)
    return max(first, day if asked.instant(day, asked.at) >= since else day + _DAY), last


def _word(text: str) -> Value:
    return Value(text, output_field=CharField())
