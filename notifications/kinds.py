"""The table of message kinds: what each is for, by which way it goes, when it may leave and until when it makes sense.

Pure: planner, facts and gate read it. A new kind is one entry here and one folder in templates/messages.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo


class Class(StrEnum):
    """What the law sees in a message. One template has one class."""

    SERVICE = "service"
    MARKETING = "marketing"
    SYSTEM = "system"


class Wanted(StrEnum):
    """What must still be true of the visit for the message to make sense."""

    STANDS = "stands"  # the visit is still to come, in the version the message speaks of
    CANCELLED = "cancelled"  # the visit is cancelled
    ALWAYS = "always"  # not about a visit


class Told(StrEnum):
    """What counts as having said it already."""

    NEWEST = "newest"  # the newest message about the visit says the same
    SAME_KIND = "same_kind"  # a message of this kind spoke of the same start


EVERY_DAY = frozenset(range(7))
NO_SUNDAY = frozenset(range(6))


@dataclass(frozen=True)
class Hours:
    """The wall-clock window of the salon in which a message may leave: from `opens` up to, not including, `closes`."""

    opens: dt.time
    closes: dt.time
    days: frozenset[int] = EVERY_DAY
    has_holidays_off: bool = False

    def _window(self, on: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
        return tuple(dt.datetime.combine(on, wall, zone).astimezone(dt.UTC) for wall in (self.opens, self.closes))  # type: ignore[return-value]

    def _is_open(self, on: dt.date, holidays: frozenset[dt.date]) -> bool:
        return on.weekday() in self.days and not (self.has_holidays_off and on in holidays)

    def first(self, at: dt.datetime, zone: ZoneInfo, holidays: frozenset[dt.date] = frozenset()) -> dt.datetime:
        """Return the first allowed instant at or after `at`: `at` itself inside the window.

        Raises LookupError if there is none in the next ten days.
        """
        today = at.astimezone(zone).date()
        for offset in range(11):
            on = today + dt.timedelta(days=offset)
            opens, closes = self._window(on, zone)
            if self._is_open(on, holidays) and at < closes:
                return max(at, opens)
        raise LookupError("no allowed hour in ten days")

    def last(self, at: dt.datetime, zone: ZoneInfo, holidays: frozenset[dt.date] = frozenset()) -> dt.datetime:
        """Return the last allowed minute at or before `at`. Raises LookupError if there is none in ten days."""
        today = at.astimezone(zone).date()
        for offset in range(11):
            on = today - dt.timedelta(days=offset)
            opens, closes = self._window(on, zone)
            if self._is_open(on, holidays) and at >= opens:
                return min(at, closes - dt.timedelta(minutes=1))
        raise LookupError("no allowed hour in ten days")


@dataclass(frozen=True)
class Kind:
    """One kind of message. `margin` is the time before the visit in which it does not leave any more."""

    name: str
    purpose: str
    kind_class: Class
    wanted: Wanted
    hours: Mapping[str, Hours]  # by channel; the order is the order of preference
    margin: dt.timedelta = dt.timedelta(0)
    # A row waits so long after the act that caused it, so that Undo can pull it back.
    waits: dt.timedelta = dt.timedelta(0)
    told: Told = Told.NEWEST
    is_on_at_first: bool = True
    # Sent because somebody asked for it, never by itself: the salon has no switch for it.
    is_by_hand: bool = False
    # Answers a stop, once, on the channel that was stopped: leaves whatever stands against the client, at any hour.
    is_answer: bool = False

    @property
    def is_marketing(self) -> bool:
        """Return whether consent, suppression, blacklist, age and caps apply."""
        return self.kind_class == Class.MARKETING

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the channels of this kind, the preferred one first."""
        return tuple(self.hours)


# Staff acted, maybe late in the evening: held over night rather than dropped.
DAY = Hours(dt.time(7), dt.time(22))
REMINDER_DAY = Hours(dt.time(8), dt.time(21))
MARKETING_EMAIL = Hours(dt.time(7), dt.time(21))
MARKETING_SMS = Hours(dt.time(8), dt.time(20), NO_SUNDAY, has_holidays_off=True)

UNDO_WAIT = dt.timedelta(seconds=30)
REMINDER_MARGIN = dt.timedelta(hours=1)
# A visit booked or moved after its reminder was due still gets one if it begins at least so much later.
REMINDER_LATE_BOOKING = dt.timedelta(hours=4)

TABLE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "confirmation", "svc.confirmation", Class.SERVICE, Wanted.STANDS, {"email": DAY, "sms": DAY},
            waits=UNDO_WAIT,
        ),
        Kind(
            "change", "svc.confirmation", Class.SERVICE, Wanted.STANDS, {"email": DAY, "sms": DAY},
            waits=UNDO_WAIT,
        ),
        Kind(
            "cancellation", "svc.confirmation", Class.SERVICE, Wanted.CANCELLED, {"email": DAY, "sms": DAY},
            waits=UNDO_WAIT,
        ),
        Kind(
            "reminder", "svc.reminder", Class.SERVICE, Wanted.STANDS, {"email": REMINDER_DAY, "sms": REMINDER_DAY},
            margin=REMINDER_MARGIN, waits=UNDO_WAIT, told=Told.SAME_KIND,
        ),
        Kind(
            "promotion", "mkt.promotion", Class.MARKETING, Wanted.ALWAYS,
            {"email": MARKETING_EMAIL, "sms": MARKETING_SMS}, waits=UNDO_WAIT, is_by_hand=True,
        ),
        # The client has just said Yes, and is asked to confirm it. No hours: `facts` says so.
        Kind("doi_request", "", Class.SYSTEM, Wanted.ALWAYS, {"email": DAY}, waits=UNDO_WAIT, is_by_hand=True),
        # The client has just asked for the link to their choices.
        Kind("choices", "", Class.SYSTEM, Wanted.ALWAYS, {"email": DAY}, is_by_hand=True),
        # The client has just answered STOP.
        Kind("optout_ack", "", Class.SYSTEM, Wanted.ALWAYS, {"sms": DAY}, is_by_hand=True, is_answer=True),
    )
}  # fmt: skip
