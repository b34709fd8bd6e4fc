"""What the planner pulls out of the book, when, and that it may run as often as it likes."""

import datetime as dt
import re
import zoneinfo
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment
from clients import consent
from clients.models import Client
from notifications import dispatch, planner, reminders
from notifications.models import Message, State, Trigger
from notifications.plans import ReminderTime
from salon.core.models import Salon
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def at(day: int, hour: int, minute: int = 0, month: int = 11, zone: zoneinfo.ZoneInfo = PARIS) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=zone)


def visit(start_at: dt.datetime, **fields: Any) -> Appointment:
    values = {"is_notice_wanted": False, "time_set_at": start_at - 9 * DAY, **fields}
    return factories.appointment(start_at=start_at, **values)


def kinds_of(row: Appointment) -> list[str]:
    return list(row.messages.order_by("pk").values_list("kind", flat=True))


def test_a_reminder_is_due_at_ten_on_the_day_before(salon: Salon) -> None:
    row = visit(at(25, 14, 30))
    planner.plan(at(24, 9, 59))
    assert kinds_of(row) == []
    planner.plan(at(24, 10))
    message = row.messages.get()
    assert (message.kind, message.not_before, message.told_start_at) == ("reminder", at(24, 10), row.start_at)
    assert message.expires_at == row.start_at - HOUR


def test_planning_twice_is_planning_once(salon: Salon) -> None:
    for hour in range(8, 19):
        visit(at(25, hour), is_notice_wanted=True, time_set_at=at(23, 12))
    first = planner.plan(at(24, 12))
    rows = list(Message.objects.order_by("pk").values())
    assert first == {"confirmation": 11, "reminder": 11}
    assert planner.plan(at(24, 12)) == {}
    assert list(Message.objects.order_by("pk").values()) == rows


def test_an_idle_tick_asks_a_fixed_number_of_questions(salon: Salon, django_assert_max_num_queries: Any) -> None:
    for hour in range(8, 19):
        visit(at(25, hour))
    planner.plan(at(24, 12))
    with django_assert_max_num_queries(25):
        planner.plan(at(24, 12))


# So few rows that no index is needed: what the salon set, and what is open now.
_SHORT = {
    "appointments_service", "appointments_ownrhythm", "notifications_trigger", "notifications_remindertime",
    "notifications_reminderexception", "notifications_campaign",
}  # fmt: skip


def scanned(queries: CaptureQueriesContext) -> set[str]:
    """Return the tables of which a database reads every row for these statements, where it has an index to choose."""
    found = set()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries:
            if query["sql"].startswith(("INSERT", "SELECT")):
                cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {query['sql']}")
                lines = "\n".join(str(row[-1]) for row in cursor.fetchall())
                found |= set(re.findall(r"(?:Seq Scan on|SCAN) (\w+)", lines))
    return found - _SHORT


def test_a_tick_finds_by_an_index_what_it_asks_for(salon: Salon) -> None:
    """Whatever lies in the book: nothing is read from end to end. Control: what has no index is."""
    Salon.objects.update(public_url="https://localhost")
    for kind in ("birthday", "welcome", "rebook", "review"):
        target = "https://reviews.example.org/" if kind == "review" else ""
        Trigger.objects.update_or_create(kind=kind, defaults={"is_on": True, "target": target})
    visit(at(25, 14))
    with CaptureQueriesContext(connection) as queries:
        planner.plan(at(24, 12))
    written = [query["sql"] for query in queries if query["sql"].startswith("INSERT")]
    assert {kind for kind in planner.RULES if any(f"'{kind}'" in sql for sql in written)} == set(planner.RULES)
    assert scanned(queries) == set()
    with CaptureQueriesContext(connection) as queries:
        assert not list(Client.objects.filter(note="x").order_by())
    assert scanned(queries) == {"clients_client"}


def test_after_an_outage_only_what_still_makes_sense_is_said(salon: Salon) -> None:
    """Three days without a planner (C17)."""
    missed, soon, ahead = visit(at(23, 14)), visit(at(25, 10, 30)), visit(at(25, 16))
    planner.plan(at(25, 10))
    assert (kinds_of(missed), kinds_of(soon), kinds_of(ahead)) == ([], [], ["reminder"])


def test_a_visit_booked_after_its_reminder_was_due_is_reminded_of_at_once_if_far_enough_away(salon: Salon) -> None:
    booked = at(24, 15)
    near = visit(at(24, 18, 59), time_set_at=booked)
    far = visit(at(24, 19), time_set_at=booked)
    tomorrow = visit(at(25, 9), time_set_at=booked)
    planner.plan(booked + dt.timedelta(minutes=1))
    assert (kinds_of(near), kinds_of(far), kinds_of(tomorrow)) == ([], ["reminder"], ["reminder"])
    assert far.messages.get().not_before == booked + dt.timedelta(seconds=30)


def test_the_salons_own_hour_and_number_of_days_count(salon: Salon) -> None:
    ReminderTime.objects.update_or_create(slot=1, defaults={"days_before": 2, "at": dt.time(17, 30)})
    row = visit(at(27, 9))
    planner.plan(at(25, 17, 29))
    assert kinds_of(row) == []
    planner.plan(at(25, 17, 30))
    assert kinds_of(row) == ["reminder"]


def test_a_reminder_due_in_the_quiet_hours_waits_or_leaves_the_evening_before(salon: Salon) -> None:
    ReminderTime.objects.update_or_create(slot=1, defaults={"days_before": 0, "at": dt.time(7)})
    early, late = visit(at(25, 8, 30)), visit(at(25, 12))
    planner.plan(at(24, 20, 59))
    assert (kinds_of(early), kinds_of(late)) == (["reminder"], [])
    assert early.messages.get().not_before == at(24, 20, 59)
    planner.plan(at(25, 8))
    assert late.messages.get().not_before == at(25, 8)


ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham"]


@pytest.mark.parametrize("name", ZONES)
def test_every_local_day_of_the_year_is_reminded_of_once_at_ten(sending_salon: Salon, name: str) -> None:
    """C15: whatever the clocks do in between, counted in wall time."""
    zone = zoneinfo.ZoneInfo(name)
    Salon.objects.update(time_zone=name)
    time = ReminderTime(slot=1, days_before=1, at=dt.time(10))
    previous = None
    for offset in range(365):
        on = dt.date(2026, 1, 1) + dt.timedelta(days=offset)
        due = reminders.due_on(on, time, zone)
        local = due.astimezone(zone)
        assert (local.date(), local.time()) == (on - DAY, dt.time(10))
        bounds = reminders.of_day(on, zone)
        assert previous is None or bounds["start_at__gte"] == previous, "days lie edge to edge"
        previous = bounds["start_at__lt"]


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_on_the_day_the_clocks_change_every_visit_is_reminded_of_once(salon: Salon, month: int, day: int) -> None:
    rows = [visit(at(day, hour, month=month)) for hour in (0, 1, 2, 3, 4, 12, 23)]
    for minutes in range(0, 36 * 60, 97):
        planner.plan(at(day - 1, 8, month=month) + dt.timedelta(minutes=minutes))
    assert [kinds_of(row) for row in rows] == [["reminder"]] * 7


def test_a_wall_time_that_the_clocks_skip_is_taken_after_the_gap() -> None:
    time = ReminderTime(slot=1, days_before=0, at=dt.time(2, 30))
    due = reminders.due_on(dt.date(2026, 3, 29), time, PARIS)
    assert due.astimezone(PARIS).time() == dt.time(3, 30)
    twice = reminders.due_on(dt.date(2026, 10, 25), time, PARIS)
    assert twice == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), "the first of the two"


@pytest.mark.parametrize(
    "change", [{"email": ""}, {"inactive_at": at(1, 1)}, {"restricted_at": at(1, 1)}, {"erased_at": at(1, 1)}]
)
def test_rows_are_written_only_for_people_who_can_get_them(salon: Salon, change: dict[str, Any]) -> None:
    row, walk_in = visit(at(25, 14)), visit(at(25, 15), client=None)
    Client.objects.filter(pk=client_of(row).pk).update(**change)
    planner.plan(at(24, 12))
    assert kinds_of(row) == kinds_of(walk_in) == []


def test_rows_are_written_only_for_people_whose_standing_allows(salon: Salon) -> None:
    row = visit(at(25, 14))
    consent.record(client_of(row), purpose="svc.reminder", channel="email", event="withdraw", source="phone", now=at(20, 12))
    planner.plan(at(24, 12))
    assert kinds_of(row) == []


CHANGES: dict[str, dict[str, Any]] = {
    "cancelled": {"state": "cancelled", "cancelled_at": at(24, 12)},
    "over": {"state": "done"},
    "moved": {"time_version": 2},
}


@pytest.mark.parametrize("reason", CHANGES)
def test_what_is_not_wanted_any_more_is_taken_back_and_comes_back_with_its_cause(salon: Salon, reason: str) -> None:
    row = visit(at(25, 14))
    planner.plan(at(24, 12))
    before = {name: getattr(row, name) for name in CHANGES[reason]}
    Appointment.objects.filter(pk=row.pk).update(**CHANGES[reason])
    planner.plan(at(24, 12))
    first = row.messages.order_by("pk")[0]
    assert (first.state, first.reason) == (State.CANCELLED, reason)
    Appointment.objects.filter(pk=row.pk).update(**before)
    planner.plan(at(24, 12))
    first.refresh_from_db()
    assert (first.state, first.reason) == (State.PENDING, "")


def test_what_a_person_stopped_stays_stopped(salon: Salon) -> None:
    row = visit(at(25, 14))
    planner.plan(at(24, 12))
    Message.objects.update(state=State.CANCELLED, reason="stopped")
    planner.plan(at(24, 12))
    assert [message.state for message in row.messages.all()] == [State.CANCELLED]


def test_what_was_handed_over_is_never_revived(fake: FakeProvider) -> None:
    row = visit(at(25, 14))
    planner.plan(at(24, 12))
    dispatch.deliver_due(now=at(24, 12))
    Appointment.objects.filter(pk=row.pk).update(state="cancelled", cancelled_at=at(24, 12))
    planner.plan(at(24, 13))
    Appointment.objects.filter(pk=row.pk).update(state="booked", cancelled_at=None)
    planner.plan(at(24, 14))
    dispatch.deliver_due(now=at(24, 14))
    assert [message.state for message in row.messages.all()] == [State.ACCEPTED]
    assert len(fake.delivered) == 1


def test_there_and_back_again_is_reminded_of_once(fake: FakeProvider) -> None:
    """C10: A to B to A; the client knows the time that stands."""
    row = visit(at(25, 14))
    for version, start_at in ((1, at(25, 14)), (2, at(25, 16)), (3, at(25, 14))):
        Appointment.objects.filter(pk=row.pk).update(
            time_version=version, start_at=start_at, end_at=start_at + HOUR, time_set_at=at(24, 11)
        )
        planner.plan(at(24, 12))
        dispatch.deliver_due(now=at(24, 12))
    assert len(fake.delivered) == 2, "one a time that was not known yet"


def test_a_kind_switched_on_later_does_not_dig_out_old_bookings(salon: Salon) -> None:
    old = visit(at(28, 14), is_notice_wanted=True, time_set_at=at(23, 12))
    new = visit(at(28, 15), is_notice_wanted=True, time_set_at=at(24, 11))
    Trigger.objects.update_or_create(pk="confirmation", defaults={"is_on": True, "switched_on_at": at(24, 10)})
    planner.plan(at(24, 12))
    assert (kinds_of(old), kinds_of(new)) == ([], ["confirmation"])


def test_a_cancellation_is_told_only_when_asked_for(salon: Salon) -> None:
    told = visit(at(28, 14), state="cancelled", cancelled_at=at(24, 11), is_notice_wanted=True)
    quiet = visit(at(28, 15), state="cancelled", cancelled_at=at(24, 11))
    past = visit(at(24, 9), state="cancelled", cancelled_at=at(24, 8), is_notice_wanted=True)
    planner.plan(at(24, 12))
    assert (kinds_of(told), kinds_of(quiet), kinds_of(past)) == (["cancellation"], [], [])
