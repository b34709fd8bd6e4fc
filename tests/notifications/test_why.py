"""Why somebody gets a message or not, in words."""

import datetime as dt

import pytest
from django.core.management import call_command

from appointments.models import Appointment
from clients import answers, consent
from clients.models import Client
from notifications import dispatch, outbox, planner, precedence, reasons, why
from notifications.models import Message, State, Trigger
from salon.core.models import Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def answer(row: Appointment, now: dt.datetime, kind: str = "reminder") -> why.Answer:
    assert row.client is not None
    return next(one for one in why.answers(row.client, now) if one.kind == kind)


@pytest.fixture
def visit(sending_salon: Salon, now: dt.datetime) -> Appointment:
    return factories.appointment(start_at=dt.datetime(2026, 11, 27, 13, 30, tzinfo=dt.UTC), time_set_at=now - HOUR)


def test_every_reason_of_the_gate_has_a_sentence() -> None:
    assert {reason for reason in (*precedence.PRECEDENCE, *planner.REVIVABLE) if not reasons.SENTENCES.get(reason)} == set()


def test_it_says_when_the_reminder_leaves(visit: Appointment, now: dt.datetime) -> None:
    assert answer(visit, now).sentence == "A reminder goes out on Thu 26 Nov at 10:00."
    assert answer(visit, now).is_yes


def test_it_says_since_when_and_by_whom_reminders_are_off(visit: Appointment, now: dt.datetime, reception: User) -> None:
    consent.record(
        client_of(visit),
        purpose="svc.reminder",
        channel="email",
        event="withdraw",
        source="in_person",
        by=reception,
        now=now - HOUR,
    )
    said = answer(visit, now)
    assert said.sentence == "No reminder. Switched off since 24 Nov 2026 (In the salon, by Sofia Klein)."
    assert said.reasons == ("client_refused",)
    assert (said.since, said.how, said.by) == (now - HOUR, "In the salon", "Sofia Klein")
    assert answer(visit, now, "confirmation").is_yes


def test_it_names_every_reason(visit: Appointment, now: dt.datetime, capsys: pytest.CaptureFixture[str]) -> None:
    Client.objects.update(email="", inactive_at=now)
    Trigger.objects.filter(kind="reminder").update(is_on=False)
    assert answer(visit, now).reasons == ("inactive", "no_address", "automation_off")
    call_command("why", str(visit.client_id))
    out = capsys.readouterr().out
    assert "The client is not active." in out
    assert "No e-mail address on the card." in out
    assert out.count("\n") > len(why.answers(client_of(visit), now))


def test_without_a_visit_it_speaks_of_the_client(sending_salon: Salon, now: dt.datetime) -> None:
    said = why.answers(factories.client(), now)
    assert {one.kind for one in said if not one.is_yes} == {
        "promotion",
        "birthday",
        "welcome",
        "rebook",
        "review",
    }  # nobody asked about offers yet
    assert not any(one.is_yes for one in why.answers(factories.client(inactive_at=now), now))


def test_it_agrees_with_what_then_happens(visit: Appointment, now: dt.datetime, fake: FakeProvider, owner: User) -> None:
    at = dt.datetime(2026, 11, 26, 9, 0, tzinfo=dt.UTC)
    planner.plan(at)
    outbox.stop(Message.objects.get(kind="reminder"), by=owner, now=at)
    planner.plan(at)
    dispatch.deliver_due(now=at)
    assert answer(visit, at).reasons == ("stopped",)
    assert Message.objects.get(kind="reminder").reason == "stopped"


def test_a_visit_booked_too_late_for_a_reminder_says_so(sending_salon: Salon, now: dt.datetime) -> None:
    row = factories.appointment(start_at=now + 3 * HOUR, time_set_at=now)
    assert answer(row, now).reasons == ("too_late",)
    planner.plan(now + HOUR)
    assert not Message.objects.filter(kind="reminder").exists()


def told(row: Appointment, now: dt.datetime, kind: str, state: State = State.ACCEPTED, **fields: str) -> None:
    Message.objects.create(
        kind=kind, channel="email", occasion=f"{row.pk}:{row.time_version}:1", client=row.client, appointment=row, state=state,
        time_version=row.time_version, told_start_at=row.start_at, not_before=now, handoff_at=now, expires_at=row.start_at,
        **fields,
    )  # fmt: skip


def test_what_was_sent_is_shown_as_sent_and_what_may_still_come_in_general(visit: Appointment, now: dt.datetime) -> None:
    told(visit, now - 24 * HOUR, "confirmation", provider="smtp")
    assert answer(visit, now, "confirmation").sentence == "Confirmation sent (Mon 23 Nov, 10:00)."
    assert answer(visit, now, "confirmation").icon == "check"
    assert answer(visit, now, "change").sentence == "A message goes out when a visit is moved."
    assert answer(visit, now, "cancellation").sentence == "A message goes out when a visit is cancelled."
    assert all(answer(visit, now, kind).is_yes for kind in ("change", "cancellation", "reminder"))
    told(visit, now - HOUR, "reminder", provider="smtp")
    assert answer(visit, now).sentence == "Reminder sent (today, 09:00)."
    assert answer(visit, now, "confirmation").sentence == "Confirmation sent (Mon 23 Nov, 10:00)."


@pytest.mark.parametrize(
    ("state", "provider", "says", "icon"),
    [
        (State.ACCEPTED, "console", "Confirmation: Written to the log (today, 10:00).", "note"),
        (State.UNKNOWN, "smtp", "Confirmation: Fate unknown (today, 10:00).", "help-circle"),
        (State.BOUNCED, "smtp", "Confirmation: Bounced (today, 10:00).", "alert-triangle"),
    ],
)
def test_what_did_not_surely_arrive_is_not_called_sent(
    visit: Appointment, now: dt.datetime, state: State, provider: str, says: str, icon: str
) -> None:
    told(visit, now, "confirmation", state, provider=provider)
    said = answer(visit, now, "confirmation")
    assert (said.sentence, said.icon) == (says, icon)


def test_switched_off_looks_different_from_already_sent(visit: Appointment, now: dt.datetime, reception: User) -> None:
    told(visit, now - HOUR, "reminder", provider="smtp")
    answers.set_reminders(client_of(visit), False, by=reception, now=now - HOUR)
    said = answer(visit, now)
    assert said.sentence == "No reminder. Switched off since 24 Nov 2026 (by Sofia Klein)."
    assert (said.icon, said.told) == ("ban", None)
    Trigger.objects.filter(kind="change").update(is_on=False)
    assert answer(visit, now, "change").sentence == "No message about a change. Switched off in the salon."
