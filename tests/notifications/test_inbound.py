"""What clients send: STOP and START in any spelling, what may be a stop, what is none. Signed posts, as Twilio makes them."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import consent, fold
from clients.models import Address, Client, ConsentEvent, Standing
from notifications import facts, gate, inbound, planner, stopwords
from notifications.models import Message, Reply, SmsAccount, State
from notifications.stopwords import Meaning
from salon.core import instance, notices
from salon.core.models import Notice, Salon, User
from tests import factories
from tests.notifications import texting

pytestmark = pytest.mark.django_db
SERVICE, MARKETING = fold.SERVICE, fold.MARKETING

STOPS = [
    "STOP", "stop", " Stop. ", "Stop!", "«STOP»", "Arrêt", "arret", "STOPP", "Stop all", "STOP SMS", "stop pub",
    "Désabonner", "Abmelden", "abbestellen!", "opt-out", "UNSUBSCRIBE", "Baja", "end", "Cancel", "stop\n",
]  # fmt: skip
DOUBTS = ["please stop texting me", "bitte abmelden", "Merci d'arrêter ces SMS: STOP", "je veux me désabonner de tout ça"]
OTHERS = ["Merci, à demain !", "ok", "Yes", "Ich komme 5 Minuten später", "Stopka", "non", "", "weekend ok?"]


def test_words_mean_what_they_mean() -> None:
    """C6. Exact after folding; a stop word inside a sentence is for a person; the provider's own word stands above."""
    assert {text: stopwords.meaning(text) for text in STOPS} == dict.fromkeys(STOPS, Meaning.STOP)
    assert {text: stopwords.meaning(text) for text in DOUBTS} == dict.fromkeys(DOUBTS, Meaning.DOUBT)
    assert {text: stopwords.meaning(text) for text in OTHERS} == dict.fromkeys(OTHERS, Meaning.OTHER)
    assert stopwords.meaning("Start") == stopwords.meaning("UNSTOP") == Meaning.START
    assert stopwords.meaning("bla", "STOP") == Meaning.STOP
    assert stopwords.meaning("Yes", "START") == Meaning.START
    assert stopwords.meaning("HELP", "HELP") == Meaning.OTHER


@pytest.fixture
def open_salon(salon: Salon) -> Salon:
    instance.claim(salon)
    texting.lets_all_pass(salon)
    texting.account()
    return Salon.objects.current()


@pytest.fixture
def family(open_salon: Salon) -> list[Client]:
    """Two cards with one number, the mother with a Yes to offers by SMS and by e-mail; and a stranger."""
    now = timezone.now()
    mother = texting.willing(now, email="mother@example.org")
    consent.record(mother, purpose="mkt.promotion", channel="email", event="grant", source="in_person", now=now)
    return [mother, texting.client(first_name="Zoé"), texting.client(phone="+33612345679", first_name="Nora")]


def states(client: Client, channel: str = "sms") -> dict[str, str]:
    """What the ledger says, folded anew."""
    return {one: consent.reading(client, one, channel).state.value for one in (*MARKETING, *SERVICE)}


def reminder(client: Client) -> Message:
    """A reminder by SMS that is due."""
    now = timezone.now()
    visit = factories.appointment(client=client, start_at=now + dt.timedelta(hours=30), staff=factories.staff())
    return Message.objects.create(
        kind="reminder", channel="sms", client=client, appointment=visit, occasion=f"{visit.pk}:1:1", time_version=1,
        told_start_at=visit.start_at, not_before=now, expires_at=visit.start_at,
    )  # fmt: skip


def test_c6_stop_ends_all_sms_to_the_number_whoever_has_it_and_nothing_else(family: list[Client]) -> None:
    """I-25: no SMS of any kind but one answer; the e-mail of the same person and other people's SMS stay as they were."""
    mother, child, stranger = family
    waiting, before = reminder(child), states(mother, "email")
    assert texting.answers("Stop.").status_code == 200
    for client in (mother, child):
        assert set(states(client).values()) == {"withdrawn"}
        (event,) = ConsentEvent.objects.filter(subject__client=client, event="provider_stop")
        assert (event.purpose, event.channel, event.source, event.actor_type) == ("**", "sms", "sms_reply", "client")
    assert set(states(stranger).values()) == {"unknown"}
    assert states(mother, "email") == before
    row = Address.objects.get(channel="sms", scope="all")
    assert row.reason == "stop"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.CANCELLED, "client_refused")
    ack = Message.objects.get(kind="optout_ack")
    assert (ack.client, ack.channel) == (mother, "sms")


def test_stop_is_said_once_however_often_it_comes(family: list[Client]) -> None:
    """I-26 for answers: the same post, doubled, and a second STOP of an impatient person."""
    for sid in ("SM1", "SM1", "SM1", "SM2"):
        texting.answers("STOP", sid=sid)
    assert ConsentEvent.objects.filter(event="provider_stop").count() == 2, "one for each card"
    assert Message.objects.filter(kind="optout_ack").count() == 1
    assert Reply.objects.filter(provider_id="SM1").count() == 2, "one for each card"


def test_a_provider_that_answers_itself_is_not_echoed(family: list[Client]) -> None:
    texting.answers("Lasst mich in Ruhe", OptOutType="STOP")
    assert ConsentEvent.objects.filter(event="provider_stop").count() == 2
    assert not Message.objects.filter(kind="optout_ack").exists()


def test_stop_from_a_number_that_no_card_has_still_counts(open_salon: Salon) -> None:
    texting.answers("STOP", number="+33699999999")
    assert Address.objects.get(channel="sms").scope == "all"
    assert Reply.objects.get().client is None


def test_c7_start_opens_messages_about_visits_and_no_advertising(family: list[Client]) -> None:
    mother, child, _stranger = family
    texting.answers("STOP", sid="SM1")
    texting.answers("Start", sid="SM2")
    for client in (mother, child):
        found = states(client)
        assert {found[one] for one in SERVICE} == {"granted"}
        assert {found[one] for one in MARKETING} == {"withdrawn"}, "START does not re-grant what STOP ended"
        assert Standing.objects.get(client=client, purpose="svc.reminder", channel="sms").state == "granted"
        kinds = ConsentEvent.objects.filter(subject__client=client, channel="sms").values_list("event", flat=True)
        assert {"provider_stop", "provider_start"} <= set(kinds), "the ledger shows both"
    assert Address.objects.get(channel="sms", reason="stop").scope == "marketing"
    texting.answers("STOP", sid="SM3")
    assert set(states(mother).values()) == {"withdrawn"}
    assert Message.objects.filter(kind="optout_ack").count() == 2, "a new stop is answered anew"


def test_a_stop_in_other_words_waits_for_somebody_and_holds_back_offers_alone(
    family: list[Client], reception: User, owner: User
) -> None:
    """C6, free text: a task for the desk; advertising by SMS rests, reminders go on."""
    mother, _child, _stranger = family
    now = timezone.now()
    campaign = texting.send(mother, by=owner, now=now)
    texting.answers("please stop texting me")
    assert not ConsentEvent.objects.filter(event__in=["provider_stop", "object"]).exists()
    reply = Reply.objects.filter(client=mother).get()
    assert (reply.meaning, reply.body, reply.handled_at) == ("doubt", "please stop texting me", None)
    assert {notice.user for notice in Notice.objects.filter(code="sms.doubt")} == {reception, owner}
    at = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(11), dt.UTC)
    at += dt.timedelta(days=at.weekday() == 6)
    planner.plan(at)
    row = Message.objects.get(campaign=campaign)
    reason = decided(row, at)
    assert reason == ("reply_waits",)
    inbound.handle(reply, is_stop=False, by=reception, now=at)
    assert decided(row, at) == ()
    assert not Reply.objects.filter(handled_at=None).exists(), "read once for all cards with the number"


def decided(message: Message, at: dt.datetime) -> tuple[str, ...]:
    decision = gate.decide(facts.gather(message, facts.look(message)), at)
    return decision.reasons if isinstance(decision, gate.Refuse) else ()


def test_somebody_who_reads_a_stop_writes_it_as_the_clients_own(family: list[Client], reception: User) -> None:
    mother, child, _stranger = family
    texting.answers("bitte abmelden")
    inbound.handle(Reply.objects.filter(client=child).get(), is_stop=True, by=reception, now=timezone.now())
    for client in (mother, child):
        event = ConsentEvent.objects.get(subject__client=client, event="object")
        assert (event.purpose, event.channel, event.actor_type, event.actor) == ("*", "sms", "client", reception)
        assert {states(client)[one] for one in MARKETING} == {"withdrawn"}
        assert {states(client)[one] for one in SERVICE} == {"unknown"}, "reminders go on"


def test_any_other_text_is_shown_and_never_lost(family: list[Client], reception: User) -> None:
    texting.answers("Merci, à demain !")
    texting.answers("Bonjour", number="+33699999999", sid="SM9")
    assert Reply.objects.filter(body="Merci, à demain !", client__in=family).count() == 2
    assert Reply.objects.get(client=None).sender == "+33699999999"
    assert Notice.objects.filter(user=reception, code="sms.answer").count() == 2
    assert not ConsentEvent.objects.exclude(purpose="mkt.promotion").exists()


def test_whatever_comes_in_is_taken_in(open_salon: Salon) -> None:
    """A sender that is a name, one of another service, a text of emoji: kept, and answered with a 200."""
    for place, number in enumerate(["INFO", "whatsapp:+33612345678", "36111", "+" + "9" * 40]):
        assert texting.answers("Zoë 😀" * 500, number=number, sid=f"SM{place}", NumMedia="1").status_code == 200
    assert texting.answers("", number="INFO", sid="SM9").status_code == 200
    assert Reply.objects.filter(client=None).count() == 5


def test_what_is_not_signed_is_refused_whole(family: list[Client]) -> None:
    assert texting.answers("STOP", token="guessed").status_code == 403
    browser = Browser(enforce_csrf_checks=True)
    assert browser.post(texting.INBOUND, {"From": texting.NUMBER, "Body": "STOP", "MessageSid": "SM1"}).status_code == 403
    assert browser.get(texting.INBOUND).status_code == 405
    SmsAccount.objects.all().delete()
    assert texting.answers("STOP").status_code == 403
    assert not Reply.objects.exists()
    assert not Address.objects.exclude(scope="").exists()


def test_a_signature_over_another_address_does_not_count(family: list[Client]) -> None:
    Salon.objects.update(public_url="https://book.example.com")
    assert texting.answers("STOP").status_code == 403


def test_a_stop_with_a_zero_byte_counts(family: list[Client]) -> None:
    """PostgreSQL keeps none: the whole answer would be lost."""
    assert texting.answers("STOP\0", sid="SM\x001").status_code == 200
    assert {states(family[0])[one] for one in SERVICE} == {"withdrawn"}
    assert set(Reply.objects.values_list("body", "provider_id")) == {("STOP", "SM1")}


def test_who_reads_an_answer_locks_the_cards_first_as_the_next_answer_does(family: list[Client], reception: User) -> None:
    texting.answers("bitte abmelden")
    reply = Reply.objects.filter(client=family[1]).get()
    with CaptureQueriesContext(connection) as asked:
        inbound.handle(reply, is_stop=True, by=reception, now=timezone.now())
    tables = [
        table for query in asked for table in re.findall(r'(?:FROM|UPDATE) "(clients_client|notifications_reply)"', query["sql"])
    ]
    assert tables[0] == "clients_client"


def test_answers_that_are_refused_by_the_hundred_are_told_to_the_owner_once(open_salon: Salon, owner: User) -> None:
    for number in range(5):
        texting.answers("STOP", sid=f"SM{number}", token="of an account before")
        texting.answers("STOP", sid=f"SM{number}", token="of a stranger", AccountSid="AC" + "0" * 32)
        assert Notice.objects.count() == (number >= 2)
    (line,) = notices.bell(owner).lines
    assert "refused" in line.words
    assert "could not leave" not in line.words
