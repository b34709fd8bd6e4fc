"""An address that a server does not know, and what becomes of the messages once it is corrected or tried again."""

import datetime as dt
import zoneinfo
from collections.abc import Callable
from typing import Any

import pytest

from appointments.models import Appointment
from clients import addresses, records
from clients.models import Address
from notifications import dispatch, planner, why
from notifications.models import Message, State
from notifications.plans import ReminderTime
from notifications.providers.base import Outcome, Phase, Result
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db

SignIn = Callable[[Role], Any]
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NO_SUCH_USER = Result(Outcome.FAILED, "550", Phase.RCPT, status="5.1.1")


def at(hour: int, minute: int = 0, day: int = 24) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


@pytest.fixture
def visit(salon: Salon) -> Appointment:
    start_at = at(14, day=25)
    return factories.appointment(
        client=factories.client(email="wrong@example.org"),
        start_at=start_at,
        is_notice_wanted=False,
        time_set_at=start_at - dt.timedelta(days=9),
    )


def run(now: dt.datetime) -> None:
    planner.plan(now)
    dispatch.deliver_due(now=now)


def correct(visit: Appointment, owner: User, email: str = "right@example.org") -> None:
    client = client_of(visit)
    client.refresh_from_db()
    records.edit(client, by=owner, version=client.version, email=email)
    client.refresh_from_db()


def states_of(visit: Appointment) -> list[Any]:
    return [State(state) for state in visit.messages.order_by("pk").values_list("state", flat=True)]


def shut(scope: str, reason: str) -> None:
    addresses.stop("email", "wrong@example.org", scope=scope, reason=reason, now=at(9))


@pytest.mark.parametrize(("scope", "reason"), [("delivery", "hard_bounce"), ("all", "stop"), ("all", "manual")])
def test_a_corrected_address_brings_the_message_back(
    fake: FakeProvider, visit: Appointment, owner: User, scope: str, reason: str
) -> None:
    shut(scope, reason)
    run(at(12))
    run(at(12, 1))
    assert states_of(visit) == [State.SUPPRESSED]

    correct(visit, owner)
    run(at(12, 2))
    assert (states_of(visit), fake.recipients) == ([State.ACCEPTED], ["right@example.org"])
    run(at(12, 3))
    assert len(fake.delivered) == 1


def test_a_corrected_address_brings_back_what_the_server_refused(fake: FakeProvider, visit: Appointment, owner: User) -> None:
    fake.at_rcpt = [NO_SUCH_USER]
    run(at(12))
    run(at(12, 1))
    assert states_of(visit) == [State.FAILED]

    correct(visit, owner)
    answers = {answer.kind: answer for answer in why.answers(client_of(visit), at(12, 2))}
    assert answers["reminder"].is_yes, "the page says what the planner will do"
    for minute in range(2, 6):
        run(at(12, minute))
    assert (states_of(visit), fake.recipients) == ([State.FAILED, State.ACCEPTED], ["right@example.org"])


def test_it_may_be_corrected_twice(fake: FakeProvider, visit: Appointment, owner: User) -> None:
    fake.at_rcpt = [NO_SUCH_USER, NO_SUCH_USER]
    run(at(12))
    for minute, email in enumerate(["wrong2@example.org", "right@example.org"], 1):
        correct(visit, owner, email)
        run(at(12, minute))
        run(at(12, minute, 24))
    assert states_of(visit) == [State.FAILED, State.FAILED, State.ACCEPTED]
    assert fake.recipients == ["right@example.org"]


def test_what_was_refused_for_another_reason_waits_for_another_address(
    fake: FakeProvider, visit: Appointment, owner: User
) -> None:
    """Control: an address that was never stopped is not "open again"."""
    fake.at_rcpt = [Result(Outcome.FAILED, "550", Phase.RCPT, status="5.5.0")]
    for minute in range(4):
        run(at(12, minute))
    assert states_of(visit) == [State.FAILED]
    correct(visit, owner)
    run(at(12, 5))
    assert states_of(visit) == [State.FAILED, State.ACCEPTED]


def test_what_was_said_by_hand_meanwhile_is_not_said_twice(fake: FakeProvider, visit: Appointment, owner: User) -> None:
    fake.at_rcpt = [NO_SUCH_USER]
    run(at(12))
    failed = visit.messages.get()
    Message.objects.create(
        kind="reminder", channel="email", client=visit.client, appointment=visit, occasion="by hand",
        time_version=visit.time_version, told_start_at=visit.start_at, state=State.ACCEPTED, handoff_at=at(12),
        not_before=at(12), expires_at=visit.start_at, resend_of=failed,
    )  # fmt: skip
    correct(visit, owner)
    run(at(12, 2))
    assert fake.delivered == []


def test_what_a_person_stopped_stays_stopped_when_the_trigger_changes(salon: Salon, visit: Appointment) -> None:
    planner.plan(at(12))
    Message.objects.update(state=State.CANCELLED, reason="stopped")
    ReminderTime.objects.update(days_before=2)
    planner.plan(at(12, 1))
    Appointment.objects.filter(pk=visit.pk).update(time_version=2)  # somebody else takes it, at the same time
    planner.plan(at(12, 2))
    assert states_of(visit) == [State.CANCELLED]

    start_at = at(16, day=25)
    Appointment.objects.filter(pk=visit.pk).update(time_version=3, start_at=start_at, end_at=start_at + dt.timedelta(hours=1))
    planner.plan(at(12, 3))
    assert states_of(visit) == [State.CANCELLED, State.PENDING], "another time is another thing to say"


def test_the_desk_lets_an_address_be_tried_again_and_the_message_leaves(
    fake: FakeProvider, visit: Appointment, signed_in: SignIn
) -> None:
    fake.at_rcpt = [NO_SUCH_USER]
    run(at(12))
    browser, client = signed_in(Role.RECEPTION), client_of(visit)
    page = f"/clients/{client.pk}/messages/"
    assert "Try this address again" in browser.get(page).content.decode()

    answer = browser.post(f"{page}address/")

    assert (answer.status_code, answer["Location"]) == (303, page)
    assert not Address.objects.exclude(scope="").exists()
    event = AuditEvent.objects.get(action="address.tried_again")
    assert (event.subject_id, event.facts) == (client.pk, {"channel": "email"})
    assert "Try this address again" not in browser.get(page).content.decode()
    run(at(12, 2))
    assert fake.recipients == ["wrong@example.org"]


def test_a_stop_of_the_client_is_not_lifted_by_trying_the_address_again(salon: Salon, visit: Appointment, owner: User) -> None:
    client = client_of(visit)
    shut("all", "stop")
    with pytest.raises(Refused):
        addresses.try_again(client, "email", by=owner)
    Address.objects.all().delete()
    shut("marketing", "object")
    shut("delivery", "hard_bounce")
    addresses.try_again(client, "email", by=owner)
    assert Address.objects.get().scope == "marketing"


def test_an_objection_after_a_bounce_does_not_shut_the_address_for_ever(salon: Salon, visit: Appointment, owner: User) -> None:
    client = client_of(visit)
    shut("delivery", "hard_bounce")
    shut("marketing", "object")
    assert addresses.is_undeliverable("email", client.email)
    addresses.try_again(client, "email", by=owner)
    assert Address.objects.get().scope == "marketing"


def test_a_stop_of_everything_after_a_bounce_is_the_holders_own(salon: Salon, visit: Appointment, owner: User) -> None:
    shut("delivery", "hard_bounce")
    shut("marketing", "object")
    shut("all", "stop")
    with pytest.raises(Refused):
        addresses.try_again(client_of(visit), "email", by=owner)


def test_a_yes_by_its_link_leaves_of_a_dead_address_only_that_it_is_dead(visit: Appointment) -> None:
    shut("delivery", "hard_bounce")
    shut("marketing", "object")
    addresses.lift_marketing("email", Address.objects.get().hmac)
    assert (Address.objects.get().scope, Address.objects.get().reason) == ("delivery", "hard_bounce")


def test_a_stylist_is_not_offered_to_try_an_address_again(fake: FakeProvider, visit: Appointment, signed_in: SignIn) -> None:
    shut("delivery", "hard_bounce")
    page = signed_in(Role.STYLIST).get(f"/clients/{client_of(visit).pk}/messages/").content.decode()
    assert "Try this address again" not in page
