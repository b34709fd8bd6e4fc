"""`plan`: what one tick of the planner costs on a large book, beside a loop over clients and visits that does the same.

Every kind is on, and many said Yes. The tick writes what is due, of moments all that was due in the last days; the idle tick
finds nothing new while all of it still waits, the quiet one when all was sent. `orm_loop` is how it is often written: each
visit and each client loaded, looked at in Python and saved one by one; it is measured on a sample and reckoned up, as the
whole would take too long. `growth_10x` is an idle tick on ten times the visits beside one on the first. PostgreSQL has counted
the rows before the first tick, so of messages it knows nothing: as after an import, and the worst case for its plans.
"""

import argparse
import datetime as dt
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from appointments.models import Appointment, Service, Staff
from bench.result import Result
from clients.models import Client, Standing
from notifications import moments, planner
from notifications.models import Message, State, Trigger
from notifications.plans import ReminderTime
from salon.core import audit, bulk, instance
from salon.core.models import Salon

VISITS_EACH = 10
DAYS_BACK, DAYS_AHEAD = 1_400, 21
COLUMNS = (
    "client_id", "staff_id", "service_id", "start_at", "end_at", "state", "price", "note", "is_overbooked", "time_version",
    "time_set_at", "cancelled_at", "is_notice_wanted", "created_at", "version",
)  # fmt: skip
KINDS = ("birthday", "welcome", "rebook", "review")
SAMPLE = 300
RUNS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take how many idle ticks are measured."""
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"idle ticks measured (default {RUNS})")


def run(options: argparse.Namespace) -> Result:
    """Fill a tenth of the book, then the whole, and measure a tick on both and the loop beside it."""
    now = _salon()
    small = max(options.clients // 10, 10)
    _fill(small, now)
    at_a_tenth = _ticks(now, options.runs)
    _forget()
    _fill(options.clients - small, now, first=small)
    whole = _ticks(now, options.runs)
    due = sum(whole.due.values())
    loop_ms = _loop(now, due)
    figures = {
        "clients": options.clients, "visits": Appointment.objects.count(), "due": due, "tick_ms": whole.first_ms,
        "idle_tick_ms": whole.idle_ms, "quiet_tick_ms": whole.quiet_ms, "slowest_statement_ms": whole.slowest_ms,
        "tick_at_a_tenth_ms": at_a_tenth.first_ms, "idle_at_a_tenth_ms": at_a_tenth.idle_ms, "orm_loop_ms": loop_ms,
    }  # fmt: skip
    notes = [f"nothing was due of: {kind}" for kind in (*KINDS, "reminder") if not whole.due[kind]]
    growth = round(whole.idle_ms / max(at_a_tenth.idle_ms, 0.01), 2)
    ratios = {"vs_orm_loop": round(loop_ms / whole.first_ms, 1), "growth_10x": growth}
    return Result("plan", figures, ratios, {"vs_orm_loop": "≥ 100", "growth_10x": "≤ 2"}, notes)


def _salon() -> dt.datetime:
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "bench.example.org"]  # or no offer leaves: its links would not work
    salon, _ = Salon.objects.update_or_create(
        pk=1, defaults={"name": "Bench", "country": "FR", "time_zone": "Europe/Paris", "language": "en", "currency": "EUR",
                        "public_url": "https://bench.example.org"},
    )  # fmt: skip
    instance.claim(salon)
    for kind in KINDS:
        target = "https://reviews.example.org/" if kind == "review" else ""
        Trigger.objects.update_or_create(kind=kind, defaults={"is_on": True, "target": target})
    ReminderTime.objects.update_or_create(slot=2, defaults={"is_on": True, "hours_before": 3})
    Staff.objects.get_or_create(name="Léa")
    for number, weeks in enumerate((None, 4, 5, 8)):
        Service.objects.get_or_create(name=f"S{number}", duration_minutes=45, price=Decimal(40), rebook_weeks=weeks)
    local = timezone.now().astimezone(salon.zone)
    return local.replace(hour=12, minute=0, second=0, microsecond=0)


def _fill(count: int, now: dt.datetime, first: int = 0) -> None:
    """Write so many clients, with ten visits each over the years, and the answers of two in three."""
    rng, staff = Random(first), Staff.objects.all()[0]
    services = list(Service.objects.values_list("pk", flat=True))
    for start in range(0, count, 5_000):
        size = min(5_000, count - start)
        clients = Client.objects.bulk_create(
            [
                Client(
                    first_name="A", last_name=f"B{one}", email=f"a{first + start + one}@example.org", language="en",
                    birth_month=rng.randint(1, 12), birth_day=rng.randint(1, 28),
                    created_at=now - dt.timedelta(days=rng.randint(1, DAYS_BACK)),
                )
                for one in range(size)
            ]
        )  # fmt: skip
        audit.record_each(moments.ADDED, Client, [client.pk for client in clients], by=None)
        Standing.objects.bulk_create(
            Standing(client=client, purpose=f"mkt.{kind}", channel="email", state="granted")
            for client in clients
            for kind in KINDS
            if rng.random() < 0.66
        )
        ids = [client.pk for client in clients for _ in range(VISITS_EACH)]
        bulk.insert(Appointment, COLUMNS, (_visit(pk, rng, staff.pk, services, now) for pk in ids))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _visit(client: int, rng: Random, staff: int, services: list[int], now: dt.datetime) -> tuple[object, ...]:
    day = rng.randint(-DAYS_BACK, DAYS_AHEAD)
    start = now + dt.timedelta(days=day, minutes=15 * rng.randint(-16, 24))
    state = ("no_show" if rng.random() < 0.05 else "done") if start < now else "booked"
    booked = start - dt.timedelta(days=30)
    return (
        client, staff, rng.choice(services), start, start + dt.timedelta(minutes=45), state, Decimal(40), "", True, 1, booked,
        None, False, booked, 1,
    )  # fmt: skip


@dataclass
class _Ticks:
    """What ticks on one book take in milliseconds, the idle and the quiet one as the median, and what was due, by kind."""

    due: Counter[str]
    first_ms: float
    idle_ms: float
    quiet_ms: float
    slowest_ms: float


def _ticks(now: dt.datetime, runs: int) -> _Ticks:
    planner.plan(now - dt.timedelta(days=30))  # warm: nothing is due of what lies so far back, or it is too late today
    _forget()
    began = time.perf_counter()
    counts = planner.plan(now)
    first = _ms(began)
    statements: list[float] = []
    idle = _median_of_idle(now, runs, statements)
    Message.objects.update(state=State.ACCEPTED, handoff_at=now)
    return _Ticks(counts, first, idle, _median_of_idle(now, runs, []), max(statements))


def _median_of_idle(now: dt.datetime, runs: int, statements: list[float]) -> float:
    def timed(execute: Callable[..., Any], *asked: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*asked)
        finally:
            statements.append(_ms(began))

    times = []
    for _ in range(runs):
        began = time.perf_counter()
        with connection.execute_wrapper(timed):
            assert not planner.plan(now), "a second tick had something to say"
        times.append(_ms(began))
    return round(statistics.median(times), 2)


def _forget() -> None:
    """Empty the outbox as if nothing had ever been in it: counted with dead rows, PostgreSQL takes it for empty for ever."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_message")
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM notifications_message")


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


# --- how it is often written --------------------------------------------------------------------------------------


def _loop(now: dt.datetime, due: int) -> float:
    """Return what the loop would take in all: its pass over the book, and a look and a row for each message that is due."""
    began = time.perf_counter()
    seen = 0
    for client in Client.objects.order_by("pk")[: SAMPLE * 10].iterator():
        last = client.appointments.filter(state="done").order_by("-start_at").first()
        ahead_ = client.appointments.filter(state="booked", start_at__gte=now).first()
        seen += bool(last) + bool(ahead_) + (client.birth_month == now.month and client.birth_day == now.day)
    walk = _ms(began) / min(Client.objects.count(), SAMPLE * 10) * Client.objects.count()
    began = time.perf_counter()
    rows = list(Message.objects.order_by("pk").values_list("client", flat=True)[:SAMPLE])
    for number, pk in enumerate(rows):
        client = Client.objects.get(pk=pk)
        may = Standing.objects.filter(client=client, purpose="mkt.birthday", channel="email", state="granted").exists()
        said = Message.objects.filter(client=client, kind="birthday", occasion=f"loop{number}").exists()
        if client.email and not said and may in {True, False}:
            Message.objects.create(
                kind="birthday", channel="email", client=client, occasion=f"loop{number}", not_before=now,
                expires_at=now + dt.timedelta(days=2),
            )  # fmt: skip
    return round(walk + _ms(began) / max(len(rows), 1) * due, 1)
