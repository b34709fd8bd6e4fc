"""What the policy says about moments in a client's life, read literally, one client after the other.

Written apart from the planner: no rule here is taken from its code. Wall clock of the salon throughout.
"""

import datetime as dt
from dataclasses import dataclass, field

WEEK, DAY = dt.timedelta(weeks=1), dt.timedelta(days=1)


@dataclass
class Had:
    """A visit: when it began, whether it was completed, and the weeks of its service."""

    start: dt.datetime
    state: str
    service_weeks: int | None = None


@dataclass
class Person:
    """A client as the salon knows them, and what was said to them: (kind, when)."""

    born: tuple[int | None, int, int] | None = None
    # What they said Yes to by e-mail, and by SMS; and by which way they like to be reached.
    yes: set[str] = field(default_factory=set)
    by_sms: set[str] = field(default_factory=set)
    likes: str = ""
    is_away: bool = False
    is_blacklisted: bool = False
    added: dt.datetime | None = None
    is_imported: bool = False
    own_weeks: int | None = None
    visits: list[Had] = field(default_factory=list)
    told: list[tuple[str, dt.datetime]] = field(default_factory=list)


def wanted(person: Person, now: dt.datetime, *, ways: list[str], salon_weeks: int = 6) -> dict[str, str]:
    """The kinds that are due at `now` and not too late, each with its channel: one of `ways` that has a Yes of its own."""
    if person.is_away or person.is_blacklisted:
        return {}
    found = {
        "birthday": _birthday(person, now),
        "welcome": _welcome(person, now),
        "rebook": _rebook(person, now, salon_weeks),
        "review": _review(person, now),
    }
    return {kind: by for kind, holds in found.items() if holds and (by := _way(person, kind, ways))}


def _way(person: Person, kind: str, ways: list[str]) -> str:
    """The way they like, if they said Yes to it; else the first to which they did. A Yes to one is none to the other."""
    yeses = {"email": person.yes, "sms": person.by_sms}
    open_ = [channel for channel in ways if kind in yeses[channel]]
    return person.likes if person.likes in open_ else (open_ or [""])[0]


def _times(person: Person, kind: str) -> list[dt.datetime]:
    return [when for told, when in person.told if told == kind]


def _birthday(person: Person, now: dt.datetime) -> bool:
    """From nine on the day, for 48 hours; 29 February is the 28th in a common year; once a year."""
    if person.born is None:
        return False
    year, month, day = person.born
    for this in (now.year, now.year - 1):
        if year is not None and year >= this:
            continue
        try:
            on = dt.date(this, month, day)
        except ValueError:
            on = dt.date(this, 2, 28)
        nine = dt.datetime.combine(on, dt.time(9), now.tzinfo)
        is_told = any(dt.timedelta(0) <= when.astimezone(now.tzinfo) - nine < 3 * DAY for when in _times(person, "birthday"))
        if nine <= now < nine + 2 * DAY and not is_told:
            return True
    return False


def _welcome(person: Person, now: dt.datetime) -> bool:
    """Once in a life, within seven days of a card that somebody made by hand."""
    if person.added is None or person.is_imported or _times(person, "welcome"):
        return False
    return person.added + dt.timedelta(seconds=30) <= now < person.added + 7 * DAY


def _done(person: Person) -> list[Had]:
    return sorted((visit for visit in person.visits if visit.state == "done"), key=lambda visit: visit.start)


def _rebook(person: Person, now: dt.datetime, salon_weeks: int) -> bool:
    """So many weeks after the last completed visit, at ten; nothing booked; not twice for the same visit; for 14 days."""
    done = _done(person)
    if not done or any(visit.state in {"booked", "confirmed"} and visit.start >= now for visit in person.visits):
        return False
    last = done[-1]
    weeks = person.own_weeks or last.service_weeks or salon_weeks
    on = last.start.astimezone(now.tzinfo).date() + weeks * WEEK
    ten = dt.datetime.combine(on, dt.time(10), now.tzinfo)
    is_told = any(when > last.start for when in _times(person, "rebook"))
    return ten <= now and now < last.start + weeks * WEEK + 14 * DAY and now < ten + 14 * DAY and not is_told


def _review(person: Person, now: dt.datetime) -> bool:
    """The day after a completed visit, at ten, for five days; once in 90 days."""
    done = _done(person)
    if not done or any(now - when < 90 * DAY for when in _times(person, "review")):
        return False
    last = done[-1]
    ten = dt.datetime.combine(last.start.astimezone(now.tzinfo).date() + DAY, dt.time(10), now.tzinfo)
    return ten <= now and now < last.start + 6 * DAY and now < ten + 5 * DAY
