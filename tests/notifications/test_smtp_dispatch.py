"""From the outbox to a mail server that misbehaves, and back: what becomes of the message."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from appointments.models import Appointment
from clients.models import Address, Client
from notifications import circuit, dispatch, planner, sending
from notifications.models import Attempt, Message, State
from notifications.providers.wire import TimeOuts
from salon.core import instance
from salon.core.models import Salon
from tests import factories
from tests.fakes.smtp_sink import Sink
from tests.notifications.test_smtp_transport import QUICK

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.fixture
def now(salon: Salon) -> dt.datetime:
    """Tomorrow at eleven, so that no quiet hour and no wall clock matters."""
    tomorrow = timezone.now().astimezone(salon.zone).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(11), salon.zone)


@pytest.fixture(autouse=True)
def _live(salon: Salon, sink: Sink, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    instance.claim(salon)
    settings.EMAIL_URL = f"smtp://127.0.0.1:{sink.port}"
    monkeypatch.setattr(sending, "IN_THE_BACKGROUND", QUICK)


def booked(now: dt.datetime, **client: Any) -> Appointment:
    """A visit in three days, told to the client by a confirmation that is due."""
    at = now - dt.timedelta(minutes=1)
    visit = factories.appointment(client=factories.client(**client), start_at=now + dt.timedelta(days=3), time_set_at=at)
    planner.plan(now)
    return visit


def deliver(now: dt.datetime) -> Counter[str]:
    return dispatch.deliver_due(now=now)


def only() -> Message:
    return Message.objects.get(kind="confirmation")


@pytest.mark.parametrize("script", ["banner:421", "banner:hang", "ehlo:drop", "mail:451", "rcpt:drop", "data:drop", "dot:451"])
def test_what_was_certainly_not_taken_is_tried_again_and_arrives_once(sink: Sink, now: dt.datetime, script: str) -> None:
    booked(now)
    sink.script = script
    deliver(now)
    assert only().state == State.PENDING
    assert only().not_before > now
    assert sink.mails == []

    sink.script = ""
    deliver(now + dt.timedelta(minutes=1))
    assert only().state == State.ACCEPTED
    assert only().provider_id == "S1"
    assert len(sink.mails) == 1


@pytest.mark.parametrize("script", ["dot:drop", "dot:hang"])
def test_a_message_whose_answer_was_lost_is_never_sent_again_by_itself(sink: Sink, now: dt.datetime, script: str) -> None:
    booked(now)
    sink.script = script
    deliver(now)
    assert only().state == State.UNKNOWN

    sink.script = ""
    for hours in (0.1, 1, 6, 24):
        later = now + dt.timedelta(hours=hours)
        planner.plan(later)
        deliver(later)
    confirmations = [mail for mail in sink.mails if mail.message_id == sink.mails[0].message_id]
    assert len(confirmations) == 1
    assert only().state == State.UNKNOWN


@pytest.mark.parametrize("script", ["quit:hang", "quit:500", "quit:drop"])
def test_a_yes_stays_a_yes_whatever_happens_at_the_good_bye(sink: Sink, now: dt.datetime, script: str) -> None:
    booked(now)
    sink.script = script
    deliver(now)
    assert only().state == State.ACCEPTED


def test_an_address_that_does_not_exist_is_stopped_and_nobody_else_is(sink: Sink, now: dt.datetime) -> None:
    for name in ("a", "gone", "b"):
        booked(now, email=f"{name}@example.org")
    sink.refuse = {"gone@example.org": "550 5.1.1"}

    deliver(now)

    fates = dict(Message.objects.filter(kind="confirmation").values_list("client__email", "state"))
    assert fates == {"a@example.org": State.ACCEPTED, "gone@example.org": State.FAILED, "b@example.org": State.ACCEPTED}
    assert list(Address.objects.exclude(scope="").values_list("scope", "reason")) == [("delivery", "hard_bounce")]


def test_a_refused_password_burns_nothing_and_all_leaves_once_it_is_right(sink: Sink, now: dt.datetime, settings: Any) -> None:
    sink.user, sink.password = "salon", "right"
    settings.EMAIL_URL = f"smtp://salon:wrong@127.0.0.1:{sink.port}"
    for number in range(3):
        booked(now, email=f"client{number}@example.org")

    tried_at = now
    for minute in range(0, 60, 1):
        tried_at = now + dt.timedelta(minutes=minute)
        deliver(tried_at)
    assert set(Message.objects.filter(kind="confirmation").values_list("state", "attempt_count")) == {(State.PENDING, 0)}
    assert not Attempt.objects.exists()
    assert circuit.is_open("smtp", tried_at)
    # One try, then pauses of 1, 2, 4, 8, 15, 15 … minutes: not sixty.
    assert sink.connection_count <= 8

    settings.EMAIL_URL = f"smtp://salon:right@127.0.0.1:{sink.port}"
    deliver(now + dt.timedelta(minutes=80))
    assert set(Message.objects.filter(kind="confirmation").values_list("state", "attempt_count")) == {(State.ACCEPTED, 1)}
    assert len(sink.mails) == 3
    assert not circuit.has_failed("smtp")


def test_a_relay_that_wants_a_password_brands_no_clients_address(sink: Sink, now: dt.datetime) -> None:
    booked(now)
    sink.script = "rcpt:554 5.7.1 Relay access denied"
    deliver(now)
    assert only().state == State.PENDING
    assert not Address.objects.exclude(scope="").exists()


def test_an_answer_that_takes_its_time_is_waited_for(sink: Sink, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = TimeOuts(connect=1, command=0.4, block=0.5, dot=5, quit=0.2)
    monkeypatch.setattr(sending, "IN_THE_BACKGROUND", patient)
    booked(now)
    sink.delay = 1.5
    deliver(now)
    assert only().state == State.ACCEPTED
    assert (only().attempts.get().duration_ms or 0) >= 1400


def test_the_mail_names_no_other_recipient(sink: Sink, now: dt.datetime) -> None:
    for number in range(3):
        booked(now, email=f"client{number}@example.org")
    deliver(now)
    everybody = set(Client.objects.values_list("email", flat=True))
    for mail in sink.mails:
        others = everybody - set(mail.recipients)
        assert len(mail.recipients) == 1
        assert not any(other.encode() in mail.raw for other in others)
