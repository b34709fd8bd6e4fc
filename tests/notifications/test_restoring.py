"""After a restore nobody is told twice, and nothing is silently lost: it is held for somebody to decide on."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from appointments.models import Appointment
from clients import consent, deletions
from clients.models import Client
from notifications import dispatch, outbox, outcomes, planner, restoring
from notifications.models import Message, State, Trigger
from salon.core import instance
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import workers

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
LONGER_THAN_ANY_LEASE = dt.timedelta(days=1)


def booked(now: dt.datetime, **fields: Any) -> Appointment:
    """A visit in three days that was booked before the backup."""
    return factories.appointment(**{"start_at": now + 72 * HOUR, "time_set_at": now - 5 * HOUR, **fields})


def waiting(now: dt.datetime, **fields: Any) -> Message:
    visit = booked(now, is_notice_wanted=False)
    values = {
        "kind": "reminder", "channel": "email", "client": visit.client, "appointment": visit, "occasion": uuid.uuid4().hex,
        "time_version": 1, "told_start_at": visit.start_at, "not_before": now - HOUR, "expires_at": visit.start_at,
    }  # fmt: skip
    return Message.objects.create(**{**values, **fields})


def fates() -> list[tuple[str, str, str]]:
    return list(Message.objects.order_by("pk").values_list("kind", "state", "reason"))


def deliver_for_a_day(now: dt.datetime) -> None:
    for hours in range(24):
        planner.plan(now + hours * HOUR)
        dispatch.deliver_due(now=now + hours * HOUR)


def cancel_what_has_a_row(now: dt.datetime) -> None:
    """The control: what the page on running Carnet once advised, and a sender's next round."""
    outbox.cancel(Message.objects.filter(not_before__lte=now), reason="stopped", now=now)
    workers.let_leases_end()


def settle(now: dt.datetime) -> None:
    restoring.settle(now)
    restoring.release()


@pytest.mark.parametrize(("restore", "told"), [(settle, 0), (cancel_what_has_a_row, 1)])
def test_a_visit_whose_confirmation_was_not_written_at_the_backup_is_not_confirmed_again(
    fake: FakeProvider, now: dt.datetime, restore: Callable[[dt.datetime], None], told: int
) -> None:
    booked(now)
    restore(now)
    deliver_for_a_day(now)
    assert len(fake.delivered) == told
    if not told:
        assert fates() == [("confirmation", State.HELD, "restored")]


@pytest.mark.parametrize(("restore", "told"), [(settle, 0), (cancel_what_has_a_row, 1)])
def test_a_reminder_that_was_due_in_the_lost_hours_is_not_sent_again(
    fake: FakeProvider, now: dt.datetime, restore: Callable[[dt.datetime], None], told: int
) -> None:
    """Tomorrow at three, so reminded of today at nine; restored at ten."""
    Trigger.objects.filter(kind="reminder").update(at="09:00", is_on=True)
    booked(now, start_at=now + 29 * HOUR, time_set_at=now - 72 * HOUR, is_notice_wanted=False)
    restore(now)
    deliver_for_a_day(now)
    assert len(fake.delivered) == told


@pytest.mark.parametrize(("restore", "told"), [(settle, 0), (cancel_what_has_a_row, 1)])
def test_what_a_sender_had_claimed_at_the_backup_does_not_leave_either(
    fake: FakeProvider, now: dt.datetime, restore: Callable[[dt.datetime], None], told: int
) -> None:
    held = {"lease_token": uuid.uuid4(), "lease_until": timezone.now() + LONGER_THAN_ANY_LEASE}
    waiting(now, state=State.CLAIMED, **held)
    restore(now)
    deliver_for_a_day(now)
    assert len(fake.delivered) == told


def test_a_hand_over_under_way_at_the_backup_is_of_unknown_fate_at_once(fake: FakeProvider, now: dt.datetime) -> None:
    held = {"lease_token": uuid.uuid4(), "lease_until": timezone.now() + LONGER_THAN_ANY_LEASE}
    waiting(now, state=State.HANDOFF, handoff_at=now, **held)
    restoring.settle(now)
    assert fates() == [("reminder", State.UNKNOWN, "sender_died")]


def test_advertising_ends_what_is_due_later_stays_and_what_ended_is_left_alone(fake: FakeProvider, now: dt.datetime) -> None:
    for fields in ({"kind": "birthday"}, {"not_before": now + HOUR}, {"state": State.ACCEPTED}, {"state": State.FAILED}):
        waiting(now, created_at=now - HOUR, **fields)
    assert outcomes.hold_back(now, reason=restoring.REASON) == {"held": 0, "expired": 1}
    assert [(state, reason) for _kind, state, reason in fates()] == [
        (State.EXPIRED, "restored"), (State.PENDING, ""), (State.ACCEPTED, ""), (State.FAILED, ""),
    ]  # fmt: skip


def test_what_is_written_at_night_and_waits_for_the_morning_is_held_too(fake: FakeProvider, now: dt.datetime) -> None:
    """It left in the afternoon, after the backup; restored at ten in the evening its quiet hours have begun."""
    Trigger.objects.update_or_create(
        pk="review", defaults={"is_on": True, "target": "https://r.example", "switched_on_at": now - 99 * HOUR}
    )
    visit = booked(now, start_at=now - 30 * HOUR, state="done", is_notice_wanted=False)
    assert visit.client is not None
    for channel in ("email", "sms"):
        consent.record(
            visit.client, purpose="mkt.review", channel=channel, event="grant", source="in_person", now=now - 99 * HOUR
        )
    restoring.settle(now + 12 * HOUR)
    (message,) = Message.objects.all()
    assert message.not_before > now + 12 * HOUR
    assert (message.kind, message.state, message.reason) == ("review", State.EXPIRED, "restored")


def test_what_is_booked_after_the_restore_is_told(fake: FakeProvider, now: dt.datetime) -> None:
    booked(now)
    settle(now)
    later = now + HOUR
    booked(now, time_set_at=later)
    planner.plan(later + HOUR)
    dispatch.deliver_due(now=later + HOUR)
    assert len(fake.delivered) == 1


def test_nothing_leaves_until_it_is_released_even_where_the_host_was_the_one_that_sends(
    fake: FakeProvider, now: dt.datetime, salon: Salon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instance.is_ours(salon)
    call_command("after_restore")
    assert "Held for review: 0" in capsys.readouterr().out
    waiting(now)
    dispatch.deliver_due(now=now)
    assert fake.delivered == []
    call_command("after_restore", "--release")
    dispatch.deliver_due(now=now)
    assert len(fake.delivered) == 1
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == ["salon.restored", "salon.released"]


def test_an_id_in_the_environment_is_named_when_it_is_the_wrong_one(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE_ID", str(salon.instance))
    call_command("after_restore")
    with pytest.raises(CommandError, match=str(Salon.objects.current().instance)):
        call_command("after_restore", "--release")


def test_who_was_brought_back_since_the_backup_is_not_erased_at_once(salon: Salon, owner: User) -> None:
    long_ago = timezone.now() - dt.timedelta(days=31)
    tidied, asked = factories.client(), factories.client()
    for client in (tidied, asked):
        deletions.delete(client, is_asked=client == asked, is_notice_wanted=False, by=owner, now=long_ago, known_by="in_person")
    call_command("after_restore")
    assert deletions.work(timezone.now()) == 1
    assert list(Client.objects.filter(erased_at=None)) == [tidied]
    assert deletions.work(timezone.now() + dt.timedelta(days=8)) == 1


def test_without_a_salon_the_command_says_so(db: None) -> None:
    for words in ([], ["--release"]):
        with pytest.raises(CommandError, match="no salon"):
            call_command("after_restore", *words)


# --- the review ---------------------------------------------------------------------------------------------------


@pytest.fixture
def held(fake: FakeProvider, now: dt.datetime) -> Message:
    return waiting(now, state=State.HELD, reason="restored")


def test_a_manager_lets_a_held_message_go_and_the_gate_still_decides(
    held: Message, fake: FakeProvider, now: dt.datetime, signed_in: Callable[[Role], Browser]
) -> None:
    page = signed_in(Role.MANAGER).get("/messages/").content.decode()
    assert "it may have been sent already" in page
    assert f'action="/messages/{held.pk}/send/"' in page
    signed_in(Role.MANAGER).post(f"/messages/{held.pk}/send/")
    dispatch.deliver_due(now=now)
    held.refresh_from_db()
    assert (held.state, len(fake.delivered)) == (State.ACCEPTED, 1)
    answer = signed_in(Role.MANAGER).post(f"/messages/{held.pk}/send/", follow=True)
    assert "on its way already, or has ended" in answer.content.decode()
    assert AuditEvent.objects.filter(action="message.let_go").count() == 1


def test_reception_stops_a_held_message_for_good_and_sends_none(held: Message, signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.RECEPTION)
    assert f"/messages/{held.pk}/send/" not in browser.get("/messages/").content.decode()
    assert browser.post(f"/messages/{held.pk}/send/").status_code == 403
    page = browser.post(f"/messages/{held.pk}/stop/", follow=True).content.decode()
    assert "/resume/" not in page
    browser.post(f"/messages/{held.pk}/resume/")
    held.refresh_from_db()
    assert (held.state, held.reason) == (State.CANCELLED, "stopped_held")
