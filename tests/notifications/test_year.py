"""A year of a salon in fast motion: every message explained, none against the policy (I-13, I-17 to I-23; C15)."""

import datetime as dt
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from notifications import reasons
from notifications.models import MARKETING, Message, State
from salon.core.models import Salon
from tests.fakes.provider import FakeProvider
from tests.generated import IS_THOROUGH
from tests.notifications import moments_oracle
from tests.notifications.year import DAY, HOUR, KINDS, WEEK, Said, Soul, Year

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the clock of a PostgreSQL server cannot be set"),
]

# In which local hours a message may leave: (from, up to).
OPEN = {"reminder": (8, 21), "email": (7, 21), "sms": (8, 20)}
# The days off in France from the end of 2027 on, as a calendar on the wall has them.
DAYS_OFF = {
    (2027, 12, 25), (2028, 1, 1), (2028, 4, 17), (2028, 5, 1), (2028, 5, 8), (2028, 5, 25), (2028, 6, 5), (2028, 7, 14),
    (2028, 8, 15), (2028, 11, 1), (2028, 11, 11), (2028, 12, 25),
}  # fmt: skip


def observed(year: int, born: tuple[int, int]) -> dt.date:
    try:
        return dt.date(year, *born)
    except ValueError:
        return dt.date(year, 2, 28)


def had(soul: Soul, before: dt.datetime) -> list[dt.datetime]:
    """The starts of the visits that were completed by then, the last one last."""
    done = [row["start"] for row in soul.visits if row["cancelled"] is None and row["end"] == "done"]
    return sorted(start for start in done if start < before)


def booked(soul: Soul, at: dt.datetime) -> bool:
    """Whether at this instant a visit stood in the book that was still to come."""
    for row in soul.visits:
        start = row["moved"][1] if row["moved"] and at < row["moved"][0] else row["start"]
        if row["booked"] <= at < start and (row["cancelled"] is None or at < row["cancelled"]):
            return True
    return False


def faults(year: Year) -> list[str]:
    """Everything the provider was given against the policy, in words."""
    found, by_address = [], defaultdict(list)
    for said in year.said:
        local, soul = said.at.astimezone(year.zone), said.soul
        opens, closes = OPEN[said.channel if said.kind in MARKETING else said.kind]
        if not opens <= local.hour < closes:
            found.append(f"{said.kind} at {local}")
        if said.kind in MARKETING:
            by_address[said.address].append(said.at)
            if not soul.said_yes(said.kind, said.at, said.channel):
                found.append(f"{said.kind} without a Yes to {said.channel} at {local}")
            if said.channel == "sms" and (local.isoweekday() == 7 or (local.year, local.month, local.day) in DAYS_OFF):
                found.append(f"advertising by SMS on a day off, {local}")
        found += _of_kind(year, said)
    for times in by_address.values():
        for at in times:
            if sum(at - DAY < other <= at for other in times) > 1 or sum(at - 30 * DAY < other <= at for other in times) > 4:
                found.append(f"too much advertising until {at}")
    # Time to come back may be said once more of a visit: how often is counted above.
    about = [said for said in year.said if said.about and said.kind != "rebook"]
    once = Counter((said.kind, said.soul.client.pk, said.about, said.told_start_at, said.slot) for said in about)
    return found + [f"twice: {key}" for key, count in once.items() if count > 1]


def _of_kind(year: Year, said: Said) -> list[str]:
    soul, at = said.soul, said.at
    local = at.astimezone(year.zone)
    same = [other.at for other in year.said if (other.kind, other.soul) == (said.kind, soul) and other.at < at]
    if said.kind == "birthday":
        lateness = [at - dt.datetime.combine(observed(y, soul.born), dt.time(0), year.zone) for y in (local.year, local.year - 1)]
        is_theirs = any(dt.timedelta(0) <= late < 3 * DAY for late in lateness)
        return [] if is_theirs and not any(at - other < 300 * DAY for other in same) else [f"birthday {soul.born} at {local}"]
    if said.kind == "welcome":
        return [] if not same and at < soul.added + 7 * DAY and soul.added >= year.begins else [f"welcome at {local}"]
    if said.kind == "reminder":
        row = next(row for row in soul.visits if row["pk"] == said.about)
        start = row["moved"][1] if row["moved"] and at < row["moved"][0] else row["start"]
        is_off = row["cancelled"] is not None and at >= row["cancelled"]
        return ["reminder of what is not"] if is_off or said.told_start_at != start or start - at < HOUR else []
    done = had(soul, at)
    if not done:
        return [f"{said.kind} after no visit"]
    if said.kind == "review":
        wrong = year.off[0] <= at < year.off[1] or at - done[-1] > 7 * DAY or any(at - other < 90 * DAY for other in same)
        return [f"review at {local}"] if wrong else []
    told = [other for other in same if other > done[-1]]
    since, weeks = (told[-1], 3) if told else (done[-1], None)
    if weeks is None:
        # Four is the service's; their own rhythm counts with a Yes to profiling alone.
        weeks = (moments_oracle.rhythm(done) if soul.said_yes("profiling", at, "") else None) or 4
    wrong = booked(soul, at) or len(told) > 1 or at - since < weeks * WEEK - DAY
    return [f"rebook {len(told)} after {weeks} weeks at {local}"] if wrong else []


def unexplained() -> list[str]:
    """Messages that neither left nor say why not."""
    rows = Message.objects.exclude(state__in=[State.ACCEPTED, State.PENDING])
    return [f"{row.kind} {row.state} {row.reason}" for row in rows if not reasons.SENTENCES.get(row.reason)]


def unsaid(year: Year) -> list[str]:
    """Those who ought to have had a greeting, whom nothing stood against, and of whom there is not even a row."""
    found = []
    for soul in year.souls:
        for y in range(year.begins.year, year.ends.year + 1):
            nine = dt.datetime.combine(observed(y, soul.born), dt.time(9), year.zone)
            is_in = max(year.begins, soul.added) < nine < year.ends - 2 * DAY
            if is_in and soul.said_yes("birthday", nine) and soul.said_yes("birthday", nine + 2 * DAY):
                rows = Message.objects.filter(kind="birthday", client=soul.client, occasion=str(y))
                found += [] if rows.exists() else [f"no greeting for {soul.born} in {y}"]
    return found


def test_five_weeks_around_the_change_of_the_clocks(
    sending_salon: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 29 February in it, and ticks so far apart that each is an outage."""
    year = Year("Europe/Paris", 12, dt.datetime(2028, 2, 25, 5, 50, tzinfo=dt.UTC), 34, fake, monkeypatch)
    year.run(year.every((6 if IS_THOROUGH else 12) * HOUR))
    assert faults(year) == []
    assert unexplained() == unsaid(year) == []
    assert {said.kind for said in year.said} == {*KINDS, "reminder"}, "control: the time was not an empty one"
    by_sms = [said for said in year.said if said.channel == "sms" and said.kind in MARKETING]
    assert len({said.kind for said in by_sms}) >= 2, "control: nor one without SMS"
    # The controls: what is looked for is found.
    by_sms[0].at += (6 - by_sms[0].at.astimezone(year.zone).weekday()) * DAY
    assert any("day off" in fault for fault in faults(year))
    first = next(said for said in year.said if said.kind == "birthday")
    first.at += 5 * DAY
    assert faults(year)


SHORT = os.environ.get("CHAOS") == "short"


def around(year: Year, minutes: int) -> Iterable[dt.datetime]:
    """Every hour, and every so many minutes in the six hours around each change of the clocks."""
    tick, zone = year.begins, year.zone
    while tick < year.ends:
        yield tick
        near = (tick - 3 * HOUR).astimezone(zone).utcoffset() != (tick + 3 * HOUR).astimezone(zone).utcoffset()
        tick += dt.timedelta(minutes=minutes) if near else (25 * HOUR if SHORT else HOUR)


@pytest.mark.chaos
@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe"])
def test_a_whole_year_of_a_whole_salon(
    sending_salon: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    count = 20 if SHORT else 200
    begins = dt.datetime.combine(dt.date(2027, 12, 20), dt.time(0), ZoneInfo(zone)).astimezone(dt.UTC)
    year = Year(zone, count, begins, 366, fake, monkeypatch, seed=len(zone))
    year.run(around(year, 30 if SHORT else 1))
    assert faults(year) == []
    assert unexplained() == unsaid(year) == []
    for channel in ("email", "sms"):
        assert {said.kind for said in year.said if said.channel == channel} == {*KINDS, "reminder"}
