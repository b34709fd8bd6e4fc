"""A sender is killed at each step of the hand-over, by kill -9 and for real: never twice, never silently lost."""

import datetime as dt
import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from notifications import dispatch, heartbeats, outbox, outcomes
from notifications.models import Attempt, Message, State
from notifications.providers.base import Result
from salon.core import failpoints
from salon.core.models import Salon
from tests.fakes.provider import FakeProvider
from tests.fakes.smtp_sink import Sink
from tests.notifications import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


def state() -> str:
    return Message.objects.get().state


# The row of the table of crash windows, the failpoint, what is left, what it becomes, how many mails arrive in all.
WINDOWS = [
    ("W1", "before_claim", State.PENDING, State.ACCEPTED, 1),
    ("W2", "after_claim", State.CLAIMED, State.ACCEPTED, 1),
    ("W2", "after_prepare", State.CLAIMED, State.ACCEPTED, 1),
    ("W3", "after_handoff_commit", State.HANDOFF, State.UNKNOWN, 0),
    ("W5", "after_deliver", State.HANDOFF, State.UNKNOWN, 1),
    ("W5", "before_settle", State.HANDOFF, State.UNKNOWN, 1),
]


@pytest.mark.parametrize(("window", "place", "left", "becomes", "arrive"), WINDOWS)
def test_a_sender_killed_at_any_step_sends_nothing_twice_and_loses_nothing_silently(
    committed: Salon, sink: Sink, window: str, place: str, left: str, becomes: str, arrive: int
) -> None:
    """D1."""
    workers.reminders(1)
    assert workers.deliver(sink.port, FAILPOINT=f"{place}:kill9") == -signal.SIGKILL
    assert state() == left, window
    if left != State.PENDING:
        workers.deliver(sink.port)
        assert state() == left, "the lease is not over"
    workers.let_leases_end()
    for _ in range(2):
        workers.deliver(sink.port)
    assert state() == becomes, window
    assert len(sink.message_ids) == arrive
    assert Message.objects.get().reason == ("sender_died" if becomes == State.UNKNOWN else "")


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_sender_killed_while_the_database_commits_the_hand_over(committed: Salon, sink: Sink) -> None:
    """D1, between W2 and W3: the commit was sent and not answered. Either it holds or it does not; nothing leaves twice."""
    workers.reminders(2)
    assert workers.deliver(sink.port, FAILPOINT="while_committing@2:kill9") == -signal.SIGKILL
    left = workers.states()
    assert left in ({State.ACCEPTED: 1, State.HANDOFF: 1}, {State.HANDOFF: 1, State.CLAIMED: 1})
    workers.let_leases_end()
    for _ in range(2):
        workers.deliver(sink.port)
    found = workers.states()
    assert found in ({State.ACCEPTED: 1, State.UNKNOWN: 1}, {State.UNKNOWN: 1, State.ACCEPTED: 1})
    assert Counter(sink.message_ids).most_common(1)[0][1] == 1
    assert found[State.ACCEPTED] <= len(sink.mails) <= 2


def test_a_sender_killed_while_it_waits_for_the_answer_to_the_dot(committed: Salon, sink: Sink) -> None:
    """D1, W4."""
    workers.reminders(1)
    sink.script = "dot:hang"
    process = workers.start(sink.port)
    workers.wait_for(lambda: sink.mails)
    workers.kill(process)
    sink.script = ""
    assert state() == State.HANDOFF
    workers.let_leases_end()
    for _ in range(2):
        workers.deliver(sink.port)
    assert (state(), len(sink.mails)) == (State.UNKNOWN, 1)


def test_a_message_that_kills_its_sender_takes_no_other_with_it(committed: Salon, sink: Sink) -> None:
    """D26, with a sender that dies whenever it comes to the first of five."""
    poison, *others = workers.reminders(5)
    for _ in range(outbox.CLAIMS_MAX + 1):
        assert workers.deliver(sink.port, FAILPOINT="after_claim:kill9") == -signal.SIGKILL
        workers.let_leases_end()
    workers.deliver(sink.port)
    fates = dict(Message.objects.values_list("pk", "state"))
    assert fates == {poison.pk: State.QUARANTINED, **{other.pk: State.ACCEPTED for other in others}}
    assert len(sink.mails) == len(others)


@pytest.mark.parametrize("suspect_from", [outbox.SUSPECT_FROM, 99])
def test_the_control_claimed_together_every_time_all_of_them_are_set_aside(
    committed: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, suspect_from: int
) -> None:
    """D26, the control: the same deaths, as claims that are never heard of again."""
    workers.reminders(5)
    monkeypatch.setattr(outbox, "SUSPECT_FROM", suspect_from)
    for _ in range(outbox.CLAIMS_MAX + 1):
        assert outbox.claim(dt.datetime.now(dt.UTC))
        workers.let_leases_end()
        outcomes.recover(dt.datetime.now(dt.UTC))
    dispatch.deliver_due()
    expected = {State.QUARANTINED: 1, State.ACCEPTED: 4} if suspect_from < 99 else {State.QUARANTINED: 5}
    assert workers.states() == expected


def test_a_message_whose_sender_died_after_the_hand_over_is_still_unknown_a_day_later(
    committed: Salon, fake: FakeProvider, now: dt.datetime
) -> None:
    """D11: it is never put back, whatever the clock says."""
    workers.reminders(1, state=State.HANDOFF, handoff_at=now, lease_token=uuid.uuid4(), lease_until=workers.LONG_AGO)
    for hours in range(25):
        dispatch.deliver_due(now=dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours))
    assert (state(), fake.delivered) == (State.UNKNOWN, [])


def test_the_control_putting_lost_messages_back_sends_twice(committed: Salon, sink: Sink) -> None:
    """D3, the control of D1: what most queues do is caught by the same test."""
    workers.reminders(1)
    assert workers.deliver(sink.port, FAILPOINT="after_deliver:kill9") == -signal.SIGKILL
    workers.let_leases_end()
    workers.deliver(sink.port, OUTBOX_POLICY="requeue")
    assert len(sink.message_ids) == 2
    assert len(set(sink.message_ids)) == 1


def test_a_sender_frozen_between_decision_and_first_byte_does_not_send(committed: Salon, sink: Sink) -> None:
    """D24: stopped for longer than a decision holds, then woken."""
    workers.reminders(1)
    process = workers.start(sink.port, FAILPOINT="before_send:stop")
    workers.wait_for(lambda: state() == State.HANDOFF)
    time.sleep(dispatch.DECISION_HOLDS + 0.5)
    assert sink.mails == []
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=60)
    assert list(Attempt.objects.order_by("pk").values_list("outcome", flat=True)) == ["taken_back", "accepted"]
    assert (state(), len(sink.mails)) == (State.ACCEPTED, 1), "decided anew, sent once"


def test_a_sender_told_to_stop_finishes_the_one_in_hand(committed: Salon, sink: Sink) -> None:
    """D25."""
    workers.reminders(10)
    sink.script = "dot:slow=1"
    process = workers.start(sink.port, "--loop", "--every", "0.2")
    workers.wait_for(lambda: sink.mails)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    found = workers.states()
    assert found[State.ACCEPTED] == len(sink.mails) <= 2
    assert found[State.PENDING] == 10 - len(sink.mails)


def test_a_worker_told_to_stop_finishes_the_one_in_hand_and_claims_no_more(committed: Salon, sink: Sink) -> None:
    """D25, with the worker that `./run` starts."""
    workers.reminders(10)
    sink.script = "dot:slow=1"
    worker = workers.start_worker(sink.port, concurrency=4)
    try:
        workers.ring("notifications.deliver")
        workers.wait_for(lambda: sink.mails)
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    finally:
        workers.kill(worker)
    assert worker.returncode == 0
    found = workers.states()
    assert found[State.ACCEPTED] == len(sink.mails) <= 2
    assert found[State.PENDING] == 10 - len(sink.mails)


def test_a_mail_server_that_never_answers_the_dot_leaves_threads_for_the_rest(committed: Salon, sink: Sink) -> None:
    """Of three threads one sends, however often the clock rings, and the planner has its turn."""
    workers.reminders(3 * outbox.CLAIM_MAX)
    sink.script = "dot:hang"
    worker = workers.start_worker(sink.port, concurrency=3)
    try:
        workers.ring("notifications.deliver")
        workers.wait_for(lambda: sink.mails)
        workers.ring("notifications.deliver", "notifications.wake", "notifications.deliver", "notifications.plan")
        workers.wait_for(lambda: heartbeats.last("planner") is not None, 30)
        time.sleep(2)
        assert workers.states()[State.HANDOFF] == len(sink.mails) == 1
    finally:
        workers.kill(worker)


def test_a_wake_up_that_comes_twice_at_once_sends_once(committed: Salon, sink: Sink) -> None:
    """D9, with four senders at a time."""
    workers.reminders(40)
    processes = [workers.start(sink.port) for _ in range(4)]
    for process in processes:
        _out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert Counter(sink.message_ids).most_common(1)[0][1] == 1
    assert len(sink.mails) == 40
    assert workers.states() == {State.ACCEPTED: 40}


@pytest.mark.parametrize("count", [1, 3])
def test_a_result_is_kept_until_the_database_is_back(
    committed: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """D1, W6: the worker lives, the database is away when the result is to be written."""
    workers.reminders(count)
    real, failures = outcomes.settle, [1, 2, 3]

    def away(message: Message, result: Result, **kwargs: Any) -> bool:
        if failures:
            failures.pop()
            raise OperationalError("the database is away")
        return real(message, result, **kwargs)

    monkeypatch.setattr(outcomes, "settle", away)
    dispatch.deliver_due()
    assert failures == []
    workers.let_leases_end()
    dispatch.deliver_due()
    assert workers.states() == {State.ACCEPTED: count}
    assert len({envelope.message_id for envelope in fake.delivered}) == len(fake.delivered) == count


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_connection_cut_while_the_mail_is_under_way_loses_no_result(committed: Salon, sink: Sink) -> None:
    """D4 in small: the database drops the sender between hand-over and result."""
    workers.reminders(1)
    sink.script = "dot:slow=2"
    process = workers.start(sink.port)
    workers.wait_for(lambda: sink.mails)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (state(), len(sink.mails)) == (State.ACCEPTED, 1)


def test_failpoints_are_refused_outside_tests(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILPOINT", "after_claim@2:kill9")
    assert failpoints._read() == ("after_claim", 2, "kill9")
    settings.TESTING = False
    with pytest.raises(ImproperlyConfigured):
        failpoints._read()
