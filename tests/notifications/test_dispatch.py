"""From the book to the provider: what leaves, once, and what does not."""

import datetime as dt
import time
import uuid
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from django.db import OperationalError, transaction

from appointments.models import Appointment
from clients import consent
from clients.models import Address, Client
from notifications import alarms, dispatch, facts, gate, grounds, invariants, outbox, outcomes, planner
from notifications.models import Attempt, Heartbeat, Message, Provider, State, Trigger
from notifications.providers.base import Outcome, Phase, Result
from salon.core import failpoints
from salon.core.models import Notice, Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.fakes.provider import FakeProvider
from tests.notifications.cast import client_of
from tests.notifications.letters import text_of

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def visit(now: dt.datetime, **fields: object) -> Appointment:
    """A visit tomorrow at 14:30 in Paris, booked a minute ago with notice."""
    start_at = fields.pop("start_at", dt.datetime(2026, 11, 25, 13, 30, tzinfo=dt.UTC))
    return factories.appointment(start_at=start_at, time_set_at=now - MINUTE, **fields)


def run(now: dt.datetime) -> None:
    planner.plan(now)
    dispatch.deliver_due(now=now)


def states_of(row: Appointment) -> dict[str, tuple[str, str]]:
    return {message.kind: (message.state, message.reason) for message in row.messages.all()}


def test_a_booking_is_confirmed_and_reminded_of_once(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now)
    for _ in range(3):
        run(now)
    assert states_of(row) == {"confirmation": (State.ACCEPTED, ""), "reminder": (State.ACCEPTED, "")}
    assert fake.recipients == [client_of(row).email] * 2
    assert len({envelope.message_id for envelope in fake.delivered}) == 2


def test_the_mail_is_in_the_clients_language_and_on_the_salons_clock(fake: FakeProvider, now: dt.datetime) -> None:
    visit(now, client=factories.client(language="de", first_name="Jürgen"))
    run(now)
    mails = [message_from_bytes(envelope.raw, policy=policy.default) for envelope in fake.delivered]
    reminder = next(mail for mail in mails if "Bis " in mail["Subject"])
    text = text_of(reminder)
    assert "Guten Tag Jürgen," in text
    assert "14:30 Uhr" in text
    assert "Mittwoch, 25. November" in text
    assert reminder["Message-ID"].startswith("<m.")
    assert reminder["Auto-Submitted"] == "auto-generated"
    assert reminder["Content-Language"] == "de"
    assert "List-Unsubscribe" not in reminder
    assert reminder["From"] == "Atelier Nord <bonjour@atelier-nord.example>"


def test_every_hand_over_keeps_the_decision_it_stood_on(fake: FakeProvider, now: dt.datetime) -> None:
    """I-16: one stored decision a call, and the gate says the same of it again."""
    row = visit(now)
    consent.record(client_of(row), purpose="svc.reminder", channel="email", event="grant", source="phone", now=now - HOUR)
    run(now)
    attempts = Attempt.objects.filter(message__appointment=row)
    assert attempts.count() == len(fake.delivered) == 2
    for attempt in attempts:
        again = gate.decide(grounds.from_json(attempt.decision), attempt.at)
        assert isinstance(again, gate.Send)
        assert (attempt.outcome, attempt.phase, attempt.code) == ("accepted", "reply", "250")
        assert client_of(row).email not in str(attempt.decision)
    reminder = attempts.get(message__kind="reminder")
    assert len(reminder.decision["event_ids"]) == 1
    assert reminder.decision["version"] == gate.VERSION


def test_a_refused_reminder_never_leaves_and_says_why(fake: FakeProvider, now: dt.datetime) -> None:
    """I-03: recorded after the row was planned, before it was handed over."""
    row = visit(now)
    planner.plan(now)
    consent.record(client_of(row), purpose="svc.reminder", channel="email", event="withdraw", source="in_person", now=now)
    dispatch.deliver_due(now=now)
    assert states_of(row) == {"confirmation": (State.ACCEPTED, ""), "reminder": (State.SUPPRESSED, "client_refused")}
    assert len(fake.delivered) == 1
    run(now + MINUTE)
    assert len(fake.delivered) == 1


@pytest.mark.parametrize("field", ["inactive_at", "restricted_at", "erased_at"])
def test_nobody_who_is_gone_is_written_to(fake: FakeProvider, now: dt.datetime, field: str) -> None:
    """I-02, through the database: after planning, before the hand-over."""
    row = visit(now)
    planner.plan(now)
    Client.objects.filter(pk=client_of(row).pk).update(**{field: now})
    dispatch.deliver_due(now=now)
    assert fake.delivered == []
    reason = field.removesuffix("_at")
    assert set(states_of(row).values()) == {(State.SUPPRESSED, reason)}


def test_a_moved_visit_is_reminded_of_at_its_new_time_only(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now)
    planner.plan(now)
    later = row.start_at + 2 * HOUR
    Appointment.objects.filter(pk=row.pk).update(
        start_at=later, end_at=later + HOUR, time_version=2, time_set_at=now, is_notice_wanted=False
    )
    dispatch.deliver_due(now=now)
    assert fake.delivered == []
    run(now + MINUTE)
    run(now + 2 * MINUTE)
    assert len(fake.delivered) == 1
    assert "16:30" in text_of(message_from_bytes(fake.delivered[0].raw, policy=policy.default))


def test_a_move_is_told_as_a_change_and_moving_back_in_time_says_nothing(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now)
    run(now)
    later = row.start_at + HOUR
    Appointment.objects.filter(pk=row.pk).update(start_at=later, end_at=later + HOUR, time_version=2, time_set_at=now)
    planner.plan(now)
    assert Message.objects.get(kind="change").state == State.PENDING
    Appointment.objects.filter(pk=row.pk).update(start_at=row.start_at, time_version=3, time_set_at=now)
    run(now + MINUTE)
    assert len(fake.delivered) == 2, "confirmation and reminder of the time that stands"
    assert states_of(row)["change"] == (State.CANCELLED, "moved")


def test_a_move_that_stays_is_told_once(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, start_at=dt.datetime(2026, 11, 28, 13, 0, tzinfo=dt.UTC))
    run(now)
    Appointment.objects.filter(pk=row.pk).update(start_at=row.start_at + HOUR, end_at=row.end_at + HOUR, time_version=2)
    for _ in range(3):
        run(now)
    assert [message.kind for message in Message.objects.order_by("pk")] == ["confirmation", "change"]
    assert len(fake.delivered) == 2


def test_a_cancellation_is_told_and_its_undo_too(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, start_at=dt.datetime(2026, 11, 28, 13, 0, tzinfo=dt.UTC))
    run(now)
    Appointment.objects.filter(pk=row.pk).update(state="cancelled", cancelled_at=now - MINUTE)
    run(now)
    Appointment.objects.filter(pk=row.pk).update(state="booked", cancelled_at=None)
    run(now + MINUTE)
    run(now + MINUTE)
    assert [message.kind for message in Message.objects.order_by("pk")] == ["confirmation", "cancellation", "change"]
    assert len(fake.delivered) == 3


def test_undo_within_half_a_minute_takes_the_confirmation_back(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now)
    Appointment.objects.filter(pk=row.pk).update(time_set_at=now)
    run(now + dt.timedelta(seconds=10))
    assert fake.delivered == []
    Appointment.objects.filter(pk=row.pk).update(state="cancelled", cancelled_at=now, is_notice_wanted=False)
    run(now + MINUTE)
    assert fake.delivered == []
    assert {state for state, _ in states_of(row).values()} == {State.CANCELLED}


def test_an_undone_cancellation_revives_what_was_taken_back(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now)
    planner.plan(now)
    Appointment.objects.filter(pk=row.pk).update(state="cancelled", cancelled_at=now, is_notice_wanted=False)
    planner.plan(now)
    Appointment.objects.filter(pk=row.pk).update(state="booked", cancelled_at=None, is_notice_wanted=True)
    run(now + MINUTE)
    assert states_of(row) == {"confirmation": (State.ACCEPTED, ""), "reminder": (State.ACCEPTED, "")}
    assert len(fake.delivered) == 2


def test_reminders_switched_off_and_on_again_come_once(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False)
    planner.plan(now)
    off = consent.record(client_of(row), purpose="svc.reminder", channel="email", event="withdraw", source="phone", now=now)
    dispatch.deliver_due(now=now)
    consent.record(client_of(row), purpose="svc.reminder", channel="email", event="grant", source="phone", now=now + MINUTE)
    assert off.pk
    run(now + 2 * MINUTE)
    run(now + 3 * MINUTE)
    assert states_of(row) == {"reminder": (State.ACCEPTED, "")}
    assert len(fake.delivered) == 1


def test_a_switched_off_kind_goes_to_nobody(fake: FakeProvider, now: dt.datetime) -> None:
    """I-13, both ways: nothing is planned, and what was planned is not handed over."""
    row = visit(now)
    planner.plan(now)
    Trigger.objects.update(is_on=False)
    dispatch.deliver_due(now=now)
    assert set(states_of(row).values()) == {(State.SUPPRESSED, "automation_off")}
    visit(now)
    run(now)
    assert fake.delivered == []


def test_on_hold_nothing_leaves_and_nothing_is_lost(fake: FakeProvider, sending_salon: Salon, now: dt.datetime) -> None:
    row = visit(now)
    Salon.objects.update(delivery=Salon.Delivery.HOLD)
    run(now)
    assert fake.prepared == []
    assert set(states_of(row).values()) == {(State.PENDING, "")}
    Salon.objects.update(delivery=Salon.Delivery.LIVE)
    run(now)
    assert len(fake.delivered) == 2


def test_a_copied_database_sends_nothing(fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """D29: the id beside the data is another one."""
    row = visit(now)
    monkeypatch.setenv("INSTANCE_ID", "11111111-1111-1111-1111-111111111111")
    run(now)
    assert fake.prepared == []
    assert set(states_of(row).values()) == {(State.PENDING, "")}


def test_hold_that_comes_between_claim_and_hand_over_is_kept(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False)

    def hold(envelope: object) -> None:
        Salon.objects.update(delivery=Salon.Delivery.HOLD)

    fake.before_prepare = hold
    run(now)
    assert fake.delivered == []
    assert states_of(row) == {"reminder": (State.PENDING, "hold")}


def test_at_night_a_confirmation_waits_for_the_morning(fake: FakeProvider) -> None:
    night = dt.datetime(2026, 11, 24, 22, 0, tzinfo=dt.UTC)
    row = visit(night, start_at=dt.datetime(2026, 11, 28, 13, 0, tzinfo=dt.UTC))
    run(night)
    message = row.messages.get()
    assert (message.state, message.reason) == (State.PENDING, "quiet_hours")
    assert message.not_before == dt.datetime(2026, 11, 25, 6, 0, tzinfo=dt.UTC)
    run(message.not_before)
    assert len(fake.delivered) == 1


def test_a_mailbox_that_is_not_there_stops_the_address_and_nobody_else(fake: FakeProvider, now: dt.datetime) -> None:
    """D13."""
    row, other = visit(now, is_notice_wanted=False), visit(now, is_notice_wanted=False)
    fake.at_rcpt = [Result(Outcome.FAILED, "550", Phase.RCPT)]
    run(now)
    assert states_of(row) == {"reminder": (State.FAILED, "rcpt_550")}
    assert states_of(other) == {"reminder": (State.ACCEPTED, "")}
    address = Address.objects.get(hmac=consent.hash_of("email", client_of(row).email))
    assert (address.scope, address.reason) == ("delivery", "hard_bounce")


def test_a_refusal_for_now_is_tried_again_later_and_six_times_at_most(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False, start_at=dt.datetime(2026, 11, 25, 20, 0, tzinfo=dt.UTC))
    fake.at_dot = [Result(Outcome.RETRY, "451", Phase.REPLY)] * 10
    at = now
    planner.plan(at)
    waits = []
    for _ in range(8):
        dispatch.deliver_due(now=at)
        message = row.messages.get()
        waits.append(message.not_before - at)
        at = max(at, message.not_before)
    assert len(fake.delivered) == outcomes.ATTEMPTS_MAX or message.state == State.EXPIRED
    assert dt.timedelta(seconds=30) <= waits[0] <= MINUTE
    assert message.handoff_at is None or message.state == State.FAILED
    assert Attempt.objects.filter(outcome="retry").count() == len(fake.delivered)


def test_an_unknown_fate_is_never_sent_again(fake: FakeProvider, now: dt.datetime) -> None:
    """D11, with a day of injected time."""
    row = visit(now, is_notice_wanted=False, start_at=dt.datetime(2026, 11, 25, 20, 0, tzinfo=dt.UTC))
    fake.at_dot = [Result(Outcome.UNKNOWN, "timeout", Phase.DOT)]
    for hours in range(0, 30, 2):
        run(now + hours * HOUR)
    assert states_of(row) == {"reminder": (State.UNKNOWN, "dot_timeout")}
    assert len(fake.delivered) == 1


@pytest.mark.parametrize("code", ["timeout", "dropped"])
def test_a_server_that_takes_a_text_and_answers_nothing_gets_no_second_one_at_once(
    fake: FakeProvider, now: dt.datetime, code: str
) -> None:
    for _ in range(3):
        visit(now, is_notice_wanted=False)
    fake.at_dot = [Result(Outcome.UNKNOWN, code, Phase.DOT)] * 2
    at = now
    for lost in (1, 2):
        run(at)
        run(at)
        assert Message.objects.filter(state=State.UNKNOWN).count() == len(fake.delivered) == lost
        circuit = Provider.objects.get(pk="fake")
        assert (circuit.failure_count, circuit.reason) == (lost, f"dot_{code}")
        assert circuit.open_until == at + lost * MINUTE
        at = circuit.open_until
    run(at)
    assert Message.objects.filter(state=State.ACCEPTED).count() == 1
    assert Provider.objects.get(pk="fake").failure_count == 0


def test_a_dead_provider_burns_nothing_and_is_left_alone(fake: FakeProvider, now: dt.datetime) -> None:
    """D14: an hour of refused passwords, then everything leaves."""
    rows = [visit(now, is_notice_wanted=False) for _ in range(3)]
    fake.at_rcpt = [Result(Outcome.DOWN, "535", Phase.AUTH)] * 3
    at = now
    for _ in range(3):
        run(at)
        circuit = Provider.objects.get(pk="fake")
        assert circuit.open_until is not None
        run(at)  # the circuit is open: not even tried
        at = circuit.open_until
    assert len(fake.prepared) == 3
    assert circuit.open_until is not None
    assert circuit.open_until - now == MINUTE + 2 * MINUTE + 4 * MINUTE
    assert all(row.messages.get().attempt_count == 0 for row in rows)
    run(at)
    assert len(fake.delivered) == 3
    assert Provider.objects.get(pk="fake").failure_count == 0


def test_owners_and_managers_hear_once_that_no_mail_leaves_and_again_only_after_it_did(
    fake: FakeProvider, now: dt.datetime, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of one failed try, and not at each: the next trouble after a good mail is a new one."""
    monkeypatch.setattr(alarms, "MAIL", "fake")
    manager = people.user_with(Role.MANAGER)
    people.user_with(Role.RECEPTION)
    at = now
    for heard in (1, 2):
        visit(now, is_notice_wanted=False)
        fake.at_rcpt = [Result(Outcome.DOWN, "refused", Phase.CONNECT)] * 6
        rung = []
        for _ in range(6):
            run(at)
            rung.append(Notice.objects.filter(code=alarms.DOWN).count())
            at = Provider.objects.get(pk="fake").open_until or at
        assert rung == [2 * (heard - 1)] * 3 + [2 * heard] * 3
        assert set(Notice.objects.values_list("user", flat=True)) == {owner.pk, manager.pk}
        Notice.objects.update(read_at=at)
        run(at)
        assert Provider.objects.get(pk="fake").failure_count == 0


def test_a_text_that_cannot_be_made_fails_alone(fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """D26."""
    bad = visit(now, is_notice_wanted=False, service=factories.service(name=" "))
    good = visit(now, is_notice_wanted=False)
    run(now)
    assert states_of(bad) == {"reminder": (State.FAILED, "template_error")}
    assert states_of(good) == {"reminder": (State.ACCEPTED, "")}


def test_a_bug_of_ours_sets_the_row_aside_at_the_third_time(fake: FakeProvider, now: dt.datetime) -> None:
    bad = visit(now, is_notice_wanted=False)
    good = visit(now, is_notice_wanted=False)

    def fall(envelope: object) -> None:
        if getattr(envelope, "recipient", "") == client_of(bad).email:
            raise RuntimeError("poison")

    fake.before_prepare = fall
    for minutes in range(0, 10, 2):
        run(now + minutes * MINUTE)
    assert states_of(bad) == {"reminder": (State.QUARANTINED, "error")}
    assert states_of(good) == {"reminder": (State.ACCEPTED, "")}


def test_a_bug_after_the_point_of_no_return_leaves_the_fate_unknown(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False)

    def fall(envelope: object) -> None:
        raise RuntimeError("poison")

    fake.before_deliver = fall
    run(now)
    assert states_of(row) == {"reminder": (State.UNKNOWN, "dot_error")}


def test_facts_that_cannot_be_read_send_nothing(fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: fail closed, and not lost silently."""
    row = visit(now, is_notice_wanted=False)
    planner.plan(now)

    def broken(*args: object) -> None:
        raise ValueError("unreadable ledger")

    monkeypatch.setattr(facts, "_reading", broken)
    dispatch.deliver_due(now=now)
    assert fake.delivered == []
    assert len(fake.abandoned) == 1
    assert states_of(row) == {"reminder": (State.PENDING, "error")}


def test_a_decision_that_is_too_old_is_taken_back(fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """W10, D24: frozen between the decision and the first byte."""
    row = visit(now, is_notice_wanted=False)
    monkeypatch.setattr(dispatch, "DECISION_HOLDS", -1.0)
    planner.plan(now)
    dispatch.deliver_due(now=now, limit=1)
    assert fake.delivered == []
    message = row.messages.get()
    assert (message.state, message.reason, message.handoff_at) == (State.PENDING, "stale_decision", None)
    monkeypatch.undo()


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock that goes on in a sleeping machine")
def test_a_decision_ages_while_the_machine_sleeps(fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """W10: suspended for an hour between the decision and the first byte; the monotonic clock stood still."""
    row = visit(now, is_notice_wanted=False)
    gettime, slept = time.clock_gettime, [0.0]

    def sleep(place: str) -> None:
        if place == "before_send":
            slept[0] = 3600.0

    monkeypatch.setattr(time, "clock_gettime", lambda clock: gettime(clock) + slept[0] * (clock == time.CLOCK_BOOTTIME))
    monkeypatch.setattr(failpoints, "hit", sleep)
    run(now)
    assert list(Attempt.objects.order_by("pk").values_list("outcome", flat=True)) == ["taken_back", "accepted"]
    assert (row.messages.get().state, len(fake.delivered)) == (State.ACCEPTED, 1)


def test_an_address_changed_while_preparing_gets_nothing_at_the_old_one(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False)

    def change(envelope: object) -> None:
        Client.objects.filter(pk=client_of(row).pk).update(email="new@example.org")

    fake.before_prepare = change
    run(now)
    assert fake.recipients in (["new@example.org"], [])
    run(now)
    assert fake.recipients == ["new@example.org"]


def test_a_late_result_is_good_evidence_and_a_foreign_one_changes_nothing(fake: FakeProvider, now: dt.datetime) -> None:
    """W9 and D23: fencing by the token."""
    row = visit(now, is_notice_wanted=False)
    fake.at_dot = [Result(Outcome.UNKNOWN, "timeout", Phase.DOT)]
    run(now)
    message = row.messages.get()
    taken = Result(Outcome.ACCEPTED, "250", Phase.REPLY)
    stale = Message.objects.get(pk=message.pk)
    stale.lease_token = uuid.uuid4()
    assert not outcomes.settle(stale, taken, now=now)
    assert row.messages.get().state == State.UNKNOWN
    assert outcomes.settle(message, taken, now=now)
    assert row.messages.get().state == State.ACCEPTED


def test_a_worker_that_lost_its_lease_changes_nothing(fake: FakeProvider, now: dt.datetime) -> None:
    """D23: the second worker owns the row; every step of the first one fails."""
    row = visit(now, is_notice_wanted=False)
    planner.plan(now)
    [slow] = outbox.claim(now)
    Message.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert outcomes.recover(now) == {"freed": 1}
    [owner] = outbox.claim(now)
    assert owner.lease_token != slow.lease_token
    leave = gate.decide(facts.gather(slow, facts.look(slow)), now)
    assert isinstance(leave, gate.Send)
    with transaction.atomic():
        assert not outbox.handoff(slow, leave, facts={})
    assert not outbox.postpone(slow, until=now, reason="x")
    assert not outbox.release([slow])
    assert not outbox.refuse(slow, ("cancelled",), now=now)
    assert not outcomes.retry(slow, Result(Outcome.RETRY, "451", Phase.RCPT), now=now)
    assert not outcomes.settle(slow, Result(Outcome.ACCEPTED, "250", Phase.REPLY), now=now)
    assert (row.messages.get().state, row.messages.get().lease_token) == (State.CLAIMED, owner.lease_token)
    assert Attempt.objects.count() == 0


def test_a_lease_that_is_over_is_no_leave_to_send(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False)

    def over(envelope: object) -> None:
        Message.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))

    fake.before_prepare = over
    run(now)
    assert fake.delivered == []
    assert states_of(row) == {"reminder": (State.CLAIMED, "")}


def test_a_sender_that_dies_again_and_again_over_one_row_is_not_given_it_for_ever(now: dt.datetime, fake: FakeProvider) -> None:
    row = visit(now, is_notice_wanted=False)
    planner.plan(now)
    for _ in range(outbox.CLAIMS_MAX + 1):
        assert len(outbox.claim(now)) == 1
        Message.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        outcomes.recover(now)
    assert outbox.claim(now) == []
    assert states_of(row) == {"reminder": (State.QUARANTINED, "sender_died")}


def test_the_sender_leaves_its_mark(fake: FakeProvider, now: dt.datetime) -> None:
    run(now)
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"planner", "sender"}


def test_a_stopped_sender_begins_nothing_new(fake: FakeProvider, now: dt.datetime) -> None:
    """D25: the one in hand is finished, the rest is given back as if never claimed."""
    rows = [visit(now, is_notice_wanted=False) for _ in range(3)]
    fake.before_deliver = lambda envelope: dispatch.stopping.set()
    try:
        run(now)
    finally:
        dispatch.stopping.clear()
    assert len(fake.delivered) == 1
    messages = [row.messages.get() for row in rows]
    assert [message.state for message in messages] == [State.ACCEPTED, State.PENDING, State.PENDING]
    assert [message.claim_count for message in messages[1:]] == [0, 0]


def test_the_check_finds_what_ought_not_to_be(fake: FakeProvider, now: dt.datetime) -> None:
    row = visit(now, is_notice_wanted=False)
    run(now)
    assert list(invariants.faults()) == []
    [attempt] = Attempt.objects.all()
    pk = attempt.message_id
    Attempt.objects.update(decision={**attempt.decision, "is_inactive": True})
    assert list(invariants.faults()) == [f"message {pk}: handed over against its own facts"]
    Attempt.objects.all().delete()
    assert list(invariants.faults()) == [f"message {pk}: handed over without a decision"]
    assert row.pk


@pytest.mark.parametrize("where", ["gather", "lock"])
def test_a_database_that_is_busy_for_a_moment_leaves_no_message_claimed(
    fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    rows = [visit(now, is_notice_wanted=False) for _ in range(3)]

    def busy(*args: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(facts, where, busy)
        patch.setattr(dispatch, "connection", SimpleNamespace(close=lambda: None))  # the test's own transaction lives on
        run(now)
    messages = [row.messages.get() for row in rows]
    assert [(message.state, message.claim_count) for message in messages] == [(State.PENDING, 0)] * 3
    run(now)
    assert len(fake.delivered) == 3
