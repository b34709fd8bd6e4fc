"""When somebody is free: spans of time in, spans and starts out. Pure; booking and the pages ask, nothing is stored.

Wall times are the salon's; spans are instants in UTC, so that a day of 23 or 25 hours needs no special case.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Span:
    """From `start_at` up to, not including, `end_at`."""

    start_at: dt.datetime
    end_at: dt.datetime

    def overlaps(self, other: "Span") -> bool:
        """Return whether both share an instant. Touching ends do not."""
        return self.start_at < other.end_at and other.start_at < self.end_at

    def holds(self, other: "Span") -> bool:
        """Return whether `other` lies within this span."""
        return self.start_at <= other.start_at and other.end_at <= self.end_at

    @property
    def minutes(self) -> int:
        """Return the length in whole minutes."""
        return int((self.end_at - self.start_at).total_seconds() // 60)


@dataclass(frozen=True)
class Shift:
    """Working hours of a day of the week (0 is Monday), in wall time."""

    weekday: int
    starts_at: dt.time
    ends_at: dt.time


def instant(on: dt.date, at: dt.time, zone: ZoneInfo) -> dt.datetime | None:
    """Return the instant of a wall time: the first of two in autumn, None for one that a clock change leaves out."""
    wall = dt.datetime.combine(on, at, zone).replace(fold=0)
    found = wall.astimezone(dt.UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None) else None


def instant_or_next(on: dt.date, at: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Return the instant of a wall time; one that a clock change leaves out becomes the same distance after the change."""
    return dt.datetime.combine(on, at, zone).replace(fold=0).astimezone(dt.UTC)


def day(on: dt.date, zone: ZoneInfo) -> Span:
    """Return the whole local day `on`: 23, 24 or 25 hours."""
    return Span(instant_or_next(on, dt.time(), zone), instant_or_next(on + dt.timedelta(days=1), dt.time(), zone))


def days_of(span: Span, zone: ZoneInfo) -> list[dt.date]:
    """Return every local day that `span` touches, in order."""
    first = span.start_at.astimezone(zone).date()
    last = (span.end_at - dt.timedelta(microseconds=1)).astimezone(zone).date()
    return [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]


def join(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as spans in order that neither overlap nor touch."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.start_at >= span.end_at:
            continue
        if joined and span.start_at <= joined[-1].end_at:
            joined[-1] = Span(joined[-1].start_at, max(joined[-1].end_at, span.end_at))
        else:
            joined.append(span)
    return joined


def working(on: dt.date, shifts: Iterable[Shift], zone: ZoneInfo) -> list[Span]:
    """Return when somebody with `shifts` works on the local day `on`, in order."""
    return join(
        Span(instant_or_next(on, shift.starts_at, zone), instant_or_next(on, shift.ends_at, zone))
        for shift in shifts
        if shift.weekday == on.weekday()
    )


def free(hours: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return the parts of `hours` that no span of `taken` touches, in order."""
    gaps: list[Span] = []
    busy = join(taken)
    for span in join(hours):
        start_at = span.start_at
        for other in busy:
            if other.end_at <= start_at or other.start_at >= span.end_at:
                continue
            if other.start_at > start_at:
                gaps.append(Span(start_at, other.start_at))
            start_at = max(start_at, other.end_at)
        if start_at < span.end_at:
            gaps.append(Span(start_at, span.end_at))
    return gaps


def starts(gaps: Iterable[Span], *, length: dt.timedelta, step: dt.timedelta, not_before: dt.datetime) -> list[dt.datetime]:
    """Return the starts at which `length` fits a gap: the gap's own start, then every full `step` (of the hour) in it.

    Nothing before `not_before`.
    """
    found: list[dt.datetime] = []
    for gap in gaps:
        at = max(gap.start_at, _next_step(not_before, step))
        while at + length <= gap.end_at:
            found.append(at)
            at = _next_step(at + dt.timedelta(microseconds=1), step)
    return found


def _next_step(at: dt.datetime, step: dt.timedelta) -> dt.datetime:
    """Return `at`, or the first instant after it that is a whole number of steps from the epoch."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    rest = (at - epoch) % step
    return at if not rest else at + (step - rest)


def next_free(gaps: Sequence[Span], *, at_least: dt.timedelta, now: dt.datetime) -> dt.datetime | None:
    """Return the first instant from `now` on, to the full five minutes, at which `at_least` is free; None for none."""
    for gap in sorted(gaps):
        at = max(gap.start_at, _next_step(now, dt.timedelta(minutes=5)))
        if at + at_least <= gap.end_at:
            return at
    return None


def is_within(span: Span, hours: Iterable[Span]) -> bool:
    """Return whether `span` lies wholly in working hours."""
    return any(work.holds(span) for work in join(hours))
