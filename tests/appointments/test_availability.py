"""Free time, judged minute by minute by an oracle that knows no intervals."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments import availability
from appointments.availability import Shift, Span

PARIS = ZoneInfo("Europe/Paris")
MIDNIGHT = dt.datetime(2026, 11, 18, tzinfo=dt.UTC)


def at(minute: int) -> dt.datetime:
    return MIDNIGHT + dt.timedelta(minutes=minute)


spans = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 90)).map(lambda pair: Span(at(pair[0]), at(pair[0] + pair[1]))), max_size=8
)


def minutes_of(found: list[Span]) -> set[int]:
    return {minute for minute in range(-5, 500) for span in found if span.start_at <= at(minute) < span.end_at}


@given(spans, spans)
def test_free_is_every_working_minute_that_nobody_takes(hours: list[Span], taken: list[Span]) -> None:
    gaps = availability.free(hours, taken)
    assert minutes_of(gaps) == minutes_of(hours) - minutes_of(taken)
    assert gaps == availability.join(gaps)


@given(spans, st.integers(5, 60), st.integers(0, 300))
def test_every_offered_start_fits_and_none_lies_in_the_past(hours: list[Span], length: int, now: int) -> None:
    gaps = availability.join(hours)
    offered = availability.starts(gaps, length=dt.timedelta(minutes=length), step=dt.timedelta(minutes=15), not_before=at(now))
    free = minutes_of(gaps)
    for start_at in offered:
        first = int((start_at - MIDNIGHT).total_seconds() // 60)
        assert start_at >= at(now)
        assert set(range(first, first + length)) <= free
    assert offered == sorted(set(offered))


def test_a_gap_is_offered_from_its_first_minute_then_by_the_quarter() -> None:
    offered = availability.starts(
        [Span(at(610), at(670))], length=dt.timedelta(minutes=20), step=dt.timedelta(minutes=15), not_before=at(0)
    )
    assert offered == [at(610), at(615), at(630), at(645)]


def test_touching_visits_do_not_overlap() -> None:
    assert not Span(at(0), at(30)).overlaps(Span(at(30), at(60)))
    assert Span(at(0), at(31)).overlaps(Span(at(30), at(60)))


@pytest.mark.parametrize(
    ("on", "wall", "expected"),
    [
        (dt.date(2026, 3, 29), dt.time(2, 30), None),
        (dt.date(2026, 3, 29), dt.time(3, 0), dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC)),
        (dt.date(2026, 10, 25), dt.time(2, 30), dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)),
        (dt.date(2026, 11, 18), dt.time(9, 0), dt.datetime(2026, 11, 18, 8, 0, tzinfo=dt.UTC)),
    ],
)
def test_a_wall_time_that_the_clock_leaves_out_has_no_instant(on: dt.date, wall: dt.time, expected: dt.datetime | None) -> None:
    assert availability.instant(on, wall, PARIS) == expected


@pytest.mark.parametrize(("on", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (dt.date(2026, 11, 18), 24)])
def test_a_day_is_as_long_as_the_clock_makes_it(on: dt.date, hours: int) -> None:
    assert availability.day(on, PARIS).minutes == hours * 60


def test_shifts_over_a_clock_change_keep_their_wall_times() -> None:
    night = [Shift(6, dt.time(0), dt.time(6))]
    assert availability.working(dt.date(2026, 3, 29), night, PARIS)[0].minutes == 5 * 60
    assert availability.working(dt.date(2026, 10, 25), night, PARIS)[0].minutes == 7 * 60
    assert availability.working(dt.date(2026, 11, 18), night, PARIS) == []


@given(st.integers(0, 600_000), st.integers(5, 3000))
def test_the_days_of_a_span_are_the_days_its_minutes_lie_in(start: int, length: int) -> None:
    start_at = at(start)
    span = Span(start_at, start_at + dt.timedelta(minutes=length))
    days = {(start_at + dt.timedelta(minutes=offset)).astimezone(PARIS).date() for offset in range(length)}
    assert availability.days_of(span, PARIS) == sorted(days)


def test_next_free_rounds_up_and_skips_what_is_too_short() -> None:
    gaps = [Span(at(600), at(610)), Span(at(700), at(760))]
    assert availability.next_free(gaps, at_least=dt.timedelta(minutes=15), now=at(590)) == at(700)
    assert availability.next_free(gaps, at_least=dt.timedelta(minutes=15), now=at(702)) == at(705)
    assert availability.next_free(gaps, at_least=dt.timedelta(minutes=15), now=at(750)) is None
