"""What the rules of the planner share: what is asked of them, what they answer, and who can be reached. Pure querysets.

A rule is a function of `Asked` that yields wishes. It is a statement over all visits or clients, never a loop over them.
"""

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import CharField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from appointments.models import Appointment
from clients import countries
from clients.models import Client, Standing
from notifications import daysoff, kinds, smsaccount, unasked
from notifications.kinds import Kind
from notifications.models import Trigger
from salon.core.lookups import Lookup
from salon.core.models import Salon

Rows = QuerySet[Any]
_ADDRESS = {"email": "email", "sms": "phone"}


@dataclass(frozen=True)
class Asked:
    """What a rule is asked: what is due by `until` and still makes sense at `now`. The planner asks with both the same."""

    trigger: Trigger
    salon: Salon
    now: dt.datetime
    until: dt.datetime
    # On which channels offers may go to existing clients who were told and did not refuse.
    existing: frozenset[str] = frozenset()

    @property
    def kind(self) -> Kind:
        """Return the kind of message that is asked about."""
        return kinds.TABLE[self.trigger.kind]

    @property
    def zone(self) -> ZoneInfo:
        """Return the salon's zone."""
        return self.salon.zone

    @property
    def delay(self) -> int:
        """Return after how many of the kind's days or weeks it is due."""
        usual = self.kind.delay.usual if self.kind.delay else 0
        return usual if self.trigger.delay is None else self.trigger.delay

    @property
    def at(self) -> dt.time:
        """Return the wall time at which it is due."""
        return self.trigger.at or self.kind.at or dt.time(0)

    @functools.cached_property
    def ways(self) -> list[str]:
        """Return the channels by which the kind leaves now, in the salon's order."""
        return ways(self.trigger, self.kind)

    def instant(self, on: dt.date, at: dt.time) -> dt.datetime:
        """Return a wall time of the salon as an instant; one that is skipped is taken after the gap, of two the first."""
        return dt.datetime.combine(on, at, self.zone).astimezone(dt.UTC)

    def day(self, at: dt.datetime) -> dt.date:
        """Return the local day of an instant."""
        return at.astimezone(self.zone).date()

    def due_days(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last local day whose wall time `at` is over by `until` and not yet too late at `now`."""
        first, last = self.day(self.now - self.kind.lasts), self.day(self.until)
        if self.instant(first, self.at) + self.kind.lasts <= self.now:
            first += dt.timedelta(days=1)
        if self.instant(last, self.at) > self.until:
            last -= dt.timedelta(days=1)
        return first, last

    def leaves_at(self, channel: str, due: dt.datetime | None = None) -> dt.datetime:
        """Return when a message due then, or now, leaves on a channel: at once, or at the end of quiet hours and days off."""
        hours, at = self.kind.hours[channel], due or self.now
        try:
            return hours.first(at, self.zone, daysoff.for_hours(hours, self.salon.country, self.salon.region, at))
        except LookupError:  # no calendar, or no open day: the gate says so at the hand-over
            return at


@dataclass(frozen=True)
class Wish:
    """Visits or clients to speak to in one kind of message. `occasion` names the thing said, `due` is when it is due.

    `not_before` is the earliest it may leave; None: when the hours of its channel allow it. With `wait` it leaves at the
    kind's hour of the local day that is so long after, whatever the hour of the thing itself.
    """

    rows: Rows
    occasion: Any
    due: Any
    expires_at: Any
    not_before: Any = None
    wait: dt.timedelta | None = None

    @property
    def is_of_visits(self) -> bool:
        """Return whether the rows are visits; else they are clients."""
        return self.rows.model is Appointment


Rule = Callable[[Asked], Iterator[Wish]]


def occasion(*parts: Any) -> Any:
    """Return the expression for an occasion: the parts, which are columns or values, joined by colons."""
    texts = [Cast(part, CharField()) for part in parts]
    joined = [piece for text in texts for piece in (Value(":"), text)][1:]
    return Concat(*joined, output_field=CharField()) if len(joined) > 1 else joined[0]


def ways(trigger: Trigger, kind: Kind) -> list[str]:
    """Return the channels by which a kind leaves now, in the salon's order: those that it chose and that are open.

    Where none of them is, the open ones: a channel that is switched off must not silence a kind.
    """
    there = smsaccount.channels_of(kind)
    return [channel for channel in trigger.ways.split() if channel in there] or list(there)


def reachable(rows: Rows, asked: Asked, channel: str, *, order: Sequence[str]) -> Rows:
    """Keep those who are written to on `channel`: the one they like, else the first of `order` on which they can be reached.

    Whether an address is stopped, only the hand-over can tell. Of visits the client is looked up one by one: joined, a
    database may begin with all clients there are.
    """
    if rows.model is Client:
        return _people(rows, asked, channel, order)
    people = _people(Client.objects.filter(pk=OuterRef("client_id")), asked, channel, order)
    return rows.filter(Lookup(people), client__isnull=False)


def _people(clients: Rows, asked: Asked, channel: str, order: Sequence[str]) -> Rows:
    kind, now = asked.kind, asked.now
    people = clients.filter(inactive_at=None, restricted_at=None, erased_at=None)
    if kind.is_marketing:
        rests = Q(marketing_paused_until__isnull=False, marketing_paused_until__gt=now)
        people = people.filter(~rests, ~_is_minor(asked.salon, now), blacklisted_at=None)
    people = people.filter(_open(asked, channel))
    others = [one for one in order if one != channel]
    if not others:
        return people
    elsewhere = Q(pk__in=[])
    for one in others:
        comes_first = order.index(one) < order.index(channel)
        elsewhere |= _open(asked, one) if comes_first else Q(preferred_channel=one) & _open(asked, one)
    return people.filter(Q(preferred_channel=channel) | ~elsewhere)


def _open(asked: Asked, channel: str) -> Q:
    """Return the condition that the channel has an address and that the client's answer allows it."""
    kind = asked.kind
    answers = Standing.objects.filter(client_id=OuterRef("pk"), purpose=kind.purpose, channel=channel)
    has_address = ~Q(**{_ADDRESS[channel]: ""})
    if kind.is_marketing:
        may_go = Q(Lookup(answers.filter(state=Standing.State.GRANTED)))
        if kind.may_go_to_existing and channel in asked.existing:
            may_go |= unasked.condition(kind, channel, asked.salon.country, asked.now)
        return has_address & may_go
    return has_address & ~Q(Lookup(answers.filter(state=Standing.State.WITHDRAWN)))


def _is_minor(salon: Salon, now: dt.datetime) -> Q:
    """Return the condition that somebody is under the digital age, as `countries.is_minor` counts it."""
    today = now.astimezone(salon.zone).date()
    young = today.year - countries.profile(salon.country).child_age
    had = Q(birth_month__isnull=False) & (Q(birth_month__lt=today.month) | Q(birth_month=today.month, birth_day__lte=today.day))
    if (today.month, today.day) == (12, 31):
        had = Q(pk__isnull=False)
    return Q(birth_year__isnull=False) & (Q(birth_year__gt=young) | (Q(birth_year=young) & ~had))
