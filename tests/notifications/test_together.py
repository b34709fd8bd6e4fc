"""Four people at the desk and two senders on one database, all at once: nobody is told that it is locked."""

import datetime as dt
import os
import threading
import time
from collections import Counter
from itertools import count

import pytest
from django.db import OperationalError, connection, connections

from appointments import booking
from appointments.models import Appointment, Service, Staff
from clients import consent, records, search
from clients.models import Client
from notifications import invariants
from notifications.models import State
from salon.core.models import Salon
from tests import factories, people
from tests.fakes.smtp_sink import Sink
from tests.notifications import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]

SECONDS = 10.0 if os.environ.get("CHAOS") == "short" else 60.0
DESKS = 4
MONDAY = dt.datetime(2027, 3, 1, 9, 0, tzinfo=dt.UTC)


def work(desk: int, until: float, done: Counter[str], failed: list[str]) -> None:
    """Find, note, ask and book, as one person at the desk does all day, until the time is over."""
    by = people.user_with("reception")
    staff, service = Staff.objects.all()[desk], Service.objects.all()[0]
    cards = list(Client.objects.order_by("pk")[desk::DESKS])
    try:
        for turn in count():
            if time.monotonic() > until:
                return
            now = dt.datetime.now(dt.UTC)
            client = Client.objects.get(pk=cards[turn % len(cards)].pk)
            search.page(search.find(client.last_name[:4]))
            client = records.write_note(client, by=by, note=f"turn {turn}", version=client.version)
            consent.record(client, purpose="mkt.promotion", channel="email", event="withdraw", source="phone", by=by)
            start_at = MONDAY + dt.timedelta(minutes=15 * turn)
            booking.book(client=client, staff=staff, service=service, start_at=start_at, by=by, now=now, may_overbook=True)
            done["turns"] += 1
    except OperationalError as error:
        failed.append(str(error))
    finally:
        connections.close_all()


def a_busy_salon(seconds: float, sink: Sink) -> tuple[Counter[str], list[str]]:
    """Return how much was done and what failed while desks and senders worked for `seconds`."""
    people.user_with("reception")
    service = factories.service(duration_minutes=15)
    for name in ("Léa", "Marco", "Noor", "Ines"):
        factories.staff(name=name)
    for _ in range(40):
        factories.client()
    workers.reminders(150)
    assert service.pk
    done: Counter[str] = Counter()
    failed: list[str] = []
    senders = [workers.start(sink.port, "--loop", "--every", "0.2") for _ in range(2)]
    try:
        until = time.monotonic() + seconds
        desks = [threading.Thread(target=work, args=(desk, until, done, failed)) for desk in range(DESKS)]
        for thread in desks:
            thread.start()
        for thread in desks:
            thread.join(seconds + 60)
    finally:
        for process in senders:
            process.terminate()
            _out, err = process.communicate(timeout=60)
            failed += [line for line in err.splitlines() if "locked" in line or "away" in line]
    return done, failed


def test_desks_and_senders_share_the_database_without_a_lock_error(committed: Salon) -> None:
    """K10."""
    with Sink() as sink:
        done, failed = a_busy_salon(SECONDS, sink)
        workers.deliver(sink.port)
        assert failed == []
        assert done["turns"] >= DESKS
        assert Appointment.objects.filter(start_at__gte=MONDAY).count() == done["turns"]
        assert max(Counter(sink.message_ids).values()) == 1
    assert workers.states()[State.ACCEPTED] == 150
    assert list(invariants.faults()) == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no database-wide lock to run into")
def test_the_control_without_immediate_transactions_desks_run_into_locks(committed: Salon) -> None:
    """K10's control: the same salon, its transactions begun as readers."""
    options = connection.settings_dict["OPTIONS"]
    before = options["transaction_mode"]
    options["transaction_mode"] = "DEFERRED"
    try:
        with Sink() as sink:
            _done, failed = a_busy_salon(6.0, sink)
    finally:
        options["transaction_mode"] = before
    assert any("locked" in line for line in failed), "the control has not shown the fault"
