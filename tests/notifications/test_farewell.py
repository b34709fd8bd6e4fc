"""What becomes of messages when a card becomes inactive: what has to be said is said before, the rest is taken back."""

import datetime as dt

import pytest

from appointments.models import Appointment, State
from clients import inactivity, reversal
from clients.models import CardRun, Client
from notifications import dispatch, planner
from notifications.models import Message
from salon.core.models import User
from tests import factories
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def karim(now: dt.datetime) -> Client:
    """Karim, who has a visit in nine days."""
    client = factories.client(first_name="Karim")
    at = now + dt.timedelta(days=9)
    factories.appointment(client=client, start_at=at, end_at=at + 30 * MINUTE, time_set_at=now - MINUTE)
    return client


def is_inactive(client: Client) -> bool:
    return Client.objects.filter(pk=client.pk, inactive_at__isnull=False).exists()


def leave(client: Client, by: User, now: dt.datetime, visits: inactivity.Bookings) -> CardRun:
    return inactivity.make_many_inactive([client.pk], reason="moved_away", visits=visits, by=by, now=now)


def test_a_client_is_told_that_the_visit_is_cancelled_before_the_card_becomes_inactive(
    karim: Client, reception: User, fake: FakeProvider, now: dt.datetime
) -> None:
    run = leave(karim, reception, now, "cancel")
    assert Appointment.objects.get().state == State.CANCELLED
    assert inactivity.settle(now + 5 * MINUTE) == 0, "no planner has run: nobody knows what waits"
    planner.plan(now + MINUTE)
    dispatch.deliver_due(now=now)
    assert fake.recipients == [], "the half minute for Undo is not over"
    assert inactivity.settle(now + 2 * MINUTE) == 0
    dispatch.deliver_due(now=now + 2 * MINUTE)
    message = Message.objects.get(kind="cancellation")
    assert (message.state, fake.recipients) == ("accepted", [karim.email])
    assert (inactivity.settle(now + 3 * MINUTE), is_inactive(karim)) == (1, True)
    run.refresh_from_db()
    assert (list(run.changed), run.waiting) == ([str(karim.pk)], [])
    assert reversal.undo(run, by=reception, now=now + 4 * MINUTE) == 1
    assert not is_inactive(karim)


def test_the_negative_control_an_inactive_client_is_never_told(
    karim: Client, reception: User, fake: FakeProvider, now: dt.datetime
) -> None:
    run = leave(karim, reception, now, "cancel")
    inactivity.make_inactive(karim, reason="other", by=reception, now=now)
    planner.plan(now + MINUTE)
    dispatch.deliver_due(now=now + 2 * MINUTE)
    assert not Message.objects.filter(state="accepted").exists()
    assert run.waiting == [karim.pk]


def test_a_waiting_message_is_taken_back_and_wanted_again_after_undo(
    karim: Client, reception: User, fake: FakeProvider, now: dt.datetime
) -> None:
    planner.plan(now)
    waiting = set(Message.objects.filter(state="pending").values_list("kind", flat=True))
    assert waiting == {"confirmation"}
    run = leave(karim, reception, now, "keep")
    planner.plan(now)
    assert set(Message.objects.values_list("state", "reason")) == {("cancelled", "inactive")}
    dispatch.deliver_due(now=now + dt.timedelta(hours=2))
    assert not Message.objects.filter(state="accepted").exists()
    reversal.undo(run, by=reception, now=now)
    planner.plan(now)
    assert set(Message.objects.filter(state="pending").values_list("kind", flat=True)) == waiting
