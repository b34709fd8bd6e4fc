"""A sender of SMS is killed at each step of the hand-over, for real: never twice, and what was not sent is sent (W1–W8)."""

import datetime as dt
import signal
from collections.abc import Iterator
from decimal import Decimal

import pytest

from clients.models import Client
from notifications import costs, invariants
from notifications.models import Attempt, Message, SmsAccount, State
from salon.core.models import Salon
from tests.fakes.twilio_server import TwilioServer
from tests.notifications import texting, workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]


@pytest.fixture
def twilio(committed: Salon) -> Iterator[TwilioServer]:
    texting.account()
    with TwilioServer() as server:
        yield server


def deliver(twilio: TwilioServer, **more: str) -> int:
    return workers.deliver(1, TWILIO_API_URL=twilio.url, **more)


def reminder() -> None:
    workers.reminders(1)
    Message.objects.update(channel="sms")


def state() -> str:
    return Message.objects.get().state


# The window, the failpoint, what is left; what it becomes when the lease is over, and how many SMS Twilio has by then.
WINDOWS = [
    ("W1", "before_claim", State.PENDING, State.ACCEPTED, 1),
    ("W2", "after_claim", State.CLAIMED, State.ACCEPTED, 1),
    ("W2", "after_prepare", State.CLAIMED, State.ACCEPTED, 1),
    ("W3", "after_handoff_commit", State.HANDOFF, State.UNKNOWN, 0),
    ("W7", "after_deliver", State.HANDOFF, State.UNKNOWN, 1),
    ("W7", "before_settle", State.HANDOFF, State.UNKNOWN, 1),
]


@pytest.mark.parametrize(("window", "place", "left", "becomes", "taken"), WINDOWS)
def test_a_sender_killed_at_any_step_sends_one_sms_in_the_end(
    twilio: TwilioServer, window: str, place: str, left: str, becomes: str, taken: int
) -> None:
    """Unlike a mail, an SMS of unknown fate can be asked about: found in the list, or proved absent and sent."""
    reminder()
    assert deliver(twilio, FAILPOINT=f"{place}:kill9") == -signal.SIGKILL
    assert state() == left, window
    workers.let_leases_end()
    deliver(twilio)
    assert (state(), len(twilio.taken)) == (becomes, taken)
    Attempt.objects.update(at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=16))
    for _ in range(2):
        deliver(twilio)
    assert (state(), len(twilio.taken)) == (State.ACCEPTED, 1)
    assert list(invariants.faults()) == []


def test_the_control_a_requeueing_outbox_sends_the_same_sms_twice(twilio: TwilioServer) -> None:
    reminder()
    assert deliver(twilio, FAILPOINT="after_deliver:kill9") == -signal.SIGKILL
    workers.let_leases_end()
    deliver(twilio, OUTBOX_POLICY="requeue")
    assert len(twilio.taken) == 2
    assert any("handed over 2 times" in line for line in invariants.faults())


def test_senders_killed_one_after_the_other_send_each_sms_once(twilio: TwilioServer) -> None:
    """Random moments, two senders at once, 30 SMS; then the list settles what is unknown."""
    workers.reminders(30)
    Message.objects.update(channel="sms")
    twilio.delay = 0.05
    for kill in range(4):
        processes = [workers.start(1, "--loop", "--every", "0.2", TWILIO_API_URL=twilio.url) for _ in range(2)]
        before = len(twilio.taken)
        workers.wait_for(lambda: len(twilio.taken) > before + kill or workers.states()[State.PENDING] == 0)  # noqa: B023
        for process in processes:
            workers.kill(process)
        workers.let_leases_end()
    twilio.delay = 0
    deliver(twilio)
    Attempt.objects.filter(outcome__in=["", "unknown"]).update(at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=16))
    for _ in range(3):
        deliver(twilio)
    assert workers.states() == {State.ACCEPTED: 30}
    numbers = [sms.form["To"] for sms in twilio.taken]
    assert (len(numbers), len(set(numbers))) == (30, 30)
    assert list(invariants.faults()) == []


def test_senders_at_once_do_not_spend_the_same_money(twilio: TwilioServer) -> None:
    """I-54: of 24 SMS at 8 cents the budget pays for ten, however many senders there are."""
    workers.reminders(24)
    Message.objects.update(channel="sms")
    Client.objects.update(email="")
    SmsAccount.objects.update(monthly_budget=Decimal("0.85"))
    twilio.delay = 0.02
    senders = [workers.start(1, "--once", TWILIO_API_URL=twilio.url) for _ in range(3)]
    for sender in senders:
        out, err = sender.communicate(timeout=120)
        assert sender.returncode == 0, f"{out}\n{err}"
    assert len(twilio.taken) == 10
    assert costs.spent_since(workers.LONG_AGO) == Decimal("0.80")
    assert Message.objects.filter(reason="over_budget", state=State.SUPPRESSED).count() == 14
