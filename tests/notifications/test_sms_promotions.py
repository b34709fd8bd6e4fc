"""Promotions by SMS: who gets one and what it costs, how it is stopped, and that no limit is ever passed (I-54)."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import addresses, consent
from clients.models import Address, Client, ConsentEvent
from notifications import audience, campaigns, composing, costs, dispatch, numbers, planner, shortlinks, smsaccount, smstests
from notifications.campaigns import Words
from notifications.models import Campaign, Message, SmsAccount, SmsTest, State
from notifications.providers.base import Outcome
from salon.core import instance
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes import twilio_server
from tests.fakes.twilio_server import TwilioServer
from tests.notifications import letters, texting
from tests.people import user_with

pytestmark = pytest.mark.django_db
SECONDS = dt.timedelta(seconds=31)


@pytest.fixture
def now(salon: Salon) -> dt.datetime:
    """A Tuesday at eleven, not before today: advertising by SMS has no Sundays."""
    day = timezone.now().astimezone(salon.zone).date() + dt.timedelta(days=1)
    day += dt.timedelta(days=(1 - day.weekday()) % 7)
    return dt.datetime.combine(day, dt.time(11), salon.zone)


@pytest.fixture
def twilio(salon: Salon, settings: Any) -> Iterator[TwilioServer]:
    instance.claim(salon)
    texting.lets_all_pass(salon)
    texting.account()
    with TwilioServer() as server:
        settings.TWILIO_API_URL = server.url
        yield server


def people(now: dt.datetime, count: int) -> list[Client]:
    return [texting.willing(now, phone=f"+3361234560{number}", first_name=f"Nora{number}") for number in range(count)]


def deliver(now: dt.datetime) -> None:
    planner.plan(now)
    dispatch.deliver_due(now=now + SECONDS)
    planner.plan(now + SECONDS)


def test_it_leaves_with_the_way_to_stop_and_costs_what_was_shown(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    """I-54: what stands on the page is the sum of what leaves, part by part."""
    chosen = [*people(now, 2), texting.willing(now, phone="+33612345669", first_name="Chloë")]
    words = Words("Soins", "{first_name}, -20 % sur les soins jusqu’au 15 août", channel="sms")
    shown = composing.compose(chosen, Salon.objects.current(), words, now).bill()
    assert shown is not None
    assert (shown.count, shown.parts, shown.dear_count, shown.culprits) == (3, 4, 1, "ë")
    campaigns.send(clients=chosen, words=words, key="k", by=owner, now=now)
    deliver(now)
    assert count_of(State.ACCEPTED) == 3
    assert costs.spent_on(Campaign.objects.get().pk) == shown.cost == 4 * texting.PRICE
    assert sorted(twilio.bodies)[1] == (
        "Atelier Nord : Nora0, -20 % sur les soins jusqu'au 15 aout Réserver : 04 72 00 00 00 STOP SMS : répondez STOP"
    )


def count_of(state: str) -> int:
    return Message.objects.filter(kind="promotion", state=state).count()


def test_after_stop_nothing_leaves_to_the_number_but_one_answer(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    """I-25, with everything that could leave waiting: advertising, a reminder of another card, a second promotion."""
    mother = texting.willing(now)
    child = texting.client(first_name="Zoé")
    texting.send(mother, by=owner, now=now)
    planner.plan(now)
    visit = factories.appointment(client=child, start_at=now + dt.timedelta(hours=30), staff=factories.staff())
    Message.objects.create(
        kind="reminder", channel="sms", client=child, appointment=visit, occasion=f"{visit.pk}:1:1", time_version=1,
        told_start_at=visit.start_at, not_before=now, expires_at=visit.start_at,
    )  # fmt: skip
    texting.answers("STOP")
    at = timezone.now()
    mad = Message.objects.filter(kind__in=["promotion", "reminder"])
    mad.update(state=State.PENDING, reason="", not_before=at)  # what a planner gone mad would write
    dispatch.deliver_due(now=at)
    assert [(sms.form["To"], sms.form["Body"][:22]) for sms in twilio.taken] == [(texting.NUMBER, "Atelier Nord : c'est f")]
    assert {row.kind: row.state for row in Message.objects.exclude(kind="optout_ack")} == {
        "promotion": State.SUPPRESSED, "reminder": State.SUPPRESSED,
    }  # fmt: skip
    with pytest.raises(Refused):
        texting.send(mother, by=owner, now=now, key="again")


def test_advertising_never_turns_to_the_channel_it_has_no_yes_for(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    """I-30: a Yes to SMS is none to e-mail, also after a definite no."""
    texting.send(texting.willing(now, email="amelie@example.org"), by=owner, now=now)
    twilio.script = "400:21614"
    deliver(now)
    message = Message.objects.get()
    assert (message.channel, message.state) == ("sms", State.FAILED)


def test_without_an_account_or_with_sms_off_no_promotion_is_written(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    client = texting.willing(now)
    smsaccount.switch(is_on=False, by=owner, now=now)
    with pytest.raises(Refused, match="switched off"):
        texting.send(client, by=owner, now=now)
    SmsAccount.objects.all().delete()
    with pytest.raises(Refused, match="No SMS account"):
        texting.send(client, by=owner, now=now)
    with pytest.raises(Refused):
        smsaccount.switch(is_on=True, by=owner, now=now)
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ((1, 20, 0), (2, 8)), ((5, 20, 1), (7, 8)), ((6, 11, 0), (7, 8)), ((1, 7, 59), (1, 8)), ((1, 19, 58), None),
    ],
)  # fmt: skip
def test_no_advertising_by_sms_in_the_evening_and_on_sundays(
    twilio: TwilioServer, now: dt.datetime, owner: User, at: tuple[int, int, int], leaves: tuple[int, int] | None
) -> None:
    """I-17, at the hand-over. Days from Monday; the salon's wall clock."""
    monday = (now - dt.timedelta(days=1)).date()
    then = dt.datetime.combine(monday + dt.timedelta(days=at[0]), dt.time(at[1], at[2]), now.tzinfo)
    texting.send(texting.willing(then), by=owner, now=then)
    deliver(then)
    message = Message.objects.get()
    if leaves is None:
        assert (message.state, len(twilio.taken)) == (State.ACCEPTED, 1)
    else:
        opens = dt.datetime.combine(monday + dt.timedelta(days=leaves[0]), dt.time(leaves[1]), now.tzinfo)
        assert (message.state, message.not_before, twilio.taken) == (State.PENDING, opens, [])


def test_a_cap_is_never_passed_and_says_beforehand_who_is_left_out(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    SmsAccount.objects.update(campaign_cap=Decimal("0.20"))
    chosen = people(now, 4)
    seats = audience.look(chosen, Words("x", "Soins", channel="sms").draft(), Salon.objects.current(), now)
    assert [seat.reason for seat in seats] == ["", "", "over_cap", "over_cap"]
    texting.send(*chosen, by=owner, now=now)
    deliver(now)
    assert (len(twilio.taken), costs.spent_on(Campaign.objects.get().pk)) == (2, 2 * texting.PRICE)


def test_a_cap_that_falls_meanwhile_holds_at_the_hand_over(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    texting.send(*people(now, 3), by=owner, now=now)
    planner.plan(now)
    SmsAccount.objects.update(campaign_cap=Decimal("0.15"))
    dispatch.deliver_due(now=now + SECONDS)
    assert len(twilio.taken) == 1
    assert set(Message.objects.exclude(state=State.ACCEPTED).values_list("state", "reason")) == {(State.SUPPRESSED, "over_cap")}


def test_the_months_budget_counts_what_may_have_been_sent(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    """One of unknown fate may have been sent, so it is paid for; one that was surely not sent is not."""
    texting.send(*people(now, 3), by=owner, now=now)
    planner.plan(now)
    SmsAccount.objects.update(monthly_budget=Decimal("0.16"))
    twilio.script = "400:21211,ok,ok"
    dispatch.deliver_due(now=now + SECONDS)
    assert (count_of(State.ACCEPTED), count_of(State.FAILED)) == (2, 1)
    visit = factories.appointment(
        client=texting.client(email="amelie@example.org"),
        start_at=now + dt.timedelta(days=3),
        time_set_at=now,
        staff=factories.staff(),
    )
    deliver(now + SECONDS)
    message = Message.objects.get(appointment=visit)
    assert (message.channel, message.turned_from, message.state) == ("email", "sms", State.ACCEPTED)
    assert len(twilio.taken) == 2


def test_the_budget_begins_anew_with_the_salons_month(salon: Salon) -> None:
    at = dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)  # half past midnight in Paris
    assert costs.month_begins(at, salon.zone) == dt.datetime(2026, 11, 30, 23, 0, tzinfo=dt.UTC)


# --- a name as the sender: the short link ---------------------------------------------------------------------------


def by_name() -> None:
    SmsAccount.objects.update(sender_kind="name", sender="ATELIER", can_answer=False)


def test_a_sender_that_cannot_be_answered_carries_a_short_link_that_stops_it(
    twilio: TwilioServer, now: dt.datetime, owner: User
) -> None:
    by_name()
    client = texting.willing(now)
    texting.send(client, by=owner, now=now)
    deliver(now)
    (body,) = twilio.bodies
    assert "répondez" not in body
    (path,) = re.findall(rf"{texting.SITE}(/s/\S+)", body)
    assert len(path) <= 13
    answer = letters.browser().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, letters.url(client, "sms"))
    assert not ConsentEvent.objects.filter(event="object").exists(), "to look changes nothing"
    letters.browser().post(answer.headers["Location"], {"stop": "1"})
    assert consent.reading(client, "mkt.promotion", "sms").state == "withdrawn"


def test_nobody_is_told_to_reply_stop_where_no_answer_can_be_trusted(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    SmsAccount.objects.update(auth_token="")
    texting.send(texting.willing(now), by=owner, now=now)
    deliver(now)
    (body,) = twilio.bodies
    assert ("répondez" in body, f"{texting.SITE}/s/" in body) == (False, True)


def test_a_short_link_outlives_a_change_of_number_and_proves_nothing_about_another(now: dt.datetime, salon: Salon) -> None:
    client, other = texting.willing(now), texting.willing(now, phone="+33612345679")
    token = shortlinks.token(client)
    link = shortlinks.read(token)
    assert link is not None
    Client.objects.filter(pk=client.pk).update(phone="+33699999999")
    assert shortlinks.read(token) == link, "the ledger knows to which number it went"
    forged = shortlinks.token(other)[:-6] + token[-6:]
    wrong = [forged, token[:-1], token + "x", token[:-1] + ("2" if token[-1] != "2" else "3"), "", "x", "0" + token, "é" * 9]
    assert [shortlinks.read(one) for one in wrong] == [None] * len(wrong)
    answers = {letters.browser().get(f"/s/{one}/").headers["Location"] for one in wrong if one}
    assert answers == {"/u/example/"}, "a wrong link, an old one and nobody's lead to the same page"


# --- pages ----------------------------------------------------------------------------------------------------------

SignIn = Callable[[Role], Browser]


def test_the_page_says_who_gets_it_what_it_costs_and_sends_that(
    twilio: TwilioServer, now: dt.datetime, signed_in: SignIn
) -> None:
    chosen = [*people(timezone.now(), 2), texting.client(phone="+33472000009", first_name="Fixe"), factories.client(phone="")]
    browser = signed_in(Role.MANAGER)
    query: dict[str, Any] = {"sel": [one.pk for one in chosen], "channel": "sms"}
    assert b"SMS to 4 clients" in browser.get("/messages/new/", query).content
    form = {**query, "text": "Soins -20 % 😀", "act": "preview", "key": "k1"}
    page = browser.post("/messages/new/", form, headers={"HX-Request": "true"}).content.decode()
    for words in (
        "2 of 4 will get it.",
        "2 without a mobile number",
        "Send 2 SMS",
        "€0.32",
        "2 have only 70 letters a part",
        "😀",
    ):
        assert words in page, words
    answer = browser.post("/messages/new/", {**form, "act": "send", "expected": "2"})
    assert answer.status_code == 303
    campaign = Campaign.objects.get()
    assert (campaign.channel, campaign.recipients.filter(reason="").count()) == ("sms", 2)
    page = browser.get(answer.headers["Location"]).content.decode()
    assert "The number on the card takes no SMS." in page


def test_the_owner_enters_the_account_and_secrets_are_never_shown(salon: Salon, signed_in: SignIn, reception: User) -> None:
    browser = signed_in(Role.OWNER)
    form = {
        "account_sid": "AC" + "1" * 32, "key_sid": "SK" + "2" * 32, "key_secret": "hush-key", "auth_token": "hush-token",
        "sender_kind": "number", "sender": "07 57 00 00 00", "price_FR": "0.075", "price_*": "0.1", "monthly_budget": "40",
    }  # fmt: skip
    assert browser.post("/settings/notifications/sms/", {**form, "account_sid": "AC1"}).status_code == 422
    assert browser.post("/settings/notifications/sms/", {**form, "sender": "ÉTÉ", "sender_kind": "name"}).status_code == 422
    assert browser.post("/settings/notifications/sms/", {**form, "key_secret": ""}).status_code == 422
    assert browser.post("/settings/notifications/sms/", {**form, "price_*": ""}).status_code == 422
    assert not SmsAccount.objects.exists()
    assert browser.post("/settings/notifications/sms/", form).status_code == 303
    row = SmsAccount.objects.get()
    assert (row.sender, row.key_secret, row.auth_token) == ("+33757000000", "hush-key", "hush-token")
    assert row.prices == {"FR": "0.0750", "*": "0.1000"}
    page = browser.get("/settings/notifications/sms/").content.decode()
    assert "hush" not in page
    assert "/hooks/twilio/inbound/" in page
    browser.post("/settings/notifications/sms/", {**form, "key_secret": "", "auth_token": "", "monthly_budget": ""})
    row = SmsAccount.objects.get()
    assert (row.key_secret, row.auth_token, row.monthly_budget) == ("hush-key", "hush-token", None), "empty keeps what is saved"
    assert browser.post("/settings/notifications/sms/", {**form, "key_sid": "SK" + "3" * 32, "key_secret": ""}).status_code == 422
    assert "hush" not in signed_in(Role.RECEPTION).get("/settings/notifications/sms/").content.decode()


ENTERED = {
    "account_sid": twilio_server.ACCOUNT, "key_sid": twilio_server.KEY, "key_secret": twilio_server.SECRET, "auth_token": "t",
    "sender_kind": "number", "sender": texting.OURS, "price_*": "0.1",
}  # fmt: skip
SMS_PAGE, NOT_YET = "/settings/notifications/sms/", "No SMS leaves yet."


def test_an_account_is_off_until_the_provider_has_taken_a_test(twilio: TwilioServer, signed_in: SignIn, now: dt.datetime) -> None:
    SmsAccount.objects.all().delete()
    browser = signed_in(Role.OWNER)

    def tried() -> str:
        return browser.post(f"{SMS_PAGE}test/", {"phone": texting.NUMBER}, headers={"HX-Request": "true"}).content.decode()

    browser.post(SMS_PAGE, ENTERED)
    assert not smsaccount.is_open()
    assert NOT_YET in browser.get(SMS_PAGE).content.decode()
    assert "waits for a test" in browser.get("/settings/health/").content.decode()
    twilio.script = "21606,ok"
    assert "SMS are sent from now on." not in tried()
    assert not smsaccount.is_open(), "the provider took nothing"
    assert "SMS are sent from now on." in tried()
    assert smsaccount.is_open()
    assert NOT_YET not in browser.get(SMS_PAGE).content.decode()
    assert "SMS are sent from now on." not in tried(), "they were already"

    browser.post(SMS_PAGE, {**ENTERED, "key_secret": "", "auth_token": "", "price_*": "0.2"})
    assert smsaccount.is_open(), "a price is no reason"
    browser.post(SMS_PAGE, {**ENTERED, "key_secret": "", "auth_token": "", "sender": "+33757000001"})
    assert not smsaccount.is_open(), "another sender is"


def test_off_is_the_owners_word_and_no_test_switches_it_on(twilio: TwilioServer, signed_in: SignIn, now: dt.datetime) -> None:
    SmsAccount.objects.all().delete()
    browser = signed_in(Role.OWNER)
    browser.post(SMS_PAGE, ENTERED)
    browser.post(f"{SMS_PAGE}switch/", {"on": "0"})
    taken = len(twilio.taken)
    browser.post(f"{SMS_PAGE}test/", {"phone": texting.NUMBER})
    assert (len(twilio.taken), smsaccount.is_open()) == (taken + 1, False)


def test_the_owner_may_do_without_a_test_and_a_test_opens_nothing_that_was_closed_by_hand(
    twilio: TwilioServer, signed_in: SignIn
) -> None:
    SmsAccount.objects.all().delete()
    browser = signed_in(Role.OWNER)
    browser.post(SMS_PAGE, ENTERED)
    assert "Send SMS without a test" in browser.get(SMS_PAGE).content.decode()
    browser.post(f"{SMS_PAGE}switch/", {"on": "1"})
    assert smsaccount.is_open()
    browser.post(f"{SMS_PAGE}switch/", {"on": "0"})
    browser.post(f"{SMS_PAGE}test/", {"phone": texting.NUMBER})
    assert not smsaccount.is_open(), "somebody stopped it"
    assert "SMS are switched off." in browser.get(SMS_PAGE).content.decode()


def test_a_test_sms_answers_in_the_providers_words(twilio: TwilioServer, signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)

    def tried(number: str) -> str:
        return browser.post(
            "/settings/notifications/sms/test/", {"phone": number}, headers={"HX-Request": "true"}
        ).content.decode()

    assert "The SMS provider took the message." in tried("06 12 34 56 78")
    assert twilio.taken[0].form["To"] == texting.NUMBER
    assert "This number takes no SMS." in tried("04 72 00 00 00")
    assert "Enter a phone number" in tried("bla")
    twilio.script = "400:21606"
    assert "The sender cannot send SMS to this number (21606)." in tried("06 12 34 56 78")
    twilio.secret = "rotated"
    assert "does not accept the account or its key (20003)" in tried("06 12 34 56 78")


def test_a_promotion_is_tried_on_the_own_phone_within_the_limits_and_counted(
    twilio: TwilioServer, now: dt.datetime, signed_in: SignIn
) -> None:
    """To the number in the own profile alone: no test reaches a client who said No."""
    client = texting.willing(now - dt.timedelta(days=30), first_name="Zoé")
    browser = signed_in(Role.MANAGER)
    form = {"sel": client.pk, "channel": "sms", "text": "{first_name}, soins -20 %", "act": "test", "key": "k"}
    page = browser.post("/messages/new/", form).content.decode()
    assert "Enter your own mobile number first" in page
    assert "enter it" in page
    me = {"name": "Nadia Keller", "language": "en", "theme": "auto", "density": "compact"}
    assert browser.post("/me/", {**me, "phone": "bla"}).status_code == 422
    browser.post("/me/", {**me, "phone": "06 99 99 99 99"})
    assert "06 99 99 99 99" in browser.get("/me/").content.decode()
    SmsAccount.objects.update(monthly_budget=Decimal("0.17"))
    page = browser.post("/messages/new/", form).content.decode()
    assert "The SMS provider took the message." in page
    (sms,) = twilio.taken
    assert (sms.form["To"], sms.form["Body"][:36]) == ("+33699999999", "Atelier Nord : Zoé, soins -20 % Rése")
    assert costs.spent_since(timezone.now() - dt.timedelta(hours=1)) == texting.PRICE
    twilio.script = "400:21606"
    browser.post("/messages/new/", form)
    assert costs.spent_since(timezone.now() - dt.timedelta(hours=1)) == texting.PRICE, "what was not sent costs nothing"
    twilio.script = "ok"
    browser.post("/messages/new/", form)
    assert "budget for SMS is used up" in browser.post("/messages/new/", form).content.decode()
    tried = browser.post("/settings/notifications/sms/test/", {"phone": "06 12 34 56 78"})
    assert tried.status_code == 403, "only the owner tries the account itself"
    SmsAccount.objects.update(monthly_budget=None, campaign_cap=Decimal("0.05"))
    assert "cost more than one may" in browser.post("/messages/new/", form).content.decode()
    SmsAccount.objects.update(campaign_cap=None, is_on=False)
    assert "switched off" in browser.post("/messages/new/", form).content.decode()
    assert len(twilio.taken) == 2
    assert SmsTest.objects.filter(by__email="nadia@example.org", cost__gt=0).count() == 2
    assert not Message.objects.exists()
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("stop", ["provider_stop", "object"])
def test_no_test_reaches_a_number_that_stopped_it(twilio: TwilioServer, owner: User, now: dt.datetime, stop: str) -> None:
    """Whose number it is nobody knows: it is typed. After a No to offers a test of the account is no offer."""
    hmac = addresses.hash_of("sms", texting.NUMBER)
    if stop == "provider_stop":
        numbers.stop(texting.NUMBER, source="sms_reply", now=now)
    else:
        addresses.stop_hash("sms", hmac, scope=Address.Scope.MARKETING, reason=Address.Reason.OBJECT, now=now)
    owner.phone = texting.NUMBER
    salon = Salon.objects.current()
    with pytest.raises(Refused, match="stopped SMS"):
        smstests.show(body="Soins -20 %", salon=salon, by=owner)
    if stop == "provider_stop":
        with pytest.raises(Refused, match="stopped SMS"):
            smstests.check(to=texting.NUMBER, salon=salon, by=owner)
    else:
        assert smstests.check(to=texting.NUMBER, salon=salon, by=owner).outcome is Outcome.ACCEPTED
    assert (len(twilio.taken), SmsTest.objects.count()) == ((0, 0) if stop == "provider_stop" else (1, 1))


def test_one_person_has_a_few_tests_an_hour_sent_and_no_more(twilio: TwilioServer, owner: User) -> None:
    """What the provider did not take is not counted: somebody is still looking for the right key."""
    salon = Salon.objects.current()
    owner.phone = texting.NUMBER
    twilio.script = "400:21606"
    for _number in range(smstests.AT_MOST + 1):
        smstests.check(to=texting.NUMBER, salon=salon, by=owner)
    twilio.script = "ok"
    for number in range(smstests.AT_MOST):
        send = smstests.check(to=texting.NUMBER, salon=salon, by=owner) if number % 2 else None
        assert (send or smstests.show(body="Soins -20 %", salon=salon, by=owner)).outcome is Outcome.ACCEPTED
    with pytest.raises(Refused, match="within the hour"):
        smstests.check(to=texting.NUMBER, salon=salon, by=owner)
    with pytest.raises(Refused, match="within the hour"):
        smstests.show(body="Soins -20 %", salon=salon, by=owner)
    assert len(twilio.taken) == smstests.AT_MOST
    smstests.check(to=texting.NUMBER, salon=salon, by=user_with(Role.MANAGER))
    SmsTest.objects.update(at=timezone.now() - smstests.WITHIN)
    smstests.check(to=texting.NUMBER, salon=salon, by=owner)
    assert len(twilio.taken) == smstests.AT_MOST + 2


def test_a_stop_shows_on_the_card_and_an_answer_in_its_timeline(
    twilio: TwilioServer, now: dt.datetime, signed_in: SignIn
) -> None:
    client = texting.willing(now - dt.timedelta(days=30))
    texting.answers("Merci !", sid="SM1")
    texting.answers("Stop", sid="SM2")
    for role in (Role.RECEPTION, Role.OWNER):
        page = signed_in(role).get(f"/clients/{client.pk}/").content.decode()
        assert "STOP by SMS since" in page
        assert "Merci !" in page
        assert f'id="client-{client.pk}-reminders-sms"' in page, "reminders by SMS have their own switch"
    page = signed_in(Role.RECEPTION).get("/messages/replies/").content.decode()
    assert page.index("Merci !") < page.index("Stop"), "what nobody has read stands first"
