"""Random kills and refusals in the middle of a batch: what the promises look like under fire."""

import contextlib
import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import OperationalError, connection, connections

from clients import consent
from notifications import invariants, outbox, outcomes
from notifications.models import Message, State
from salon.core.models import Salon
from tests.fakes.smtp_sink import Sink
from tests.notifications import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]


@dataclass
class Outcome:
    """What a batch under fire left behind."""

    ids: Counter[str]
    kill_count: int
    refused_at: dict[int, dt.datetime]

    @property
    def doubles(self) -> list[str]:
        return [message_id for message_id, count in self.ids.items() if count > 1]


def commit_time() -> dt.datetime:
    """Return the clock that hand-overs are stamped with."""
    sql = "SELECT clock_timestamp()" if connection.vendor == "postgresql" else "SELECT strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        value = cursor.fetchone()[0]
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)


def refuse_some(messages: list[Message], refused_at: dict[int, dt.datetime], stop: threading.Event) -> None:
    """Let one client after the other switch reminders off while the senders run."""
    try:
        for message in messages:
            if stop.wait(0.2):
                break
            assert message.client is not None
            consent.record(message.client, purpose="svc.reminder", channel="email", event="withdraw", source="phone")
            refused_at[message.pk] = commit_time()
    finally:
        connections.close_all()


def let_leases_end() -> None:
    """As time passing would; a database that is busy just now gets it a moment later."""
    with contextlib.suppress(OperationalError):
        workers.let_leases_end()


def under_fire(sink: Sink, *, mails: int, refusals: int, kills: int, **more: str) -> Outcome:
    """Deliver `mails` reminders while senders are killed at random and clients refuse."""
    rng = random.Random(20261122)
    messages = workers.reminders(mails)
    stop = threading.Event()
    refused_at: dict[int, dt.datetime] = {}
    refusing = threading.Thread(target=refuse_some, args=(rng.sample(messages, refusals), refused_at, stop))
    count = 3 if connection.vendor == "postgresql" else 2
    sink.delay = 0.1
    running = [workers.start(sink.port, "--loop", "--every", "0.2", **more) for _ in range(count)]
    killed = 0
    try:
        workers.wait_for(lambda: sink.mails)
        refusing.start()
        until = time.monotonic() + 70
        while killed < kills and time.monotonic() < until and workers.states()[State.PENDING]:
            before = len(sink.mails)
            # Once somebody works: the moment within a mail is left to chance.
            while len(sink.mails) < before + 2 and time.monotonic() < until and workers.states()[State.PENDING]:
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.2))
            workers.kill(running.pop(rng.randrange(len(running))))
            killed += 1
            running.append(workers.start(sink.port, "--loop", "--every", "0.2", **more))
            let_leases_end()
    finally:
        stop.set()
        for process in running:
            workers.kill(process)
        refusing.join(60)
    sink.delay = 0
    for _ in range(3):
        workers.let_leases_end()
        workers.deliver(sink.port, **more)
    return Outcome(Counter(sink.message_ids), killed + count, refused_at)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


def test_random_kills_and_racing_refusals_send_nothing_twice_and_nothing_against_a_no(committed: Salon, sink: Sink) -> None:
    """D2, scaled to a shared machine."""
    found = under_fire(sink, mails=120, refusals=40, kills=8)
    assert found.kill_count > 3
    assert found.refused_at
    assert found.doubles == []
    arrived = {int(message_id.split(".")[1]) for message_id in found.ids}
    rows = {row.pk: row for row in Message.objects.all()}
    accepted = {pk for pk, row in rows.items() if row.state == State.ACCEPTED}
    unknown = {pk for pk, row in rows.items() if row.state == State.UNKNOWN}
    assert accepted <= arrived, "accepted, but absent"
    assert arrived <= accepted | unknown, "sent, but not said so"
    assert {row.state for row in rows.values()} <= {State.ACCEPTED, State.UNKNOWN, State.SUPPRESSED, State.CANCELLED}
    assert len(unknown) <= found.kill_count
    for pk, refused_at in found.refused_at.items():
        handed_over_at = rows[pk].handoff_at
        assert handed_over_at is None or handed_over_at <= refused_at, "handed over after the refusal had committed"
    assert len(rows) == 120
    assert list(invariants.faults()) == []


def test_the_control_a_requeueing_outbox_sends_twice_under_the_same_fire(committed: Salon, sink: Sink) -> None:
    """D3."""
    found = under_fire(sink, mails=60, refusals=5, kills=8, OUTBOX_POLICY="requeue")
    assert found.doubles, "the control has not shown the fault"
    assert any("handed over 2 times" in line for line in invariants.faults()), "the check finds what it looks for"


def test_leases_go_by_the_databases_clock(committed: Salon) -> None:
    """D28: a host whose clock is two hours wrong frees and loses nothing."""
    workers.reminders(2)
    now = dt.datetime.now(dt.UTC)
    assert len(outbox.claim(now)) == 2
    for hours in (-2, 2):
        assert outcomes.recover(now + dt.timedelta(hours=hours)) == {}
        assert outbox.claim(now + dt.timedelta(hours=hours)) == []
