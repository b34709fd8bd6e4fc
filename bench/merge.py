"""`merge`: a card with 10,000 visits is taken in by another one. Ours, with everything around it, beside one bare UPDATE.

Both move the same number of rows of the same table, in turn, on the same database; what was moved is given back between.
"""

import argparse
import datetime as dt
import logging
import time
from collections.abc import Callable
from decimal import Decimal

from django.db import connection, transaction

from appointments.models import Appointment, Service, Staff
from bench.result import Result
from clients import records
from clients.merging import merges, undoing
from clients.models import Client, Merge
from salon.core import bulk
from salon.core.models import Salon, User

NOW = dt.datetime(2026, 11, 18, 8, 0, tzinfo=dt.UTC)
ROUNDS = 5
OTHERS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number of visits."""
    parser.add_argument("--visits", type=int, default=10_000, metavar="N", help="how many visits the card has (default 10,000)")


def run(options: argparse.Namespace) -> Result:
    """Move the visits both ways a few times, and compare the best times. Raises AssertionError if one was left behind."""
    logging.getLogger("salon.core.bell").setLevel(logging.ERROR)  # nobody listens in a bench
    by, one, two = _cast(options.visits)
    ours, undone, bare = [], [], []
    for _round in range(ROUNDS):
        seconds, done = _timed(lambda: merges.merge([one, two], main=one, by=by, now=NOW))
        ours.append(seconds)
        assert _visits(one) == options.visits, "a visit was left behind"
        undone.append(_timed(_undo(done, by))[0])
        assert _visits(two) == options.visits, "a visit did not come back"
        bare.append(_timed(_update(two, one))[0])
        _update(one, two)()
    best, other = min(ours), min(bare)
    figures = {
        "visits": options.visits, "ours_ms": round(best * 1000, 1), "one_update_ms": round(other * 1000, 1),
        "undo_ms": round(min(undone) * 1000, 1),
    }  # fmt: skip
    return Result("merge", figures, {"vs_one_update": round(best / other, 2)}, {"vs_one_update": "≤ 3"})


def _timed(act: Callable[[], Merge | None]) -> tuple[float, Merge | None]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done


def _undo(done: Merge | None, by: User) -> Callable[[], Merge]:
    assert done is not None
    return lambda: undoing.undo(done, by=by, now=NOW)


def _update(from_: int, to: int) -> Callable[[], None]:
    """Return the limit: one statement, with its commit."""

    def act() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE appointments_appointment SET client_id = %s WHERE client_id = %s", [to, from_])

    return act


def _visits(pk: int) -> int:
    return Appointment.objects.filter(client=pk).count()


def _cast(count: int) -> tuple[User, int, int]:
    """Make a salon, two cards, and the visits of the second among those of others."""
    Salon.objects.create(name="Bench", country="FR", time_zone="Europe/Paris", language="fr", currency="EUR")
    by = User.objects.create_user("desk@example.org", None, name="Sofia Klein", role="reception")
    people = [{"first_name": f"Client {number}", "phone": f"+336{number:08}"} for number in range(2 + OTHERS)]
    ids = records.add_many(people, by=by)
    staff = Staff.objects.create(name="Léa")
    service = Service.objects.create(name="Coupe", duration_minutes=45, price=Decimal(42))
    names = ("client_id", "staff_id", "service_id", "start_at", "end_at", "state", "price")
    hour = dt.timedelta(hours=1)
    bulk.insert(
        Appointment, names,
        (
            (ids[1] if number % 2 else ids[2 + number // 2 % OTHERS], staff.pk, service.pk, NOW - number * hour,
             NOW - number * hour + hour, "done", Decimal(42))
            for number in range(2 * count)
        ),
    )  # fmt: skip
    assert Client.objects.count() == len(people)
    return by, ids[0], ids[1]
