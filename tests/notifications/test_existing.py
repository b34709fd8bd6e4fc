"""Offers to existing clients without a Yes: off until an owner says so, for two kinds alone, and ended by any No (1.4)."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers, consent, existing, fold, wording
from clients.importing import jobs
from clients.models import Client, ConsentEvent, ConsentText, ExistingRule, Import, ImportedCard
from notifications import ahead, dispatch, facts, gate, kinds, planner, unasked
from notifications.models import Attempt, Message, State, Trigger
from salon.core import phone
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.fakes.provider import FakeProvider
from tests.fakes.twilio_server import TwilioServer
from tests.notifications import letters, marketing, texting

pytestmark = pytest.mark.django_db

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)
PAGE = "/settings/privacy/existing/"


@pytest.fixture
def on(sending_salon: Salon, owner: User, now: dt.datetime) -> Salon:
    """A French salon whose owner switched it on for both channels."""
    for channel in fold.CHANNELS:
        existing.switch(channel, is_on=True, by=owner, now=now)
    return sending_salon


def known(now: dt.datetime, **fields: Any) -> Client:
    """Return somebody who paid for a visit six weeks ago, whatever they said."""
    client = factories.client(created_at=now - 90 * DAY, **fields)
    start_at = now - 6 * WEEK
    factories.appointment(client=client, start_at=start_at, time_set_at=start_at - DAY, state="done", is_notice_wanted=False)
    return client


def told(now: dt.datetime, by: User, *, channel: str = "email", **fields: Any) -> Client:
    client = known(now, **fields)
    assert existing.note(client, channel, how="in_person", by=by, now=now - 2 * DAY)
    return client


def test_a_promotion_reaches_who_was_told_and_names_what_it_stands_on(
    on: Salon, fake: FakeProvider, now: dt.datetime, owner: User
) -> None:
    client, unasked = told(now, owner), known(now)
    campaign = marketing.send(client, unasked, by=owner, now=now)
    assert sorted(campaign.recipients.values_list("client", "reason")) == [(client.pk, ""), (unasked.pk, "consent_missing")]
    planner.plan(now)
    dispatch.deliver_due(now=now + marketing.AFTER_UNDO)
    assert fake.recipients == [client.email]
    body = Message.objects.get(state=State.ACCEPTED).body
    assert "vous comptez parmi ses clients et n'avez pas refusé" in body
    assert "vous l'avez accepté" not in body
    decision = Attempt.objects.get().decision
    event, notice = ConsentEvent.objects.get(pk=decision["event_ids"][0]), existing.notice(client, "email")
    assert (decision["consent"], decision["is_soft_opt_in_open"]) == ("soft_opt_in", True)
    assert (event.event, event.purpose, event.text) == ("soft_opt_in", "mkt.promotion", notice)


def test_off_nobody_gets_anything_and_switching_off_takes_back_what_waits(
    on: Salon, fake: FakeProvider, now: dt.datetime, owner: User
) -> None:
    client = told(now, owner)
    Trigger.objects.update_or_create(kind="rebook", defaults={"is_on": True})
    planner.plan(now)
    message = Message.objects.get(client=client, kind="rebook")
    assert ahead.obstacle(facts.switches()["rebook"], on) == ""
    existing.switch("email", is_on=False, by=owner, now=now)
    dispatch.deliver_due(now=now + DAY / 24)  # no planner in between: the gate alone
    message.refresh_from_db()
    assert (message.state, message.reason, fake.delivered) == (State.SUPPRESSED, "consent_missing", [])
    assert ahead.obstacle(facts.switches()["rebook"], on) == "nobody"
    with pytest.raises(Refused):
        marketing.send(client, by=owner, now=now)
    existing.switch("email", is_on=True, by=owner, now=now)
    planner.plan(now + DAY / 24)
    dispatch.deliver_due(now=now + DAY / 24)
    assert fake.recipients == [client.email]
    Message.objects.all().delete()
    planner.plan(now + DAY / 12)
    existing.switch("email", is_on=False, by=owner, now=now)
    planner.plan(now + DAY / 12)
    assert Message.objects.get().reason == "consent_missing"


@pytest.mark.parametrize("channel", fold.CHANNELS)
@pytest.mark.parametrize("kind", [name for name, one in kinds.TABLE.items() if one.is_marketing])
def test_greetings_welcomes_and_reviews_need_a_yes_even_so(on: Salon, now: dt.datetime, kind: str, channel: str) -> None:
    """Whatever stands in the ledger: a line of this kind for another purpose opens nothing."""
    client = known(now)
    text = wording.in_force("fr")["existing", channel]
    for purpose in fold.MARKETING:
        marketing.says(client, "soft_opt_in", now - DAY, purpose=purpose, channel=channel, text=text)
    campaign = marketing.campaign(now, channel=channel) if kind == "promotion" else None
    message = Message.objects.create(
        kind=kind, channel=channel, client=client, campaign=campaign, occasion="2026:x", not_before=now, expires_at=now + DAY,
        appointment=client.appointments.get(),
    )  # fmt: skip
    decision = gate.decide(facts.gather(message, facts.look(message)), now)
    reasons = decision.reasons if isinstance(decision, gate.Refuse) else ()
    assert ("consent_missing" in reasons) is (kind not in {"promotion", "rebook"})


def test_an_sms_follows_the_law_of_the_number_too(on: Salon, now: dt.datetime, owner: User) -> None:
    """The stricter of two countries: a German number in a French salon."""
    texting.account()
    french = told(now, owner, channel="sms", phone="+33612345678")
    german = told(now, owner, channel="sms", phone="+4915123456789")
    for client, is_open in ((french, True), (german, False)):
        message = Message(kind="promotion", channel="sms", client=client, not_before=now, expires_at=now + DAY)
        found = facts.gather(message, facts.look(message))
        assert (found.consent, found.is_soft_opt_in_open) == ("soft_opt_in", is_open)
    with pytest.raises(Refused):
        texting.send(german, by=owner, now=now)


def passes(now: dt.datetime) -> list[tuple[str, str, str]]:
    """Let planner and sender go over the book a few times, as they do every few seconds."""
    for minute in range(4):
        planner.plan(now + minute * DAY / 1440)
        dispatch.deliver_due(now=now + minute * DAY / 1440)
    return list(Message.objects.filter(kind="rebook").values_list("channel", "state", "reason"))


@pytest.mark.parametrize("channel", fold.CHANNELS)
def test_who_said_no_once_gets_nothing_without_a_yes_and_no_message_goes_to_and_fro(
    on: Salon, fake: FakeProvider, now: dt.datetime, owner: User, channel: str
) -> None:
    """Also where the No to one kind was answered by a Yes to it: planner and gate ask the same."""
    texting.account()
    Trigger.objects.update_or_create(kind="rebook", defaults={"is_on": True, "ways": channel})
    client, other = told(now, owner, channel=channel), told(now, owner, channel=channel)
    marketing.says(client, "withdraw", now - DAY, purpose="mkt.promotion", channel=channel)
    marketing.says(client, "grant", now - DAY / 2, purpose="mkt.promotion", channel=channel)
    slip = consent.record(other, purpose="mkt.review", channel=channel, event="withdraw", source="phone", by=owner, now=now)
    consent.void(slip, by=owner, now=now)
    planner.plan(now)
    assert list(Message.objects.filter(kind="rebook").values_list("client", flat=True)) == [other.pk], "a slip is no No"
    Message.objects.all().delete()
    Client.objects.filter(pk=other.pk).update(inactive_at=now)
    assert (passes(now), fake.delivered) == ([], [])


def test_who_may_not_get_it_by_sms_gets_it_by_the_mail_they_said_yes_to(
    on: Salon, fake: FakeProvider, now: dt.datetime, owner: User, settings: Any
) -> None:
    """A German number in a French salon: its law asks for a Yes to SMS, and there is one to e-mail."""
    texting.lets_all_pass(on)
    texting.account()
    Trigger.objects.update_or_create(kind="rebook", defaults={"is_on": True, "ways": "sms email"})
    client = told(now, owner, channel="sms", phone="+4915123456789")
    marketing.says(client, "grant", now - DAY, purpose="mkt.rebook")
    french = told(now, owner, channel="sms", phone="+33612345678")
    with TwilioServer() as server:
        settings.TWILIO_API_URL = server.url
        found = passes(now)
        assert [sms.form["To"] for sms in server.taken] == [french.phone]
    assert sorted(found) == [("email", State.ACCEPTED, ""), ("sms", State.ACCEPTED, "")]
    assert fake.recipients == [client.email]


@pytest.mark.parametrize(
    "number",
    ["+33612345678", "+33639980123", "+4915123456789", "+447400123456", "+447797712345", "+447781123456", "+447624123456",
     "+447700900123", "+41791234567", "+12025550123", "+590690123456"],
)  # fmt: skip
def test_the_list_lets_no_number_pass_that_the_law_does_not(salon: Salon, number: str) -> None:
    """The islands beside Great Britain have its code and laws of their own; of who shares a code the list may be stricter."""
    for country in ("FR", "GB"):
        is_listed = re.search(phone.pattern(country), number) is not None
        assert is_listed is (phone.region(number) == country)


@pytest.mark.parametrize("purpose", ["mkt.promotion", "mkt.birthday", "*"])
def test_any_no_ends_it_for_good_also_after_a_later_yes_to_something_else(
    on: Salon, now: dt.datetime, owner: User, purpose: str
) -> None:
    client = told(now, owner)
    marketing.says(client, "withdraw", now - DAY, purpose=purpose)
    marketing.says(client, "grant", now - DAY / 2, purpose="mkt.birthday", source="paper_form")
    with pytest.raises(Refused, match="None of them"):
        marketing.send(client, by=owner, now=now)
    with pytest.raises(Refused, match="said No once"):
        existing.note(client, "email", how="phone", by=owner, now=now)


def test_another_address_is_another_one(on: Salon, now: dt.datetime, owner: User) -> None:
    client = told(now, owner)
    Client.objects.filter(pk=client.pk).update(email="new@example.org")
    client.refresh_from_db()
    consent.record(client, purpose="*", channel="email", event="address_changed", source="other", now=now - DAY)
    with pytest.raises(Refused, match="None of them"):
        marketing.send(client, by=owner, now=now)


def test_the_page_of_choices_shows_it_as_on_and_ends_it(on: Salon, now: dt.datetime, owner: User) -> None:
    client = told(now, owner)
    path = letters.url(client)
    page = letters.browser().get(path)
    assert page.context["gets_offers"]
    ticks = {one.purpose: one.is_on for one in page.context["sheet"].fields if one.channel == "email"}
    assert [purpose for purpose, is_on in ticks.items() if is_on and purpose.startswith("mkt.")] == list(existing.PURPOSES)
    letters.browser().post(path, letters.ticked(page, mkt_promotion__email=False))
    assert consent.reading(client, "mkt.promotion", "email").state is fold.State.WITHDRAWN
    with pytest.raises(Refused, match="None of them"):
        marketing.send(client, by=owner, now=now)


# --- noting it on the card ----------------------------------------------------------------------------------------------

SignIn = Callable[[Role], Browser]


def test_the_desk_notes_it_with_how_and_can_undo_it(on: Salon, signed_in: SignIn) -> None:
    client = known(timezone.now())
    browser, url = signed_in(Role.RECEPTION), f"/clients/{client.pk}/consent/"
    assert "Was told of offers" in browser.get(f"/clients/{client.pk}/").content.decode()
    form = {"what": "marketing", "channel": "email", "answer": "told"}
    asked = browser.post(url, form, headers={"HX-Request": "true"}).content.decode()
    assert "How was the client told" in asked
    assert not ConsentEvent.objects.exists()
    assert browser.get(f"/clients/{client.pk}/?ask=told-email").content.decode().count("How was the client told") == 1
    noted = browser.post(url, {**form, "how": "phone"}, headers={"HX-Request": "true"}).content.decode()
    assert "gets offers as an existing client" in noted
    assert set(ConsentEvent.objects.values_list("event", "purpose", "source", "evidence_level")) == {
        ("soft_opt_in", "mkt.promotion", "phone", 1), ("soft_opt_in", "mkt.rebook", "phone", 1),
    }  # fmt: skip
    assert answers.front(client, "email").answer is answers.Answer.NOT_ASKED, "it is no Yes, in no list and no export"
    browser.post(url, {**form, "how": "phone"})
    assert ConsentEvent.objects.count() == 2, "noted once"
    events = list(ConsentEvent.objects.all())
    browser.post(f"{url}undo/", {"token": answers.undo_token(events)})
    assert consent.reading(client, "mkt.promotion", "email").state is fold.State.UNKNOWN


@pytest.mark.parametrize("case", ["off", "listed", "no address", "shut", "other"])
def test_it_cannot_be_noted_of_whom_it_does_not_hold(on: Salon, now: dt.datetime, owner: User, case: str) -> None:
    client = known(now, email="" if case == "no address" else "a@example.org")
    if case == "off":
        existing.switch("email", is_on=False, by=owner, now=now)
    elif case == "listed":
        ImportedCard.objects.create(source=factories.imported(), client=client, is_new=True)
    elif case == "shut":
        marketing.says(known(now, email="a@example.org"), "object", now, purpose="*")
    how = "import" if case == "other" else "phone"
    with pytest.raises(ValueError if case == "other" else Refused):
        existing.note(client, "email", how=how, by=owner, now=now)
    assert not answers.front(client, "email").may_be_told or case == "other"
    assert not ConsentEvent.objects.filter(event="soft_opt_in").exists()


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_card_that_came_with_a_list_gets_no_unasked_offer_when_the_list_is_long_forgotten(
    on: Salon, fake: FakeProvider, now: dt.datetime, owner: User, is_listed: bool
) -> None:
    """The control is the same client, told the same, whose card came with no list: they get it."""
    client, source = told(now, owner), factories.imported()
    Import.objects.filter(pk=source.pk).update(state=Import.State.DONE, settled_at=now - 8 * DAY)
    if is_listed:
        ImportedCard.objects.create(source=source, client=client, is_new=True, marks={"email": "digest"})
    assert jobs.tidy(now) == 1
    assert jobs.tidy(now + DAY) == 0
    assert ("came with a list" in existing.bar(client, "email", consent.events_of(client))) is is_listed
    promotion = kinds.TABLE["promotion"]
    rows = Client.objects.filter(unasked.condition(promotion, "email", "FR", now), pk=client.pk)
    assert rows.exists() is not is_listed, "what the planner asks"
    message = marketing.waiting(client, marketing.campaign(now), now)
    dispatch.deliver_due(now=now)
    message.refresh_from_db()
    assert (message.state, fake.recipients) == ((State.SUPPRESSED, []) if is_listed else (State.ACCEPTED, [client.email]))


# --- the owner's switch ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "channel", "is_lawful"),
    [
        ("FR", "email", True), ("FR", "sms", True), ("GB", "sms", True), ("DE", "email", True), ("DE", "sms", False),
        ("BE", "email", False), ("US", "email", False),
    ],
)  # fmt: skip
def test_it_can_be_switched_on_where_the_law_lets_it_and_by_an_owner(
    sending_salon: Salon, owner: User, now: dt.datetime, country: str, channel: str, is_lawful: bool
) -> None:
    Salon.objects.update(country=country)
    with pytest.raises(Refused, match="Only an owner"):
        existing.switch(channel, is_on=True, by=people.user_with(Role.MANAGER), now=now)
    if is_lawful:
        assert existing.switch(channel, is_on=True, by=owner, now=now)
        assert not existing.switch(channel, is_on=True, by=owner, now=now)
    else:
        with pytest.raises(Refused, match="law"):
            existing.switch(channel, is_on=True, by=owner, now=now)
    assert existing.is_on(country, channel) is is_lawful
    Salon.objects.update(country="BE")
    assert not existing.channels("BE"), "a salon that moves decides anew"
    ExistingRule.objects.update_or_create(country="BE", channel=channel, defaults={"switched_on_at": now})
    assert not existing.is_on("BE", channel), "a row alone opens nothing that the law does not"


def test_the_page_explains_it_and_the_owner_alone_presses(sending_salon: Salon, signed_in: SignIn) -> None:
    manager, owner = signed_in(Role.MANAGER), signed_in(Role.OWNER)
    assert b"existing-email-switch" not in manager.get(PAGE).content
    assert manager.post(PAGE, {"channel": "email", "on": "1"}).status_code == 403
    page = owner.get(PAGE).content.decode()
    for words in ("A No always wins", "within the last 24 months", "existing-sms-switch"):
        assert words in page
    assert owner.post(PAGE, {"channel": "email", "on": "1"}).status_code == 303
    assert owner.post(PAGE, {"channel": "pigeon", "on": "1"}).status_code == 303
    assert list(ExistingRule.objects.values_list("country", "channel")) == [("FR", "email")]
    assert "Switched on on" in owner.get(PAGE).content.decode()
    owner.post(PAGE, {"channel": "email", "on": "0"})
    assert not ExistingRule.objects.exists()
    facts_ = [row.facts["is_on"] for row in AuditEvent.objects.filter(action="existing.switched").order_by("pk")]
    assert facts_ == [True, False]
    Salon.objects.update(country="DE")
    assert "SMS need a Yes in any case" in owner.get(PAGE).content.decode()


def test_the_words_told_exist_in_every_language_and_can_be_written_anew(sending_salon: Salon, owner: User) -> None:
    for language in ("en", "fr", "de"):
        for channel in fold.CHANNELS:
            text = wording.in_force(language)["existing", channel]
            assert "{salon}" in text.body
            assert "{channel}" in text.body
    with pytest.raises(Refused, match="has to stand in it"):
        wording.publish(purpose="existing", channel="email", language="fr", body="Bonjour {salon}", by=owner)
    new = wording.publish(purpose="existing", channel="email", language="fr", body="{salon} écrit par {channel}.", by=owner)
    assert isinstance(new, ConsentText)
