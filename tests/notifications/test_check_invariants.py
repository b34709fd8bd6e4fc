"""`manage.py check_invariants`: silent about what is in order, loud about what is not, and says nothing of a person."""

import datetime as dt
import importlib
import pkgutil
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

import appointments
import clients
import notifications
from clients.models import Standing
from notifications import dispatch, planner
from notifications.management.commands.check_invariants import CHECKS
from notifications.models import Attempt, Message
from salon.core.models import Salon
from tests import factories
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(fake: FakeProvider, now: dt.datetime) -> Message:
    """A reminder that was sent, to a client of the salon."""
    at = now + dt.timedelta(hours=24)
    factories.appointment(start_at=at, time_set_at=now - dt.timedelta(days=3), is_notice_wanted=False)
    planner.plan(now)
    dispatch.deliver_due(now=now)
    [message] = Message.objects.all()
    assert message.recipient
    return message


def test_a_salon_in_order_is_said_to_be_so(salon: Salon, sent: Message) -> None:
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert out.getvalue() == "clients: in order\nnotifications: in order\n"


def test_each_app_names_what_it_found_by_ids_and_ends_with_an_error(salon: Salon, sent: Message) -> None:
    assert sent.client is not None
    Attempt.objects.all().delete()
    Standing.objects.create(client=sent.client, purpose="mkt.promotion", channel="email", state="granted")
    text = StringIO()
    with pytest.raises(CommandError, match="2 things") as raised:
        call_command("check_invariants", stdout=text)
    assert raised.value.returncode == 1
    out = text.getvalue()
    assert f"notifications: message {sent.pk}: handed over without a decision\nnotifications: 1 found\n" in out
    assert f"clients: client {sent.client_id}, mkt.promotion email: stands granted, the ledger says unknown\n" in out
    for personal in (sent.recipient, sent.client.first_name, sent.client.last_name):
        assert personal not in out


def test_every_app_that_has_invariants_is_asked() -> None:
    apps = (clients, appointments, notifications)
    having = {app.__name__ for app in apps if any(part.name == "invariants" for part in pkgutil.iter_modules(app.__path__))}
    assert set(CHECKS) == having
    for name in having:
        assert CHECKS[name] is importlib.import_module(f"{name}.invariants").faults
