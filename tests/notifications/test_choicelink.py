"""What a client stopped only they can turn on: the link by which they do, on their word, at most once a day."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers, consent
from clients.models import Address, Client, ConsentEvent
from notifications import choicelink, dispatch, facts, gate, planner
from notifications.models import Message, State
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import letters

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def amelie(sending_salon: Salon) -> Client:
    """A client who said Yes, and then stopped all offers herself."""
    Salon.objects.update(public_url="https://carnet.example.org")
    client = factories.client(email="amelie@example.org", language="fr")
    letters.grant(client, at=timezone.now() - DAY)
    letters.browser().post(letters.url(client))
    return client


def decision(message: Message, at: dt.datetime) -> gate.Decision:
    return gate.decide(facts.gather(message, facts.look(message)), at)


def test_who_stopped_offers_gets_the_link_and_turns_them_on_again(
    amelie: Client, fake: FakeProvider, reception: User, signed_in: Callable[[Role], Browser]
) -> None:
    with pytest.raises(Refused, match="Only they can turn it on"):
        answers.set_channel(amelie, "email", "yes", how="in_person", by=reception)
    browser, card = signed_in(Role.RECEPTION), f"/clients/{amelie.pk}/"
    button = f'formaction="/clients/{amelie.pk}/choices/"'
    assert browser.get(card).content.decode().count(button) == 1
    answer = browser.post(f"/clients/{amelie.pk}/choices/", follow=True)
    assert "The link to their choices is sent." in answer.content.decode()
    planner.plan(timezone.now())
    dispatch.deliver_due()
    (mail,) = fake.delivered
    assert mail.recipient == "amelie@example.org"
    url = letters.url(amelie)
    assert f"https://carnet.example.org{url}" in mail.raw.decode().replace("=\r\n", "")
    assert b"List-Unsubscribe" not in mail.raw
    form = letters.ticked(letters.browser().get(url), mkt_promotion__email=True)
    letters.browser().post(url, form)
    assert consent.standing(amelie, "mkt.promotion", "email") == "granted"
    assert AuditEvent.objects.filter(action="consent.choices_link").count() == 1


def test_nothing_changes_by_sending_it(amelie: Client, fake: FakeProvider, reception: User) -> None:
    before = ConsentEvent.objects.count()
    choicelink.send(amelie, by=reception, now=timezone.now())
    dispatch.deliver_due()
    assert ConsentEvent.objects.count() == before
    assert Address.objects.get().scope == "marketing"
    assert {consent.standing(amelie, purpose, "email") for purpose in consent.MARKETING} == {"withdrawn"}


def test_it_leaves_at_once_and_at_any_hour_as_the_client_asks_for_it(amelie: Client, reception: User, now: dt.datetime) -> None:
    night = timezone.now().replace(hour=2) + DAY
    choicelink.send(amelie, by=reception, now=night)
    assert isinstance(decision(Message.objects.get(), night), gate.Send)
    assert decision(Message.objects.get(), night + DAY) == gate.Refuse(("expired",))


def test_once_a_day_and_again_after_one_that_did_not_leave(amelie: Client, fake: FakeProvider, reception: User) -> None:
    now = timezone.now()
    choicelink.send(amelie, by=reception, now=now)
    for later in (dt.timedelta(0), HOUR, 23 * HOUR):
        with pytest.raises(Refused, match="within the last 24 hours"):
            choicelink.send(amelie, by=reception, now=now + later)
    Message.objects.update(state=State.CLAIMED)
    Message.objects.update(state=State.FAILED, reason="reply_554")
    choicelink.send(amelie, by=reception, now=now + HOUR)
    choicelink.send(amelie, by=reception, now=now + 26 * HOUR)
    assert Message.objects.count() == 3


@pytest.mark.parametrize(
    ("fields", "reason"), [({"inactive_at": 1}, "inactive"), ({"restricted_at": 1}, "restricted"), ({"erased_at": 1}, "erased")]
)
def test_whom_it_does_not_reach(amelie: Client, reception: User, fields: dict[str, Any], reason: str) -> None:
    now = timezone.now()
    choicelink.send(amelie, by=reception, now=now)
    Client.objects.update(**dict.fromkeys(fields, now))
    found = decision(Message.objects.select_related("client").get(), now)
    assert isinstance(found, gate.Refuse)
    assert found.reasons[0] == reason


@pytest.mark.parametrize(
    ("scope", "why", "reason"),
    [("delivery", "hard_bounce", "invalid_address"), ("all", "object", "suppressed_all"), ("marketing", "object", None)],
)
def test_an_address_that_takes_no_mail_gets_none(
    amelie: Client, reception: User, scope: str, why: str, reason: str | None
) -> None:
    now = timezone.now()
    choicelink.send(amelie, by=reception, now=now)
    Address.objects.update(scope=scope, reason=why, stopped_at=now - HOUR)
    found = decision(Message.objects.get(), now)
    assert (found.reasons[0] if isinstance(found, gate.Refuse) else None) == reason
    Address.objects.update(stopped_at=now + HOUR)
    assert isinstance(decision(Message.objects.get(), now), gate.Refuse), "stopped after it was asked for"


def test_blacklist_and_pause_do_not_hold_it_back(amelie: Client, reception: User) -> None:
    now = timezone.now()
    choicelink.send(amelie, by=reception, now=now)
    Client.objects.update(blacklisted_at=now, marketing_paused_until=now + DAY)
    assert isinstance(decision(Message.objects.get(), now), gate.Send)


def test_without_an_email_or_a_public_address_it_is_refused_with_the_reason(
    amelie: Client, reception: User, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = ""
    Salon.objects.update(public_url="")
    with pytest.raises(Refused, match="public address"):
        choicelink.send(amelie, by=reception, now=timezone.now())
    Client.objects.update(email="")
    with pytest.raises(Refused, match="no e-mail"):
        choicelink.send(amelie, by=reception, now=timezone.now())
    assert not Message.objects.exists()


def test_the_button_stands_only_where_the_client_stopped_it(
    amelie: Client, reception: User, signed_in: Callable[[Role], Browser], settings: Any
) -> None:
    browser, other = signed_in(Role.RECEPTION), factories.client()
    answers.set_channel(other, "email", "no", by=reception)
    assert "Send them the link" not in browser.get(f"/clients/{other.pk}/").content.decode()
    letters.browser().post(letters.url(amelie), {"save": "1", "was:svc.reminder:email": "1"})
    assert browser.get(f"/clients/{amelie.pk}/").content.decode().count("Send them the link") == 2, "offers and reminders"
    settings.PUBLIC_BASE_URL = ""
    Salon.objects.update(public_url="")
    assert "Send them the link" not in browser.get(f"/clients/{amelie.pk}/").content.decode()
