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


@pytest.mark.parametrize("script", ["rcpt:drop", "data:drop", "dot:451"])
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


@pytest.mark.parametrize("script", ["banner:421", "banner:hang", "ehlo:drop", "ehlo:451", "mail:451", "mail:hang"])
def test_a_server_that_fails_before_a_recipient_is_named_burns_nothing(sink: Sink, now: dt.datetime, script: str) -> None:
    booked(now)
    sink.script = script
    tries = 0
    for minute in range(40):
        tries += sum(deliver(now + dt.timedelta(minutes=minute)).values())
    assert (only().state, only().attempt_count, only().reason) == (State.PENDING, 0, "provider_down")
    assert circuit.failure("smtp")
    assert tries <= 7

    sink.script = ""
    deliver(now + dt.timedelta(minutes=60))
    assert only().state == State.ACCEPTED
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
    assert not circuit.failure("smtp")


def test_a_relay_that_wants_a_password_brands_no_clients_address(sink: Sink, now: dt.datetime) -> None:
    booked(now)
    sink.script = "rcpt:554 5.7.1 Relay access denied"
    deliver(now)
    assert only().state == State.PENDING
    assert not Address.objects.exclude(scope="").exists()


@pytest.mark.parametrize(
    "reply",
    [
        "553 5.7.1 <salon@x.example>: Sender address rejected: not owned by user salon",
        "550 Sender verify failed",
        "550 5.4.5 Daily user sending limit exceeded",
        "550 5.7.1 Message rejected, your network is on a list",
        "550 You are over your limit of mails",
    ],
)
def test_a_refusal_that_is_about_us_brands_nobody_and_burns_nothing(sink: Sink, now: dt.datetime, reply: str) -> None:
    for number in range(3):
        booked(now, email=f"client{number}@example.org")
    sink.script = f"rcpt:{reply}"
    deliver(now)
    assert set(Message.objects.filter(kind="confirmation").values_list("state", "attempt_count")) == {(State.PENDING, 0)}
    assert not Address.objects.exclude(scope="").exists()
    assert circuit.is_open("smtp", now)

    sink.script = ""
    deliver(now + dt.timedelta(minutes=20))
    assert len(sink.mails) == 3


def test_a_full_mailbox_is_tried_again_and_not_branded(sink: Sink, now: dt.datetime) -> None:
    booked(now)
    sink.script = "rcpt:550 5.2.2 mailbox full"
    deliver(now)
    assert (only().state, only().reason) == (State.PENDING, "retry")
    assert not Address.objects.exclude(scope="").exists()


def test_one_recipient_whom_the_server_does_not_like_holds_up_nobody_else(sink: Sink, now: dt.datetime) -> None:
    for name in ("unliked", "b", "c"):
        booked(now, email=f"{name}@example.org")
    sink.refuse = {"unliked@example.org": "554 5.7.1"}
    deliver(now)
    deliver(now + dt.timedelta(minutes=1))
    assert {mail.recipients for mail in sink.mails} == {("b@example.org",), ("c@example.org",)}


@pytest.mark.parametrize("script", ["rcpt:550", "data:554", "dot:554 5.7.1 looks like spam"])
def test_the_third_same_refusal_in_a_row_is_not_held_against_the_message(sink: Sink, now: dt.datetime, script: str) -> None:
    for number in range(6):
        booked(now, email=f"client{number}@example.org")
    sink.script = script
    deliver(now)
    deliver(now + dt.timedelta(minutes=2))
    states = list(Message.objects.filter(kind="confirmation").order_by("not_before", "pk").values_list("state", flat=True))
    assert (states.count(State.FAILED), states.count(State.PENDING)) == (2, 4)
    assert circuit.is_open("smtp", now + dt.timedelta(minutes=2))


def test_mailboxes_that_do_not_exist_do_not_stop_the_others(sink: Sink, now: dt.datetime) -> None:
    """Control: an old import with many dead addresses is no fault of the server."""
    for number in range(5):
        booked(now, email=f"gone{number}@example.org")
        sink.refuse[f"gone{number}@example.org"] = "550 5.1.1"
    booked(now, email="alive@example.org")
    deliver(now)
    assert Message.objects.filter(state=State.FAILED).count() == 5
    assert len(sink.mails) == 1
    assert Address.objects.filter(scope="delivery").count() == 5


def test_an_address_under_a_domain_with_an_umlaut_is_written_to(sink: Sink, now: dt.datetime, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "salon@zürich.example"
    booked(now, email="anna@münchen.example")
    deliver(now)
    assert only().state == State.ACCEPTED
    assert (sink.mails[0].sender, sink.mails[0].recipients) == (
        "salon@xn--zrich-kva.example",
        ("anna@xn--mnchen-3ya.example",),
    )
    head = sink.mails[0].raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"To: anna@xn--mnchen-3ya.example" in head


def test_a_sender_that_cannot_be_said_burns_nothing(sink: Sink, now: dt.datetime, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "frisör@example.org"
    booked(now)
    deliver(now)
    assert (only().state, only().attempt_count) == (State.PENDING, 0)
    assert circuit.failure("smtp") == "mail_address"


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
