"""The rows themselves: steps that are kept by the database too, sending again, stopping, retrying."""

import datetime as dt
import re
import uuid
from collections import Counter
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from clients.models import Client
from notifications import dispatch, outbox, outcomes, planner, resending
from notifications.models import Message, State
from notifications.providers.base import Outcome, Phase, Result
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def message(now: dt.datetime, **fields: Any) -> Message:
    visit = fields.pop("appointment", None) or factories.appointment(start_at=now + 30 * HOUR, time_set_at=now - HOUR)
    values = {
        "kind": "reminder", "channel": "email", "client": visit.client, "appointment": visit,
        "occasion": uuid.uuid4().hex, "time_version": 1, "told_start_at": visit.start_at, "not_before": now,
        "expires_at": visit.start_at, **fields,
    }  # fmt: skip
    return Message.objects.create(**values)


@pytest.mark.parametrize("before", State.values)
def test_the_database_allows_the_steps_of_the_table_and_no_other(salon: Salon, now: dt.datetime, before: str) -> None:
    row = message(now)
    for after in State.values:
        if after == before:
            continue
        Message.objects.filter(pk=row.pk).delete()
        row = message(now, appointment=row.appointment, client=row.client, state=before)
        allowed = outbox.TABLE.may(before, after)
        try:
            with transaction.atomic():
                Message.objects.filter(pk=row.pk).update(state=after)
        except DatabaseError:
            assert not allowed, f"{before} to {after} was refused"
        else:
            assert allowed, f"{before} to {after} went through"


@pytest.mark.parametrize("before", State.values)
def test_a_late_proof_notes_the_hand_over_with_its_step(salon: Salon, now: dt.datetime, before: str) -> None:
    for handoff_at in (None, now):
        row = message(now, state=before, handoff_at=handoff_at)
        is_late = before in outbox.LATE and handoff_at is None
        try:
            with transaction.atomic():
                Message.objects.filter(pk=row.pk).update(state=State.ACCEPTED, handoff_at=now)
        except DatabaseError:
            assert not is_late, before
        else:
            assert is_late or outbox.TABLE.may(before, State.ACCEPTED) or before == State.ACCEPTED, before


@pytest.mark.parametrize("state", [State.CANCELLED, State.SUPPRESSED])
def test_the_database_revives_nothing_that_a_provider_may_have(salon: Salon, now: dt.datetime, state: str) -> None:
    row = message(now, state=state, handoff_at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.filter(pk=row.pk).update(state=State.PENDING)


def test_a_thing_is_said_once(salon: Salon, now: dt.datetime) -> None:
    row = message(now, occasion="1:1")
    with pytest.raises(DatabaseError), transaction.atomic():
        message(now, occasion="1:1", client=row.client, appointment=row.appointment)


def test_nobody_else_writes_messages() -> None:
    """`outbox`, its other parts and, where two cards become one, `joining` are the only writers.

    The demo fills an empty installation.
    """
    from pathlib import Path

    root = Path(outbox.__file__).resolve().parent
    pattern = re.compile(
        r"(Message|Attempt)\.objects[^\n]*\.(create|update|delete|bulk_create|get_or_create)\(|attempts\b[^\n]*\.update\("
        r"|writing\.(Update|InsertIf)\("
    )
    found = {
        path.name
        for path in root.rglob("*.py")
        if pattern.search(path.read_text(encoding="utf-8")) and "demo" not in path.parts and "migrations" not in path.parts
    }
    assert found == {"outbox.py", "outcomes.py", "proofs.py", "resending.py", "joining.py"}


def test_a_batch_is_twenty_at_most_and_belongs_to_one(salon: Salon, now: dt.datetime) -> None:
    visit = factories.appointment(start_at=now + 30 * HOUR)
    for _ in range(25):
        message(now, appointment=visit, client=visit.client)
    first, second = outbox.claim(now, 99), outbox.claim(now, 99)
    assert (len(first), len(second), outbox.claim(now)) == (20, 5, [])
    assert not {row.pk for row in first} & {row.pk for row in second}
    assert {row.lease_token for row in first} != {row.lease_token for row in second}
    assert outbox.release(second) == 5
    assert {row.pk for row in outbox.claim(now)} == {row.pk for row in second}


def test_what_senders_died_over_is_taken_alone_and_one_at_a_time(salon: Salon, now: dt.datetime) -> None:
    visit = factories.appointment(start_at=now + 30 * HOUR)
    waits = now - HOUR
    first, second = (message(now, appointment=visit, not_before=waits, claim_count=outbox.SUSPECT_FROM).pk for _ in range(2))
    fresh = [message(now, appointment=visit, claim_count=one % outbox.SUSPECT_FROM).pk for one in range(3)]
    assert [row.pk for row in outbox.claim(now)] == [first]
    assert [row.pk for row in outbox.claim(now)] == fresh, "not the second while the first is in hand; the others go on"
    assert outbox.claim(now) == []
    Message.objects.filter(pk=first).update(state=State.HANDOFF)
    assert [row.pk for row in outbox.claim(now)] == [second]


def test_waiting_grows_fourfold_up_to_six_hours() -> None:
    for count, longest in enumerate([60, 240, 960, 3840, 15360, 21600, 21600]):
        waits = [outcomes.backoff(count).total_seconds() for _ in range(200)]
        assert longest / 2 <= min(waits)
        assert max(waits) <= longest
        assert len(set(waits)) > 100, "spread, so that a crowd does not come back at once"


def test_after_six_tries_it_is_over(salon: Salon, now: dt.datetime) -> None:
    row = message(now, state=State.CLAIMED, lease_token=uuid.uuid4(), attempt_count=5)
    assert outcomes.retry(row, Result(Outcome.RETRY, "451", Phase.RCPT), now=now)
    assert Message.objects.get(pk=row.pk).state == State.FAILED


def test_a_try_that_would_come_too_late_is_not_made(salon: Salon, now: dt.datetime) -> None:
    row = message(now, state=State.CLAIMED, lease_token=uuid.uuid4(), expires_at=now + dt.timedelta(seconds=20))
    assert outcomes.retry(row, Result(Outcome.RETRY, "451", Phase.RCPT), now=now)
    assert Message.objects.get(pk=row.pk).state == State.EXPIRED


def test_what_is_too_late_expires_and_is_not_claimed(salon: Salon, now: dt.datetime) -> None:
    row = message(now, expires_at=now)
    assert outbox.claim(now) == []
    assert outcomes.recover(now) == {"expired": 1}
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.EXPIRED, "expired")


# --- sending again ------------------------------------------------------------------------------------------------


def test_a_message_of_unknown_fate_is_sent_again_by_hand_with_a_reason(fake: FakeProvider, now: dt.datetime, owner: User) -> None:
    row = message(now)
    fake.at_dot = [Result(Outcome.UNKNOWN, "timeout", Phase.DOT)]
    dispatch.deliver_due(now=now)
    row.refresh_from_db()
    with pytest.raises(Refused):
        resending.resend(row, by=owner, reason="", now=now)
    again = resending.resend(row, by=owner, reason="not_arrived", now=now)
    with pytest.raises(Refused):
        resending.resend(row, by=owner, reason="not_arrived", now=now)
    now += dt.timedelta(minutes=2)  # the line rests after a lost answer
    planner.plan(now)
    dispatch.deliver_due(now=now)
    again.refresh_from_db()
    row.refresh_from_db()
    assert (again.state, again.resend_of_id, row.state) == (State.ACCEPTED, row.pk, State.CLOSED_UNKNOWN)
    assert len(fake.delivered) == 2
    event = AuditEvent.objects.get(action="message.resend")
    assert (event.by, event.facts["reason"], event.facts["of"]) == (owner, "not_arrived", row.pk)


def test_what_stays_unknown_is_closed_once_it_is_too_late_and_a_manager_had_a_day(
    fake: FakeProvider, now: dt.datetime, owner: User
) -> None:
    row = message(now, expires_at=now + dt.timedelta(hours=30))
    fake.at_dot = [Result(Outcome.UNKNOWN, "timeout", Phase.DOT)]
    dispatch.deliver_due(now=now)
    stages: list[tuple[float, dict[str, int]]] = [(24, {}), (29.9, {}), (30, {"closed": 1}), (31, {})]
    for hours, counts in stages:
        assert outcomes.recover(now + dt.timedelta(hours=hours)) == counts
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.CLOSED_UNKNOWN, "dot_timeout")
    line = AuditEvent.objects.get(action="message.closed_unknown")
    assert (line.subject_id, line.by, line.facts) == (row.pk, None, {"kind": row.kind})
    with pytest.raises(Refused):
        resending.resend(row, by=owner, reason="asked", now=now + dt.timedelta(hours=32))
    assert len(fake.delivered) == 1
    assert not outcomes.settle(row, Result(Outcome.ACCEPTED, "250", Phase.REPLY), now=now), "nothing comes of a late answer"


def test_what_became_unknown_near_its_end_is_shown_for_a_whole_day(fake: FakeProvider, now: dt.datetime) -> None:
    message(now, expires_at=now + dt.timedelta(minutes=5))
    fake.at_dot = [Result(Outcome.UNKNOWN, "timeout", Phase.DOT)]
    dispatch.deliver_due(now=now)
    assert outcomes.recover(now + dt.timedelta(hours=23.9)) == {}
    assert outcomes.recover(now + dt.timedelta(hours=24.1)) == {"closed": 1}


def test_it_may_be_sent_again_many_times_but_never_two_at_once(salon: Salon, now: dt.datetime, owner: User) -> None:
    first = row = message(now, state=State.FAILED, occasion="1" * 70)
    for number in range(1, 8):
        row = resending.resend(row, by=owner, reason="important", now=now)
        assert row.occasion == "1" * 70 + f":again{number}"
        with pytest.raises(Refused):
            resending.resend(first, by=owner, reason="important", now=now)
        for state in (State.CLAIMED, State.FAILED):
            Message.objects.filter(pk=row.pk).update(state=state)


def _refused_at_the_old_address(fake: FakeProvider, now: dt.datetime) -> Message:
    """Return a reminder that the mail server would not have for the address on the card, which is another one now."""
    start_at = now + 30 * HOUR
    row = message(now, appointment=factories.appointment(start_at=start_at, time_set_at=now - HOUR, is_notice_wanted=False))
    Message.objects.filter(pk=row.pk).update(occasion=f"{row.appointment_id}:1:1")
    fake.at_rcpt = [Result(Outcome.FAILED, "550", Phase.RCPT, status="5.1.1")]
    dispatch.deliver_due(now=now)
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.FAILED, "rcpt_550")
    Client.objects.filter(pk=client_of(row).pk).update(email="right@example.org")
    return row


@pytest.mark.parametrize("is_delivered", [True, False])
def test_what_the_stand_in_told_or_is_about_to_tell_is_not_sent_again(
    fake: FakeProvider, now: dt.datetime, owner: User, is_delivered: bool
) -> None:
    row = _refused_at_the_old_address(fake, now)
    planner.plan(now)
    stand_in = Message.objects.get(occasion__endswith=f":to{row.pk}")
    if is_delivered:
        dispatch.deliver_due(now=now)
    stand_in.refresh_from_db()
    assert stand_in.state == (State.ACCEPTED if is_delivered else State.PENDING)
    with pytest.raises(Refused, match="told already" if is_delivered else "cannot be sent again"):
        resending.resend(row, by=owner, reason="important", now=now)
    dispatch.deliver_due(now=now)
    assert fake.recipients == ["right@example.org"]


def test_what_the_stand_in_could_not_tell_either_may_be_sent_again(fake: FakeProvider, now: dt.datetime, owner: User) -> None:
    row = _refused_at_the_old_address(fake, now)
    planner.plan(now)
    Message.objects.filter(occasion__endswith=f":to{row.pk}").update(state=State.CANCELLED)
    assert resending.resend(row, by=owner, reason="important", now=now).resend_of_id == row.pk


def test_what_a_changed_rule_said_in_its_place_is_not_sent_again(salon: Salon, now: dt.datetime, owner: User) -> None:
    """The salon reminded one day before, then two: another occasion, the same thing said."""
    row = message(now, state=State.FAILED)
    same = {"appointment": row.appointment, "client": row.client, "created_at": now}
    message(now, state=State.ACCEPTED, handoff_at=timezone.now(), **same)
    with pytest.raises(Refused, match="told already"):
        resending.resend(row, by=owner, reason="important", now=now)


def test_earlier_news_of_the_same_start_does_not_stand_against_sending_again(salon: Salon, now: dt.datetime, owner: User) -> None:
    """Cancelled and told, taken up again, cancelled again: the second cancellation is news."""
    first = message(now, kind="cancellation", state=State.ACCEPTED, handoff_at=now - HOUR, created_at=now - HOUR)
    same = {"appointment": first.appointment, "client": first.client}
    second = message(now, kind="cancellation", state=State.FAILED, created_at=now, **same)
    assert resending.resend(second, by=owner, reason="important", now=now)


def test_sent_again_is_still_asked_of_the_gate(fake: FakeProvider, now: dt.datetime, owner: User) -> None:
    row = message(now, state=State.UNKNOWN, handoff_at=now)
    again = resending.resend(row, by=owner, reason="not_arrived", now=now)
    Client.objects.filter(pk=client_of(row).pk).update(inactive_at=now)
    dispatch.deliver_due(now=now)
    again.refresh_from_db()
    assert (again.state, again.reason) == (State.SUPPRESSED, "inactive")
    assert fake.delivered == []


@pytest.mark.parametrize("state", [State.PENDING, State.HANDOFF, State.ACCEPTED, State.DELIVERED, State.CANCELLED])
def test_nothing_else_is_sent_again(salon: Salon, now: dt.datetime, owner: User, state: str) -> None:
    with pytest.raises(Refused):
        resending.resend(message(now, state=state), by=owner, reason="not_arrived", now=now)


def test_what_is_too_late_is_not_sent_again(salon: Salon, now: dt.datetime, owner: User) -> None:
    with pytest.raises(Refused):
        resending.resend(message(now, state=State.UNKNOWN, expires_at=now), by=owner, reason="not_arrived", now=now)


def test_a_waiting_message_is_stopped_by_hand_and_one_on_its_way_is_not(salon: Salon, now: dt.datetime, owner: User) -> None:
    waiting = outbox.stop(message(now), by=owner, now=now)
    assert (waiting.state, waiting.reason) == (State.CANCELLED, "stopped")
    assert AuditEvent.objects.get(action="message.stop").subject_id == waiting.pk
    with pytest.raises(Refused):
        outbox.stop(message(now, state=State.HANDOFF), by=owner, now=now)
    assert audit


def test_the_commands_plan_and_deliver(fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("plan")
    call_command("deliver", "--once")
    assert capsys.readouterr().out == "Nothing new.\nNothing due.\n"


def test_the_loop_outlives_a_plan_for_somebody_who_was_just_removed(
    fake: FakeProvider, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[dt.datetime] = []

    def plan(now: dt.datetime) -> Counter[str]:
        plans.append(now)
        if len(plans) == 1:
            raise IntegrityError("violates foreign key constraint")
        dispatch.stopping.set()
        return Counter()

    monkeypatch.setattr(planner, "plan", plan)
    monkeypatch.setattr("notifications.management.commands.deliver.close_old_connections", lambda: None)  # ours is the test's
    call_command("deliver", "--loop", "--every", "0.01")
    assert len(plans) == 2
    assert "trying again" in capsys.readouterr().err


def test_our_own_stumbles_are_not_counted_with_senders_that_died(salon: Salon, now: dt.datetime) -> None:
    row = message(now, claim_count=3)  # three senders died over it
    for number in range(1, outcomes.STUMBLES_MAX + 1):
        [row] = outbox.claim(now)
        assert row.claim_count == 4
        assert outcomes.stumble(row, now=now)
        assert row.state == (State.QUARANTINED if number == outcomes.STUMBLES_MAX else State.PENDING)
        Message.objects.filter(pk=row.pk).update(not_before=now)
