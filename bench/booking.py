"""`booking`: many want one slot at once. Ours, through the whole operation, beside a bare lock + check + insert in SQL.

Both run on the same database with the same number of connections; each must give the slot exactly once.
"""

import argparse
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from decimal import Decimal

from django.db import connection, connections, transaction

from appointments import booking
from appointments.models import Appointment, Service, Staff, StaffDay, WorkingHours
from bench.result import Result, percentile
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import Salon, User

NOW = dt.datetime(2026, 11, 18, 8, 0, tzinfo=dt.UTC)
SLOT = dt.datetime(2026, 11, 19, 13, 30, tzinfo=dt.UTC)
ROUNDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number of tries and of connections."""
    parser.add_argument("--tries", type=int, default=10_000, metavar="N", help="how many want the slot (default 10,000)")
    parser.add_argument("--connections", type=int, default=0, metavar="N", help="at once (default 50; 8 on SQLite)")


def run(options: argparse.Namespace) -> Result:
    """Let both compete twice, in turn, and compare the best times. Raises AssertionError for a slot given twice."""
    crowd = options.connections or (50 if connection.vendor == "postgresql" else 8)
    client, service, by = _cast()
    logging.getLogger("salon.core.bell").setLevel(logging.ERROR)  # nobody listens in a bench
    ours: list[Crowd] = []
    bare: list[Crowd] = []
    for number in range(ROUNDS):
        ours.append(_compete(options.tries, crowd, _booker(Staff.objects.create(name=f"ours {number}"), client, service, by)))
        bare.append(_compete(options.tries, crowd, _bare(Staff.objects.create(name=f"bare {number}"), client, service)))
    assert all(found.won == 1 for found in (*ours, *bare)), "a slot was given twice or not at all"
    one, other = min(ours, key=lambda found: found.seconds), min(bare, key=lambda found: found.seconds)
    figures = {
        "tries": options.tries, "connections": crowd, "booked_each": 1, "ours_s": round(one.seconds, 2),
        "locked_insert_s": round(other.seconds, 2), "ours_p99_ms": one.p99_ms, "locked_insert_p99_ms": other.p99_ms,
    }  # fmt: skip
    return Result(
        "booking",
        figures,
        {"vs_locked_insert": round(one.seconds / other.seconds, 2)},
        {"vs_locked_insert": "≤ 1.5 (on PostgreSQL)"},
    )


class Crowd:
    """How a competition went: seconds in all, how many got the slot, how long each try took."""

    def __init__(self) -> None:
        self.seconds, self.won = 0.0, 0
        self.waits: list[float] = []

    @property
    def p99_ms(self) -> float:
        """Return the time under which 99 of 100 tries had their answer."""
        return round(percentile(self.waits, 0.99) * 1000, 1)


def _compete(tries: int, crowd: int, attempt: Callable[[], bool]) -> Crowd:
    """Let `crowd` threads, each with its own connection, make `tries` attempts together."""
    found, gate, lock = Crowd(), threading.Barrier(crowd + 1), threading.Lock()
    left = iter(range(tries))
    faults: list[Exception] = []

    def worker() -> None:
        waits, won = [], 0
        try:
            connection.ensure_connection()
            gate.wait()
            while True:
                with lock:
                    if next(left, None) is None:
                        break
                began = time.perf_counter()
                won += attempt()
                waits.append(time.perf_counter() - began)
        except Exception as error:  # noqa: BLE001 (raised again by the bench)
            faults.append(error)
        finally:
            connections.close_all()
            with lock:
                found.won += won
                found.waits += waits

    threads = [threading.Thread(target=worker) for _ in range(crowd)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - began
    if faults:
        raise faults[0]
    return found


def _booker(staff: Staff, client: Client, service: Service, by: User) -> Callable[[], bool]:
    def attempt() -> bool:
        try:
            booking.book(client=client, staff=staff, service=service, start_at=SLOT, by=by, now=NOW)
        except Refused:
            return False
        return True

    return attempt


INSERT = (
    "INSERT INTO appointments_appointment (client_id, staff_id, service_id, start_at, end_at, state, price, note, is_overbooked, "
    "time_version, time_set_at, is_notice_wanted, created_at, version) "
    "VALUES (%s, %s, %s, %s, %s, 'booked', 42, '', %s, 1, %s, %s, %s, 1)"
)
TAKEN = (
    "SELECT 1 FROM appointments_appointment WHERE staff_id = %s AND start_at < %s AND end_at > %s "
    "AND state IN ('booked', 'confirmed', 'arrived', 'in_chair', 'done') LIMIT 1"
)


def _bare(staff: Staff, client: Client, service: Service) -> Callable[[], bool]:
    """Return the least that is right: lock the day's row, look, insert; on SQLite the transaction is the lock."""
    end_at = SLOT + dt.timedelta(minutes=service.duration_minutes)
    day = StaffDay.objects.create(staff=staff, on=SLOT.date())
    for_update = " FOR UPDATE" if connection.vendor == "postgresql" else ""

    def attempt() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM appointments_staffday WHERE id = %s{for_update}", [day.pk])  # noqa: S608
            cursor.execute(TAKEN, [staff.pk, end_at, SLOT])
            if cursor.fetchone():
                return False
            cursor.execute(INSERT, [client.pk, staff.pk, service.pk, SLOT, end_at, False, NOW, False, NOW])
            return True

    return attempt


def _cast() -> tuple[Client, Service, User]:
    """Make a salon with one service, one client and somebody at the desk."""
    Salon.objects.create(name="Bench", country="FR", time_zone="Europe/Paris", language="fr", currency="EUR")
    client = Client.objects.create(first_name="Amélie", last_name="Bertrand", language="fr")
    service = Service.objects.create(name="Coupe", duration_minutes=45, price=Decimal(42))
    by = User.objects.create_user("desk@example.org", None, name="Sofia Klein", role="reception")
    assert not Appointment.objects.exists()
    assert not WorkingHours.objects.exists()
    return client, service, by
