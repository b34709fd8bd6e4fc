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
    DONE = "done"  # the visit was completed
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

    def window(self, on: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
        """Return when the window of the local day `on` opens and closes, in UTC."""
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
            opens, closes = self.window(on, zone)
            if self._is_open(on, holidays) and at < closes:
                return max(at, opens)
        raise LookupError("no allowed hour in ten days")

    def last(self, at: dt.datetime, zone: ZoneInfo, holidays: frozenset[dt.date] = frozenset()) -> dt.datetime:
        """Return the last allowed minute at or before `at`. Raises LookupError if there is none in ten days."""
        today = at.astimezone(zone).date()
        for offset in range(11):
            on = today - dt.timedelta(days=offset)
            opens, closes = self.window(on, zone)
            if self._is_open(on, holidays) and at >= opens:
                return min(at, closes - dt.timedelta(minutes=1))
        raise LookupError("no allowed hour in ten days")


@dataclass(frozen=True)
class Delay:
    """How long after its cause a message is due, as the salon may set it: a number of `unit`, "days" or "weeks"."""

    unit: str
    usual: int
    least: int
    most: int


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
    # For a moment in a client's life: how long after its cause it is due, at which wall time (None: at once), and for how
    # long after that it still makes sense. The first two are the salon's to change.
    delay: Delay | None = None
    at: dt.time | None = None
    lasts: dt.timedelta = dt.timedelta(0)
    # What a calendar is to do with the visit that comes along as a file: "PUBLISH", "CANCEL", or nothing comes along.
    event_method: str = ""
    # It leads to a page of the salon's choice (reviews), and makes no sense without it.
    has_target: bool = False
    # It may be said once more, so much later, if the salon wants it; and by the client's own rhythm.
    again: Delay | None = None
    has_rhythm: bool = False
    # May go to existing clients who were told and did not refuse, where the owner switched that on (`clients.existing`).
    may_go_to_existing: bool = False
    # Answers a stop, once, on the channel that was stopped: leaves whatever stands against the client, at any hour.
    is_answer: bool = False

    @property
    def is_marketing(self) -> bool:
        """Return whether consent, suppression, blacklist, age and caps apply."""
        return self.kind_class == Class.MARKETING

    @property
    def is_about_a_start(self) -> bool:
        """Return whether it speaks of a visit that begins at a certain time, and so is untrue of another time."""
        return self.wanted in {Wanted.STANDS, Wanted.CANCELLED}

    @property
    def is_moment(self) -> bool:
        """Return whether it is advertising that leaves by itself, at a moment in a client's life."""
        return self.is_marketing and not self.is_by_hand

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the channels of this kind, the preferred one first."""
        return tuple(self.hours)


def slot_of(kind: str, occasion: str) -> str:
    """Return which of the reminders of a visit an occasion names, its third part; "" for other kinds, which have one."""
    return occasion.split(":")[2] if kind == "reminder" and occasion.count(":") >= 2 else ""


# What stands in the occasion of a message that is due by the client's own rhythm, and of one that is said once more.
BY_HABIT, ONCE_MORE = "habit", "more"


def parts_of(occasion: str) -> frozenset[str]:
    """Return what an occasion names beside the thing itself."""
    return frozenset(occasion.split(":")[1:])


# Staff acted, maybe late in the evening: held over night rather than dropped.
DAY = Hours(dt.time(7), dt.time(22))
REMINDER_DAY = Hours(dt.time(8), dt.time(21))
MARKETING_HOURS = {
    "email": Hours(dt.time(7), dt.time(21)),
    "sms": Hours(dt.time(8), dt.time(20), NO_SUNDAY, has_holidays_off=True),
}

UNDO_WAIT = dt.timedelta(seconds=30)
REMINDER_MARGIN = dt.timedelta(hours=1)
# A visit booked or moved after its reminder was due still gets one if it begins at least so much later.
REMINDER_LATE_BOOKING = dt.timedelta(hours=4)

# A wish comes on the day or a little late, never early.
BIRTHDAY_LATE = dt.timedelta(hours=48)
# A client is asked for a review once in so long a time, and reminded to come back so often between two visits.
REVIEW_ONCE_IN = dt.timedelta(days=90)
REBOOK_AT_MOST = 2

TABLE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "confirmation", "svc.confirmation", Class.SERVICE, Wanted.STANDS, {"email": DAY, "sms": DAY},
            waits=UNDO_WAIT, event_method="PUBLISH",
        ),
        Kind(
            "change", "svc.confirmation", Class.SERVICE, Wanted.STANDS, {"email": DAY, "sms": DAY},
            waits=UNDO_WAIT, event_method="PUBLISH",
        ),
        Kind(
            "cancellation", "svc.confirmation", Class.SERVICE, Wanted.CANCELLED, {"email": DAY, "sms": DAY},
            waits=UNDO_WAIT, event_method="CANCEL",
        ),
        Kind(
            "reminder", "svc.reminder", Class.SERVICE, Wanted.STANDS, {"email": REMINDER_DAY, "sms": REMINDER_DAY},
            margin=REMINDER_MARGIN, waits=UNDO_WAIT, told=Told.SAME_KIND,
        ),
        Kind(
            "birthday", "mkt.birthday", Class.MARKETING, Wanted.ALWAYS, MARKETING_HOURS,
            is_on_at_first=False, at=dt.time(9), lasts=BIRTHDAY_LATE,
        ),
        Kind(
            "welcome", "mkt.welcome", Class.MARKETING, Wanted.ALWAYS, MARKETING_HOURS,
            waits=UNDO_WAIT, is_on_at_first=False, delay=Delay("days", 0, 0, 6), lasts=dt.timedelta(days=7),
        ),
        Kind(
            "rebook", "mkt.rebook", Class.MARKETING, Wanted.DONE, MARKETING_HOURS,
            is_on_at_first=False, delay=Delay("weeks", 6, 1, 104), at=dt.time(10), lasts=dt.timedelta(days=14),
            again=Delay("weeks", 0, 1, 52), has_rhythm=True, may_go_to_existing=True,
        ),
        Kind(
            "review", "mkt.review", Class.MARKETING, Wanted.DONE, MARKETING_HOURS,
            is_on_at_first=False, delay=Delay("days", 1, 0, 2), at=dt.time(10), lasts=dt.timedelta(days=5), has_target=True,
        ),
        Kind(
            "promotion", "mkt.promotion", Class.MARKETING, Wanted.ALWAYS, MARKETING_HOURS,
            waits=UNDO_WAIT, is_by_hand=True, may_go_to_existing=True,
        ),
        # The client has just said Yes, and is asked to confirm it. No hours: `facts` says so.
        Kind("doi_request", "", Class.SYSTEM, Wanted.ALWAYS, {"email": DAY}, waits=UNDO_WAIT, is_by_hand=True),
        # The client has just asked for the link to their choices.
        Kind("choices", "", Class.SYSTEM, Wanted.ALWAYS, {"email": DAY}, is_by_hand=True),
        # The client has just answered STOP.
        Kind("optout_ack", "", Class.SYSTEM, Wanted.ALWAYS, {"sms": DAY}, is_by_hand=True, is_answer=True),
    )
}  # fmt: skip
