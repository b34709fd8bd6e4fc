"""What the policy says about moments in a client's life, read literally, one client after the other.

Written apart from the planner: no rule here is taken from its code. Wall clock of the salon throughout.
"""

import datetime as dt
import itertools
import math
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
    is_profiled: bool = False
    # Told of offers when the address was noted, and did not refuse.
    is_told: bool = False
    # On which channels they once said No to something, though Yes to it later; and whether their number is a German one.
    said_no: set[str] = field(default_factory=set)
    is_number_german: bool = False
    visits: list[Had] = field(default_factory=list)
    told: list[tuple[str, dt.datetime]] = field(default_factory=list)


@dataclass
class Rules:
    """What the salon set: by which ways, and for time to come back whether the client's rhythm counts and when once more."""

    ways: list[str]
    by_rhythm: bool = False
    again: int | None = None
    salon_weeks: int = 6
    to_existing: frozenset[str] = frozenset()
    # When time to come back was switched on, if that is known.
    since: dt.datetime | None = None


def wanted(person: Person, now: dt.datetime, rules: Rules) -> dict[str, str]:
    """The kinds that are due at `now` and not too late, each with its channel: one that has a Yes of its own."""
    if person.is_away or person.is_blacklisted:
        return {}
    found = {
        "birthday": _birthday(person, now),
        "welcome": _welcome(person, now),
        "rebook": _rebook(person, now, rules),
        "review": _review(person, now),
    }
    return {kind: by for kind, holds in found.items() if holds and (by := _way(person, kind, rules))}


def _way(person: Person, kind: str, rules: Rules) -> str:
    """The way they like, if they said Yes to it; else the first to which they did. A Yes to one is none to the other.

    Time to come back needs no Yes of an existing client whose card was made by hand, where the owner lets it go there: not
    on a channel where they ever said No, and by SMS not to Germany.
    """
    yeses = {"email": person.yes, "sms": person.by_sms}
    is_existing = kind == "rebook" and person.is_told and not person.is_imported
    without = rules.to_existing - person.said_no - ({"sms"} if person.is_number_german else set())
    open_ = [channel for channel in rules.ways if kind in yeses[channel] or (is_existing and channel in without)]
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


def rhythm(starts: list[dt.datetime]) -> int | None:
    """The median of the weeks between visits, of an even number the shorter; none of fewer than three such gaps."""
    days = [(later - earlier) / DAY for earlier, later in itertools.pairwise(sorted(starts))]
    gaps = sorted(weeks for one in days if (weeks := math.floor(one / 7 + 0.5)))
    return gaps[(len(gaps) - 1) // 2] if len(gaps) >= 3 else None


def _rebook(person: Person, now: dt.datetime, rules: Rules) -> bool:
    """So many weeks after the last completed visit, at ten, for 14 days; nothing booked. Once, or once more after a wait.

    Neither if that was due before the salon switched it on.
    """
    done = _done(person)
    if not done or any(visit.state in {"booked", "confirmed"} and visit.start >= now for visit in person.visits):
        return False
    last = done[-1]
    told = [when for when in _times(person, "rebook") if when > last.start]
    if told:
        return len(told) == 1 and rules.again is not None and _is_time(told[0], rules.again, now, rules.since)
    by_habit = rhythm([visit.start for visit in done]) if rules.by_rhythm and person.is_profiled else None
    return _is_time(last.start, person.own_weeks or by_habit or last.service_weeks or rules.salon_weeks, now, rules.since)


def _is_time(since: dt.datetime, weeks: int, now: dt.datetime, earliest: dt.datetime | None) -> bool:
    on = since.astimezone(now.tzinfo).date() + weeks * WEEK
    ten = dt.datetime.combine(on, dt.time(10), now.tzinfo)
    if earliest is not None and ten < earliest:
        return False
    return ten <= now and now < since + weeks * WEEK + 14 * DAY and now < ten + 14 * DAY


def _review(person: Person, now: dt.datetime) -> bool:
    """The day after a completed visit, at ten, for five days; once in 90 days."""
    done = _done(person)
    if not done or any(now - when < 90 * DAY for when in _times(person, "review")):
        return False
    last = done[-1]
    ten = dt.datetime.combine(last.start.astimezone(now.tzinfo).date() + DAY, dt.time(10), now.tzinfo)
    return ten <= now and now < last.start + 6 * DAY and now < ten + 5 * DAY
