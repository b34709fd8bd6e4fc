"""Refusals and moves that come while a message is being handed over, on two connections."""

import datetime as dt
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, connections, transaction

from appointments.models import Appointment
from clients import consent
from clients.models import Client, ConsentEvent, Subject
from notifications import dispatch, facts, planner
from notifications.models import Message, State
from salon.core.models import Salon
from tests.fakes.provider import FakeProvider
from tests.notifications import workers
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60.0


@contextmanager
def elsewhere(work: Callable[[threading.Event, threading.Event], None]) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Run `work` on a connection of its own. It sets the first event when it holds its locks, and waits for the second."""
    holds, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work(holds, go_on)
        except BaseException as error:  # noqa: BLE001 (shown below)
            errors.append(error)
        finally:
            holds.set()
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield holds, go_on
    finally:
        go_on.set()
        thread.join(PATIENCE)
    assert not errors, errors


def opt_out(client: Client) -> Callable[[threading.Event, threading.Event], None]:
    def work(holds: threading.Event, go_on: threading.Event) -> None:
        with transaction.atomic():
            consent.record(client, purpose="svc.reminder", channel="email", event="withdraw", source="in_person")
            holds.set()
            go_on.wait(PATIENCE)

    return work


def move(visit: Appointment) -> Callable[[threading.Event, threading.Event], None]:
    def work(holds: threading.Event, go_on: threading.Event) -> None:
        with transaction.atomic():
            row = Appointment.objects.select_for_update().get(pk=visit.pk)
            row.start_at += dt.timedelta(hours=2)
            row.end_at += dt.timedelta(hours=2)
            row.time_version += 1
            row.save()
            holds.set()
            go_on.wait(PATIENCE)

    return work


def race(fake: FakeProvider, work: Callable[[threading.Event, threading.Event], None]) -> None:
    """Let `work` hold its locks, uncommitted, when the hand-over begins; it commits while the hand-over waits."""
    stack: list[Any] = []

    def before_hand_over(envelope: object) -> None:
        context = elsewhere(work)
        holds, go_on = context.__enter__()
        stack.append(context)
        assert holds.wait(PATIENCE)
        threading.Timer(0.7, go_on.set).start()

    fake.before_prepare = before_hand_over
    try:
        dispatch.deliver_due()
    finally:
        for context in stack:
            context.__exit__(None, None, None)


def test_a_refusal_that_is_being_written_is_waited_for_and_obeyed(committed: Salon, fake: FakeProvider) -> None:
    """C1, I-03."""
    [message] = workers.reminders(1)
    assert message.client is not None
    race(fake, opt_out(message.client))
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.SUPPRESSED, "client_refused")
    assert fake.delivered == []


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_the_control_one_statement_that_joins_misses_the_refusal(
    committed: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C2: the same race, with the lock and the ledger read in one statement. The message leaves against the refusal."""
    [message] = workers.reminders(1)
    assert message.client is not None
    real_lock = facts.lock
    seen: dict[str, int] = {}

    def joined(row: Message, readers: list[facts.Reader]) -> facts.Rows:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.id, (SELECT count(*) FROM clients_consentevent e JOIN clients_subject s ON s.id = e.subject_id"
                " WHERE s.client_id = c.id) FROM clients_client c WHERE c.id = %s FOR UPDATE OF c",
                [row.client_id],
            )
            seen["events"] = cursor.fetchone()[1]
        rows = real_lock(row, readers)
        return replace(rows, ledger=rows.ledger[: seen["events"]])

    monkeypatch.setattr(facts, "lock", joined)
    race(fake, opt_out(message.client))
    assert ConsentEvent.objects.count() == 1
    assert seen == {"events": 0}
    assert len(fake.delivered) == 1, "the control has not shown the violation"


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.parametrize(("strength", "is_missed"), [("UPDATE", False), ("NO KEY UPDATE", True)])
def test_the_control_a_weaker_lock_does_not_see_a_row_that_only_points_to_the_client(
    committed: Salon, strength: str, is_missed: bool
) -> None:
    """C2: a writer that forgets to lock the client still collides with FOR UPDATE, and not with FOR NO KEY UPDATE."""
    [message] = workers.reminders(1)

    def forgetful(holds: threading.Event, go_on: threading.Event) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as the commit itself would check them
            Subject.objects.create(client_id=message.client_id)
            holds.set()
            go_on.wait(PATIENCE)

    with elsewhere(forgetful) as (holds, go_on):
        assert holds.wait(PATIENCE)
        threading.Timer(0.7, go_on.set).start()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM clients_client WHERE id = %s FOR {strength}", [message.client_id])
            count = Subject.objects.filter(client=client_of(message)).count()
    assert count == (1 if is_missed else 2)


def lock_faults(sql: str) -> list[str]:
    """Return what is wrong with a statement that locks for a hand-over: it must take one table, whole, FOR UPDATE."""
    words = sql.upper()
    return [fault for fault in ("JOIN", "NO KEY", "SKIP LOCKED", "NOWAIT", " OF ", "(SELECT") if fault in words]


def test_the_hand_over_locks_rows_one_by_one_and_fully(committed: Salon) -> None:
    """C2, kept by reading what is sent to the database, and in which order."""
    with transaction.atomic():
        queries = facts.Reader(is_locking=True)._queries
    tables = [next(name for name in TABLES if f'FROM "{name}"' in query.sql) for query in queries]
    assert tables == list(TABLES)
    for query in queries[:3]:
        assert lock_faults(query.sql) == []
        assert query.sql.endswith("FOR UPDATE") == (connection.vendor == "postgresql")
    assert not any("FOR UPDATE" in query.sql for query in queries[3:])
    with transaction.atomic():
        weak = Client.objects.select_for_update(no_key=True, of=("self",)).filter(subjects__id=1)
        sql = str(weak.query.get_compiler(connection=connection).as_sql()[0])
    assert "JOIN" in lock_faults(sql), "the search finds what it looks for"
    body = inspect.getsource(dispatch._Sender._decide)
    assert body.index("facts.lock(") < body.index("facts.gather(") < body.index("gate.decide(") < body.index("outbox.handoff(")


TABLES = (
    "clients_client", "clients_address", "appointments_appointment", "core_salon", "notifications_message",
    "clients_consentevent",
)  # fmt: skip


def test_a_visit_moved_at_the_moment_of_its_reminder(committed: Salon, fake: FakeProvider) -> None:
    """C9: the old time is never said after the move has committed; the new one once."""
    [message] = workers.reminders(1)
    assert message.appointment is not None
    race(fake, move(message.appointment))
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.CANCELLED, "moved")
    assert fake.delivered == []
    fake.before_prepare = lambda envelope: None
    # The move kept the booking's own time, so the new reminder is due at once.
    for _ in range(3):
        planner.plan(dt.datetime.now(dt.UTC))
        dispatch.deliver_due()
    assert len(fake.delivered) == 1
    assert Message.objects.get(state=State.ACCEPTED).told_start_at == Appointment.objects.get().start_at


def test_a_refusal_written_while_the_mail_is_under_way_does_not_wait_for_it(committed: Salon, fake: FakeProvider) -> None:
    """The locks end with the decision: nobody waits for a mail server."""
    [message] = workers.reminders(1)
    assert message.client is not None
    client = message.client
    done: list[bool] = []

    def refuse(envelope: object) -> None:
        with elsewhere(opt_out(client)) as (holds, go_on):
            done.append(holds.wait(PATIENCE))
            go_on.set()

    fake.before_deliver = refuse
    dispatch.deliver_due()
    assert done == [True]
    assert ConsentEvent.objects.count() == 1
    message.refresh_from_db()
    assert message.state == State.ACCEPTED, "decided before the refusal; the page says so"
