"""Birthday, welcome, time to come back and review by SMS, to a Twilio on loopback: what leaves, and by which Yes."""

import datetime as dt
import importlib
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.test import Client as Browser
from django.utils import timezone

from clients import consent
from clients.models import Client, ConsentEvent
from notifications import ahead, daysoff, dispatch, facts, kinds, planner, smsaccount, texts, triggers
from notifications.models import Message, SmsAccount, State, Trigger
from salon.core import audit, instance
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.fakes.twilio_server import TwilioServer
from tests.notifications import letters, marketing, texting

pytestmark = pytest.mark.django_db

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)
REVIEWS = "https://g.page/r/nord"
KINDS = ("birthday", "welcome", "rebook", "review")


@pytest.fixture
def now(salon: Salon) -> dt.datetime:
    """A Tuesday at eleven that no holiday is near, not before today: advertising by SMS has no Sundays."""
    day = timezone.now().astimezone(salon.zone).date() + DAY
    day += dt.timedelta(days=(1 - day.weekday()) % 7)
    while {day + near * DAY for near in range(-2, 3)} & daysoff.for_hours(
        kinds.MARKETING_HOURS["sms"], "FR", "", dt.datetime.combine(day, dt.time(11), salon.zone)
    ):
        day += WEEK
    return dt.datetime.combine(day, dt.time(11), salon.zone)


@pytest.fixture
def twilio(salon: Salon, fake: FakeProvider, settings: Any) -> Iterator[TwilioServer]:
    instance.claim(salon)
    texting.lets_all_pass(salon)
    texting.account()
    for kind in KINDS:
        more = {"target": REVIEWS, "delay": 0} if kind == "review" else {}
        Trigger.objects.update_or_create(kind=kind, defaults={"is_on": True, **more})
    with TwilioServer() as server:
        settings.TWILIO_API_URL = server.url
        yield server


def due(kind: str, now: dt.datetime, *, said: tuple[str, ...] = ("sms",), **fields: Any) -> Client:
    """Return somebody to whom a kind is due now, and who said Yes to it on these channels."""
    values: dict[str, Any] = {"created_at": now - 3 * DAY if kind == "welcome" else now - 300 * DAY}
    if kind == "birthday":
        values |= {"birth_month": now.month, "birth_day": now.day}
    client = factories.client(**{**values, **fields})
    for channel in said:
        marketing.says(client, "grant", now - 200 * DAY, purpose=f"mkt.{kind}", channel=channel)
    if kind == "welcome":
        audit.record("client.added", client)
    if kind in {"rebook", "review"}:
        start_at = now - (6 * WEEK if kind == "rebook" else DAY)
        factories.appointment(client=client, start_at=start_at, time_set_at=start_at - DAY, state="done", is_notice_wanted=False)
    return client


def deliver(now: dt.datetime) -> None:
    planner.plan(now)
    dispatch.deliver_due(now=now)


LINK = rf"{re.escape(texting.SITE)}/s/\S+"
# By sender: how an SMS says how to stop, in the three languages.
WAYS_OUT = {
    "number": {"en": r"Opt out: reply STOP", "fr": r"STOP SMS : répondez STOP", "de": r"Abmelden: Antwort STOP"},
    "name": {"en": rf"Opt out: {LINK}", "fr": rf"STOP : {LINK}", "de": rf"Abmelden: {LINK}"},
}


@pytest.mark.parametrize("sender", ["number", "name"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_leaves_in_each_language_as_one_part_with_one_way_out(
    twilio: TwilioServer, now: dt.datetime, kind: str, sender: str
) -> None:
    """I-14, I-52: as Twilio gets it."""
    if sender == "name":
        SmsAccount.objects.update(sender_kind="name", sender="ATELIER", can_answer=False)
    for number, language in enumerate(("en", "fr", "de")):
        due(kind, now, language=language, phone=f"+3361234560{number}")
    deliver(now)
    sent = {row.language: row for row in Message.objects.filter(state=State.ACCEPTED)}
    assert set(sent) == {"en", "fr", "de"}
    assert sorted(twilio.bodies) == sorted(row.body for row in sent.values())
    for language, row in sent.items():
        assert (row.kind, row.channel, row.segments, row.cost) == (kind, "sms", 1, texting.PRICE)
        assert re.search(rf" {WAYS_OUT[sender][language]}$", row.body), row.body
        assert len(re.findall(r"STOP|Opt out|Abmelden|/s/", row.body)) <= 2, "said once"
        assert "Atelier Nord" in row.body
        assert (REVIEWS in row.body) == (kind == "review")
        assert row.attempts.get().decision["event_ids"] == [
            ConsentEvent.objects.get(subject__client=row.client_id, channel="sms").pk
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_yes_to_one_channel_never_opens_the_other(
    twilio: TwilioServer, fake: FakeProvider, now: dt.datetime, kind: str
) -> None:
    """I-11, I-30: whatever the client likes and the salon chose; a card with both addresses."""
    by_sms = due(kind, now, preferred_channel="email")
    by_mail = due(kind, now, said=("email",), preferred_channel="sms")
    nobody = due(kind, now, said=(), preferred_channel="sms")
    for ways in ("email", "sms"):
        Trigger.objects.filter(pk=kind).update(ways=ways)
        deliver(now)
        got = dict(Message.objects.filter(state=State.ACCEPTED).values_list("client", "channel"))
        assert got == ({by_mail.pk: "email"} if ways == "email" else {by_mail.pk: "email", by_sms.pk: "sms"})
    assert not Message.objects.filter(client=nobody).exists()
    assert ([sms.form["To"] for sms in twilio.taken], fake.recipients) == ([by_sms.phone], [by_mail.email])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("has_old_row", [True, False])
def test_no_moment_is_said_by_paid_sms_before_the_salon_chose_it(
    twilio: TwilioServer, fake: FakeProvider, now: dt.datetime, owner: User, kind: str, *, has_old_row: bool
) -> None:
    """Neither after an update, of a row from when the kind had e-mail alone, nor where the switch was never touched."""
    more: dict[str, Any] = {"target": REVIEWS, "delay": 0} if kind == "review" else {}
    Trigger.objects.filter(pk=kind).delete()
    if has_old_row:
        Trigger.objects.create(kind=kind, is_on=True, **more)
        importlib.import_module("notifications.migrations.0016_by_email_at_first").keep_to_email(apps, None)
    else:
        chosen = {**vars(triggers.of(facts.switches()[kind])), **more, "is_on": True}
        triggers.save({kind: triggers.Setting(**chosen)}, by=owner, now=now - 300 * DAY)
    by_sms = due(kind, now, preferred_channel="sms")
    both = due(kind, now, said=("sms", "email"), preferred_channel="sms")
    deliver(now)
    assert (fake.recipients, twilio.taken) == ([both.email], [])
    Trigger.objects.filter(pk=kind).update(ways="email sms")
    deliver(now)
    assert [sms.form["To"] for sms in twilio.taken] == [by_sms.phone], "the salon chose it"


def test_an_update_leaves_what_the_salon_chose_and_messages_about_visits_alone(salon: Salon) -> None:
    Trigger.objects.update_or_create(kind="birthday", defaults={"ways": "sms email"})
    importlib.import_module("notifications.migrations.0016_by_email_at_first").keep_to_email(apps, None)
    found = facts.switches()
    assert (found["birthday"].ways, found["reminder"].ways, found["change"].ways) == ("sms email", "email sms", "email sms")
    assert {found[kind].ways for kind in KINDS[1:]} == {"email"}


def test_after_a_definite_no_it_does_not_turn_to_the_other_channel(
    twilio: TwilioServer, fake: FakeProvider, now: dt.datetime
) -> None:
    """I-30: not even with a Yes to both: what was refused by one way was refused."""
    due("birthday", now, said=("sms", "email"), preferred_channel="sms")
    twilio.script = "400:21614"
    deliver(now)
    deliver(now + DAY / 24)
    message = Message.objects.get()
    assert (message.channel, message.state, fake.delivered) == ("sms", State.FAILED, [])


@pytest.mark.parametrize("said", [("sms",), ("sms", "email")])
def test_switched_off_sms_take_what_waits_back_and_a_yes_to_email_brings_it_by_mail(
    twilio: TwilioServer, fake: FakeProvider, now: dt.datetime, owner: User, said: tuple[str, ...]
) -> None:
    client = due("birthday", now, said=said, preferred_channel="sms")
    planner.plan(now)
    smsaccount.switch(is_on=False, by=owner, now=now)
    deliver(now)
    message = Message.objects.get(client=client)
    if "email" in said:
        assert (message.channel, message.state, fake.recipients) == ("email", State.ACCEPTED, [client.email])
        return
    assert (message.state, message.reason, fake.delivered) == (State.CANCELLED, "channel_off", [])
    smsaccount.switch(is_on=True, by=owner, now=now)
    deliver(now)
    message.refresh_from_db()
    assert (message.channel, message.state, len(twilio.taken)) == ("sms", State.ACCEPTED, 1)


def test_a_no_by_sms_before_the_hand_over_stops_it_and_leaves_the_mail_alone(
    twilio: TwilioServer, fake: FakeProvider, now: dt.datetime
) -> None:
    """I-03: nobody plans in between. The No is to SMS alone."""
    client = due("birthday", now, said=("sms", "email"), preferred_channel="sms")
    planner.plan(now)
    marketing.says(client, "withdraw", now, purpose="mkt.birthday", channel="sms")
    dispatch.deliver_due(now=now)
    message = Message.objects.get()
    assert (message.state, message.reason, twilio.taken) == (State.SUPPRESSED, "consent_missing", [])
    deliver(now)
    message.refresh_from_db()
    assert (message.channel, message.state, fake.recipients) == ("email", State.ACCEPTED, [client.email])


def test_the_birthday_is_wished_once_a_year_by_whichever_way(twilio: TwilioServer, fake: FakeProvider, now: dt.datetime) -> None:
    """I-20: the salon changes its ways, the client theirs."""
    client = due("birthday", now, said=("sms", "email"))
    deliver(now)
    Trigger.objects.filter(pk="birthday").update(ways="sms")
    Client.objects.filter(pk=client.pk).update(preferred_channel="sms")
    deliver(now + DAY / 24)
    assert (Message.objects.count(), len(fake.delivered), twilio.taken) == (1, 1, [])


def test_stop_by_sms_ends_what_waits_and_all_that_would_follow(twilio: TwilioServer, now: dt.datetime) -> None:
    """I-25 for moments: a STOP to a greeting."""
    client = due("birthday", now, phone=texting.NUMBER, email="")
    marketing.says(client, "grant", now - 200 * DAY, purpose="mkt.review", channel="sms")
    deliver(now)
    texting.answers("STOP")
    dispatch.deliver_due(now=timezone.now())
    start_at = now - DAY
    factories.appointment(client=client, start_at=start_at, time_set_at=start_at - DAY, state="done", is_notice_wanted=False)
    deliver(now + 2 * DAY)
    assert [row.kind for row in Message.objects.filter(state=State.ACCEPTED)] == ["birthday", "optout_ack"]


def test_the_short_link_of_a_greeting_stops_offers_by_sms_alone(twilio: TwilioServer, now: dt.datetime) -> None:
    SmsAccount.objects.update(sender_kind="name", sender="ATELIER", can_answer=False)
    client = due("birthday", now, said=("sms", "email"), preferred_channel="sms")
    deliver(now)
    (path,) = re.findall(rf"{texting.SITE}(/s/\S+)", twilio.bodies[0])
    answer = letters.browser().get(path)
    letters.browser().post(answer.headers["Location"], {"stop": "1"})
    states = [consent.reading(client, "mkt.birthday", channel).state.value for channel in ("sms", "email")]
    assert states == ["withdrawn", "granted"]


def test_over_the_budget_it_is_not_sent_and_nothing_else_instead(
    twilio: TwilioServer, fake: FakeProvider, now: dt.datetime
) -> None:
    SmsAccount.objects.update(monthly_budget=Decimal("0.10"))
    for _ in range(2):
        due("birthday", now)
    deliver(now)
    assert (len(twilio.taken), fake.delivered) == (1, [])
    assert sorted(Message.objects.values_list("state", "reason")) == [("accepted", ""), ("suppressed", "over_budget")]


def test_a_wish_on_a_sunday_waits_for_monday_and_one_before_three_days_off_is_dropped(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-17, I-18, I-20: the SMS of a Sunday leaves on Monday; it makes sense for 48 hours and not longer."""
    sunday = now + 5 * DAY
    due("birthday", sunday)
    planner.plan(sunday)
    message = Message.objects.get()
    monday = dt.datetime.combine(sunday.date() + DAY, dt.time(8), sunday.tzinfo)
    assert (message.channel, message.not_before) == ("sms", monday)
    monkeypatch.setattr(daysoff, "for_hours", lambda *args: frozenset({monday.date(), monday.date() + DAY}))
    dispatch.deliver_due(now=monday)
    message.refresh_from_db()
    assert (message.state, message.reason, twilio.taken) == (State.EXPIRED, "expired", [])


# --- the salon's own text, and the pages ------------------------------------------------------------------------------

SignIn = Callable[[Role], Browser]
PAGE = "/settings/notifications/texts/birthday/sms/fr/"


def test_the_salon_writes_the_words_and_the_way_out_stands_behind_them(
    twilio: TwilioServer, now: dt.datetime, owner: User
) -> None:
    where: dict[str, Any] = {"kind": "birthday", "channel": "sms", "language": "fr", "subject": "", "by": owner, "now": now}
    with pytest.raises(Refused, match="salon"):
        texts.save(body="Bon anniversaire[ {first_name}|] !", **where)  # whose it is
    with pytest.raises(Refused, match="stands for nothing"):
        texts.save(body="{salon} : bon anniversaire ! {opt_out}", **where)
    texts.save(body="{salon} : bon anniversaire[ {first_name}|] !", **where)
    due("birthday", now, first_name="Zoé")
    deliver(now)
    assert twilio.bodies == ["Atelier Nord : bon anniversaire Zoé ! STOP SMS : répondez STOP"]
    assert Message.objects.get().attempts.get().decision["text"] == 1


def test_the_page_of_the_text_says_how_long_it_is_and_what_it_costs(twilio: TwilioServer, signed_in: SignIn) -> None:
    factories.client(first_name="Zoé", phone=texting.NUMBER)
    browser = signed_in(Role.MANAGER)
    page = browser.get(PAGE).content.decode()
    assert "1 part" in page
    assert "€0.08" in page
    assert "répondez STOP" in page
    assert 'name="subject"' not in page
    typed = {"body": "{salon} : joyeux anniversaire 😀 " + "x" * 60, "act": "preview"}
    page = browser.post(PAGE, typed, headers={"HX-Request": "true"}).content.decode()
    assert "2 parts" in page
    assert "€0.16" in page
    assert "😀" in page
    assert "Only 70 letters a part" in page
    SmsAccount.objects.update(prices={})
    assert "No price is entered" in browser.get(PAGE).content.decode()


def test_the_triggers_page_offers_both_ways_and_counts_by_both(twilio: TwilioServer, now: dt.datetime, signed_in: SignIn) -> None:
    by_sms = due("birthday", now)
    due("birthday", now, said=("email",))
    row = facts.switches()["birthday"]
    salon = Salon.objects.current()
    assert ahead.count(row, salon, now) == 2
    assert {line.channel for line in ahead.lines(row, salon, now)} == {"email", "sms"}
    page = signed_in(Role.OWNER).get("/settings/notifications/triggers/").content.decode()
    assert 'name="birthday-ways"' in page
    Message.objects.all().delete()
    Client.objects.exclude(pk=by_sms.pk).update(inactive_at=now)
    assert ahead.obstacle(row, salon) == ""
    SmsAccount.objects.update(is_on=False)
    assert ahead.obstacle(row, salon) == "nobody", "a Yes to SMS is of no use while SMS are off"
    assert 'name="birthday-ways"' not in signed_in(Role.OWNER).get("/settings/notifications/triggers/").content.decode()
