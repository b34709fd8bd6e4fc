"""Many at once for one slot, with real threads and connections, on the database that runs."""

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection, connections

from appointments import booking, claims, crew
from appointments.models import Appointment, Staff, StaffDay
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import Role
from tests import factories, people

PARIS = ZoneInfo("Europe/Paris")
NOW = dt.datetime(2026, 11, 18, 9, 0, tzinfo=PARIS)
SLOT = dt.datetime(2026, 11, 19, 14, 30, tzinfo=PARIS)
CROWD = 12
ROUNDS = 4
is_postgresql = connection.vendor == "postgresql"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> User:
    factories.salon()
    return people.user_with(Role.RECEPTION)


def all_at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """Run `act(0..count-1)` in threads that start together; return each result or exception."""
    gate = threading.Barrier(count, timeout=20)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        try:
            gate.wait()
            results[number] = act(number)
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def crowd_books(desk: User, staff: Staff, start_of: Callable[[int], dt.datetime]) -> list[object]:
    client, service = factories.client(), factories.service(duration_minutes=45)
    return all_at_once(
        CROWD,
        lambda number: booking.book(client=client, staff=staff, service=service, start_at=start_of(number), by=desk, now=NOW),
    )


def test_of_a_crowd_that_wants_one_slot_exactly_one_gets_it(desk: User) -> None:
    for hour in range(ROUNDS):
        staff = factories.staff()
        results = crowd_books(desk, staff, lambda number, hour=hour: SLOT + dt.timedelta(hours=hour))  # type: ignore[misc]
        assert sum(isinstance(result, Appointment) for result in results) == 1
        assert sum(isinstance(result, claims.Overlap) for result in results) == CROWD - 1
        assert Appointment.objects.filter(staff=staff).count() == 1


def test_overlapping_starts_leave_no_minute_given_twice(desk: User) -> None:
    staff = factories.staff()
    results = crowd_books(desk, staff, lambda number: SLOT + dt.timedelta(minutes=10 * number))
    assert all(isinstance(result, (Appointment, Refused)) for result in results)
    minutes = [
        minute
        for row in Appointment.objects.filter(staff=staff)
        for minute in range(int(row.start_at.timestamp()) // 60, int(row.end_at.timestamp()) // 60)
    ]
    assert len(minutes) == len(set(minutes)) > 0


def test_a_slot_over_midnight_is_given_once_from_either_day(desk: User) -> None:
    staff = factories.staff()
    before, after = SLOT.replace(hour=23, minute=30), SLOT.replace(day=20, hour=0, minute=0)
    results = crowd_books(desk, staff, lambda number: before if number % 2 else after)
    assert sum(isinstance(result, Appointment) for result in results) == 1


def test_one_press_sent_twelve_times_is_one_booking_for_all(desk: User) -> None:
    staff, client, service = factories.staff(), factories.client(), factories.service()
    results = all_at_once(
        CROWD,
        lambda number: booking.book(
            client=client, staff=staff, service=service, start_at=SLOT, by=desk, now=NOW, idempotency_key="one press"
        ),
    )
    assert {result.pk if isinstance(result, Appointment) else result for result in results} == {Appointment.objects.get().pk}


@pytest.mark.skipif(not is_postgresql, reason="SQLite has one writer at a time")
@pytest.mark.parametrize("is_day_known", [False, True])
def test_nobody_leaves_while_a_visit_is_booked_with_them(desk: User, is_day_known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, client, service = factories.staff(), factories.client(), factories.service()
    if is_day_known:
        StaffDay.objects.create(staff=staff, on=SLOT.date())
    held, real = threading.Event(), claims.hold

    def hold_long(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs)  # type: ignore[arg-type]
        held.set()
        time.sleep(0.5)

    monkeypatch.setattr(claims, "hold", hold_long)

    def act(number: int) -> object:
        if number == 0:
            return booking.book(client=client, staff=staff, service=service, start_at=SLOT, by=desk, now=NOW)
        held.wait(20)
        return crew.deactivate(staff, by=desk, now=NOW)

    booked, left = all_at_once(2, act)
    assert isinstance(booked, Appointment)
    assert isinstance(left, Refused)
    assert Staff.objects.get().is_active


@pytest.mark.skipif(not is_postgresql, reason="SQLite has one writer at a time")
@pytest.mark.parametrize("is_day_known", [False, True])
def test_nobody_is_booked_while_they_leave(desk: User, is_day_known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, client, service = factories.staff(), factories.client(), factories.service()
    if is_day_known:
        StaffDay.objects.create(staff=staff, on=SLOT.date())
    counted, real = threading.Event(), audit.record

    def record(action: str, *args: object, **facts: object) -> None:
        real(action, *args, **facts)  # type: ignore[arg-type]
        if action == "staff.deactivate":
            counted.set()
            time.sleep(0.5)

    monkeypatch.setattr(audit, "record", record)

    def act(number: int) -> object:
        if number == 0:
            return crew.deactivate(staff, by=desk, now=NOW)
        counted.wait(20)
        return booking.book(client=client, staff=staff, service=service, start_at=SLOT, by=desk, now=NOW)

    left, booked = all_at_once(2, act)
    assert isinstance(left, Staff)
    assert isinstance(booked, Refused)
    assert not Appointment.objects.exists()


def test_two_visits_that_change_places_end_without_a_deadlock(desk: User) -> None:
    first, second = factories.staff(name="Léa"), factories.staff(name="Marco")
    rows = [factories.appointment(staff=staff, start_at=SLOT) for staff in (first, second)]

    def swap(number: int) -> Appointment:
        row = Appointment.objects.select_related("staff", "service").get(pk=rows[number % 2].pk)
        other = second if number % 2 == 0 else first
        return booking.move(row, start_at=SLOT, staff=other, by=desk, now=NOW, is_notice_wanted=False)

    results = all_at_once(4, swap)
    assert not [result for result in results if isinstance(result, OperationalError)]
    assert all(isinstance(result, (Appointment, Refused)) for result in results)
    for staff in (first, second):
        assert Appointment.objects.filter(staff=staff).count() == 1


@pytest.fixture
def without_constraint() -> Iterator[None]:
    """Take the exclusion constraint away: what is left is the lock alone."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE appointments_appointment DROP CONSTRAINT appointments_no_overlap")
    yield
    Appointment.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE appointments_appointment ADD CONSTRAINT appointments_no_overlap "
            "EXCLUDE USING gist (staff_id WITH =, tstzrange(start_at, end_at) WITH &&) "
            "WHERE (state IN ('booked', 'confirmed', 'arrived', 'in_chair', 'done') AND NOT is_overbooked)"
        )


@pytest.mark.skipif(not is_postgresql, reason="SQLite's writing transaction shuts the others out by itself: see the next test")
@pytest.mark.usefixtures("without_constraint")
class TestWithoutTheConstraint:
    """The lock alone keeps the promise; without the lock it breaks, so the tests above can fail."""

    def test_the_lock_alone_gives_the_slot_once(self, desk: User) -> None:
        staff = factories.staff()
        results = crowd_books(desk, staff, lambda number: SLOT)
        assert sum(isinstance(result, Appointment) for result in results) == 1

    def test_without_the_lock_the_slot_is_given_twice(self, desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
        checked = threading.Barrier(CROWD, timeout=2)
        refuse = claims.refuse_overlap

        def check_together(made: Appointment, *, may_overbook: bool) -> bool:
            found = refuse(made, may_overbook=may_overbook)
            if connection.in_atomic_block:
                with contextlib.suppress(threading.BrokenBarrierError):
                    checked.wait()  # everybody has looked before anybody writes: the worst case, made certain
            return found

        monkeypatch.setattr(claims, "hold", lambda staff, span: None)
        monkeypatch.setattr(claims, "refuse_overlap", check_together)
        results = crowd_books(desk, factories.staff(), lambda number: SLOT)
        assert sum(isinstance(result, Appointment) for result in results) >= 2


@pytest.mark.skipif(is_postgresql, reason="the control for SQLite, whose lock is the IMMEDIATE transaction")
def test_a_check_outside_the_transaction_gives_the_slot_twice(desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with only the look before the transaction, the crowd all see a free slot and all write."""
    checked = threading.Barrier(CROWD, timeout=5)
    refuse = claims.refuse_overlap

    def check_outside_only(made: Appointment, *, may_overbook: bool) -> bool:
        if connection.in_atomic_block:
            return False
        found = refuse(made, may_overbook=may_overbook)
        checked.wait()
        return found

    monkeypatch.setattr(claims, "refuse_overlap", check_outside_only)
    results = crowd_books(desk, factories.staff(), lambda number: SLOT)
    assert sum(isinstance(result, Appointment) for result in results) >= 2
