"""The preference page: what a client ticks holds at once, what they left alone writes nothing (I-09, I-10, I-31)."""

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clients import choices, consent, fold
from clients.models import Address, Client, ConsentEvent, Subject
from notifications import facts, gate, links, planner
from notifications.models import Message, State
from salon.core import instance
from salon.core.models import AuditEvent, Salon
from tests import factories
from tests.clients import fold_oracle
from tests.generated import cases
from tests.notifications import letters, marketing

pytestmark = pytest.mark.django_db


@pytest.fixture
def amelie(salon: Salon) -> Client:
    client = factories.client(email="amelie@example.org", phone="+33688012345", language="fr")
    letters.grant(client, at=timezone.now() - dt.timedelta(days=9))
    return client


def state(client: Client, purpose: str, channel: str = "email") -> str:
    return consent.standing(client, purpose, channel)


def save(client: Client, *, channel: str = "email", lang: str = "en", **changes: bool) -> Any:
    url = letters.url(client, channel) + f"?lang={lang}"
    return letters.browser().post(url, letters.ticked(letters.browser().get(url), **changes))


def test_the_page_shows_what_holds_in_the_clients_language_and_only_a_masked_address(amelie: Client) -> None:
    page = letters.browser().get(letters.url(amelie))
    text = page.content.decode()
    assert '<html lang="fr"' in text
    assert "am•••@example.org" in text
    assert "amelie@" not in text
    assert "Bertrand" not in text
    assert "m&#x27;envoyer par e-mail des offres" in text
    assert page.headers["Content-Language"] == "fr"
    assert '<html lang="de"' in letters.browser().get(letters.url(amelie) + "?lang=de").content.decode()


def test_the_page_needs_no_script_no_token_and_no_other_host(amelie: Client) -> None:
    text = letters.browser().get(letters.url(amelie)).content.decode()
    assert "<script" not in text
    assert "csrfmiddlewaretoken" not in text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)


def test_a_page_that_is_saved_as_it_is_writes_nothing(amelie: Client) -> None:
    before = letters.dump()
    assert save(amelie).status_code == 200
    assert letters.dump() == before


def test_one_tick_taken_away_stops_that_kind_alone(amelie: Client) -> None:
    answer = save(amelie, mkt_review__email=False)
    assert "Requests for a review, by e-mail: off from now." in answer.content.decode()
    event = ConsentEvent.objects.get(event="withdraw")
    said = (event.purpose, event.channel, event.source, event.actor_type, event.evidence_level)
    assert said == ("mkt.review", "email", "preference_page", "client", 3)
    assert (state(amelie, "mkt.review"), state(amelie, "mkt.promotion")) == ("withdrawn", "granted")


def test_a_yes_for_the_address_of_the_link_counts_with_the_words_that_were_shown(amelie: Client) -> None:
    save(amelie, mkt_review__email=False)
    save(amelie, lang="de", mkt_review__email=True)
    event = ConsentEvent.objects.filter(event="grant").latest("pk")
    assert (event.evidence_level, event.source, event.actor_type) == (3, "preference_page", "client")
    assert event.text is not None
    assert (event.text.purpose, event.text.channel, event.text.language) == ("mkt.review", "email", "de")
    assert state(amelie, "mkt.review") == "granted"


def test_a_yes_for_the_other_channel_is_the_clients_word(amelie: Client) -> None:
    save(amelie, mkt_promotion__sms=True)
    event = ConsentEvent.objects.latest("pk")
    assert (event.channel, event.evidence_level) == ("sms", 2)
    assert event.address_hmac == consent.address_hash(amelie, "sms")
    assert state(amelie, "mkt.promotion", "sms") == "granted"


def test_after_a_stop_of_the_other_channel_only_a_link_to_it_opens_it_again(amelie: Client) -> None:
    letters.browser().post(letters.url(amelie, "sms"))
    page = letters.browser().get(letters.url(amelie))
    tick = next(one for one in page.context["sheet"].fields if one.name == "mkt.promotion:sms")
    assert (tick.bar, tick.is_fixed) == ("own_link", True)
    save(amelie, mkt_promotion__sms=True)
    assert state(amelie, "mkt.promotion", "sms") == "withdrawn"
    save(amelie, channel="sms", mkt_promotion__sms=True)
    assert state(amelie, "mkt.promotion", "sms") == "granted"
    assert Address.objects.get(channel="sms").scope == ""


def test_the_stop_button_is_one_press_and_says_so(amelie: Client) -> None:
    answer = letters.browser().post(letters.url(amelie) + "?lang=en", {"stop": "1"})
    assert "From now on you get no offers by e-mail." in answer.content.decode()
    event = ConsentEvent.objects.get(event="object")
    assert (event.purpose, event.channel, event.source) == ("*", "email", "preference_page")
    assert "Stop offers by e-mail" not in answer.content.decode()


def test_stop_everything_ends_marketing_everywhere_but_not_reminders(amelie: Client) -> None:
    letters.grant(amelie, {"mkt.review": "sms"}, at=timezone.now() - dt.timedelta(days=1))
    answers = [letters.browser().post(letters.url(amelie) + "?lang=en", {"everything": "1"}) for _ in range(3)]
    assert all("From now on you get no offers at all." in answer.content.decode() for answer in answers)
    assert ConsentEvent.objects.filter(event="object").values_list("purpose", "channel").get() == ("*", "*")
    assert {state(amelie, purpose, way) for purpose in consent.MARKETING for way in fold.CHANNELS} == {"withdrawn"}
    assert {row.scope for row in Address.objects.all()} == {"marketing"}
    assert state(amelie, "svc.reminder") != "withdrawn"


def test_reminders_can_be_switched_off_and_on(amelie: Client) -> None:
    assert "by e-mail: off from now" in save(amelie, svc_reminder__email=False).content.decode()
    assert state(amelie, "svc.reminder") == "withdrawn"
    save(amelie, svc_reminder__email=True)
    assert state(amelie, "svc.reminder") == "granted"


def test_profiling_is_asked_only_where_the_ledger_speaks_of_it(amelie: Client) -> None:
    assert letters.browser().get(letters.url(amelie)).context["sheet"].profiling is None
    consent.record(amelie, purpose="profiling", channel="", event="grant", source="paper_form", actor_type="staff")
    save(amelie, profiling__=False)
    assert state(amelie, "profiling", "") == "withdrawn"


def test_a_stale_page_neither_repeats_nor_undoes_what_was_said_meanwhile(amelie: Client) -> None:
    url = letters.url(amelie)
    page = letters.browser().get(url)
    letters.browser().post(url, {"stop": "1"})
    count = ConsentEvent.objects.count()
    letters.browser().post(url, letters.ticked(page))  # everything still ticked, nothing changed by hand
    assert ConsentEvent.objects.count() == count
    assert state(amelie, "mkt.promotion") == "withdrawn"


def test_a_form_sent_twice_is_once(amelie: Client) -> None:
    url = letters.url(amelie)
    form = letters.ticked(letters.browser().get(url), mkt_review__email=False, mkt_promotion__sms=True)
    for _ in range(3):
        assert letters.browser().post(url, form).status_code == 200
    assert ConsentEvent.objects.filter(source="preference_page").count() == 2


def test_a_link_to_an_old_address_only_restricts(amelie: Client) -> None:
    old = letters.url(amelie) + "?lang=en"
    Client.objects.filter(pk=amelie.pk).update(email="new@example.org")
    amelie.refresh_from_db()
    letters.grant(amelie, at=timezone.now() - dt.timedelta(days=1))
    page = letters.browser().get(old)
    assert "new@" not in page.content.decode()
    assert "ne•••" not in page.content.decode()
    letters.browser().post(old, letters.ticked(page, mkt_review__email=False, mkt_promotion__sms=True, mkt_review__sms=True))
    assert state(amelie, "mkt.review") == "withdrawn"
    assert state(amelie, "mkt.promotion", "sms") == "unknown"
    letters.browser().post(old, letters.ticked(letters.browser().get(old), mkt_review__email=True))
    assert state(amelie, "mkt.review") == "withdrawn"


@pytest.mark.parametrize("days", choices.PAUSES)
def test_a_pause_rests_all_marketing_and_ends_by_itself(amelie: Client, days: int) -> None:
    now = timezone.now()
    answers = [letters.browser().post(letters.url(amelie) + "?lang=en", {"pause": str(days)}) for _ in range(2)]
    amelie.refresh_from_db()
    until = amelie.marketing_paused_until
    assert until is not None
    assert dt.timedelta(days=days) < until - now <= dt.timedelta(days=days + 1, hours=1)
    assert timezone.localtime(until).time() == dt.time()
    assert "you get no offers. After that" in answers[0].content.decode()
    assert choices.is_paused(amelie, until - dt.timedelta(seconds=1))
    assert not choices.is_paused(amelie, until)
    assert AuditEvent.objects.filter(action="client.marketing_paused").count() == 1
    assert not ConsentEvent.objects.filter(source="preference_page").exists()
    letters.browser().post(letters.url(amelie), {"resume": "1"})
    amelie.refresh_from_db()
    assert amelie.marketing_paused_until is None


def test_a_longer_pause_is_not_made_shorter_and_an_old_link_does_not_end_it(amelie: Client) -> None:
    old = letters.url(amelie)
    letters.browser().post(old, {"pause": "90"})
    amelie.refresh_from_db()
    long = amelie.marketing_paused_until
    letters.browser().post(old, {"pause": "30"})
    Client.objects.filter(pk=amelie.pk).update(email="new@example.org")
    letters.browser().post(old, {"resume": "1"})
    amelie.refresh_from_db()
    assert amelie.marketing_paused_until == long


@pytest.mark.parametrize("act", ["stop", "everything", "save", "pause", "resume"])
def test_a_forged_link_does_nothing_whatever_is_pressed(amelie: Client, act: str) -> None:
    letters.browser().post(letters.url(amelie), {"pause": "30"})
    form = {"mkt.review:sms": "1", "was:mkt.review:email": "1", act: "30"}
    before, pages = letters.dump(), set()
    for token in letters.forged(amelie):
        answer = letters.browser().post(f"/u/{token}/?lang=en", form)
        pages.add((answer.status_code, answer.content))
    assert len(pages) == 1
    assert letters.dump() == before


@pytest.mark.parametrize("form", [{"pause": "9999"}, {"pause": "x"}, {"save": "1", "mkt.nothing:email": "1", "was:*:*": "1"}])
def test_nonsense_in_the_form_is_no_500(amelie: Client, form: dict[str, str]) -> None:
    count = ConsentEvent.objects.count()
    assert letters.browser().post(letters.url(amelie), form).status_code == 200
    assert ConsentEvent.objects.filter(event="grant").count() == count


# --- what anybody can press, in any order, against a second reading of the rules (fold_oracle) -----------------------

PRESSES = (
    "click",
    "stop",
    "everything",
    "yes",
    "no",
    "staff_yes",
    "staff_no",
    "new_address",
    "old_address",
    "old_click",
    "old_yes",
)


def _oracle(client: Client, purpose: str, channel: str) -> str:
    rows = ConsentEvent.objects.filter(subject__client=client).order_by("pk")
    names = (
        "purpose", "channel", "event", "address_hmac", "effective_at", "recorded_at", "source", "actor_type", "evidence_level",
    )  # fmt: skip
    events: list[dict[str, Any]] = [
        {"id": row.pk, "origin": row.subject_id, "voids": row.voids_id, **{name: getattr(row, name) for name in names}}
        for row in rows
    ]
    return fold_oracle.verdict(events, purpose, channel, consent.address_hash(client, channel), minimum=1)


@cases(40)
@given(presses=st.lists(st.sampled_from(PRESSES), min_size=1, max_size=9))
def test_whatever_is_pressed_the_page_and_the_ledger_say_the_same_and_no_stop_is_undone_by_others(
    salon: Salon, presses: list[str]
) -> None:
    client = factories.client()
    old = links.token_of(Subject.objects.get(client=client).pk, "email", consent.address_hash(client, "email"))
    first, second = client.email, f"second-{client.pk}@example.org"
    may_write = False  # what the holder of the present address said last, by hand: nobody else's Yes counts after their No
    for press in presses:
        url = letters.url(client)
        is_first = client.email == first
        if press in {"new_address", "old_address"}:
            Client.objects.filter(pk=client.pk).update(email=second if press == "new_address" else first)
            client.refresh_from_db()
            consent.project([client])
        elif press.startswith("staff"):
            event = "grant" if press == "staff_yes" else "withdraw"
            consent.record(client, purpose="mkt.review", channel="email", event=event, source="phone", actor_type="staff")
        elif press in {"yes", "no", "old_yes"}:
            target = f"/u/{old}/" if press == "old_yes" else url
            form = {"was:mkt.review:email": "1"} if press == "no" else {"mkt.review:email": "1"}
            letters.browser().post(target, {**form, "save": "1"})
        else:
            target = f"/u/{old}/" if press == "old_click" else url
            letters.browser().post(target, {press: "1"} if press in {"stop", "everything"} else {})
        stops = ConsentEvent.objects.filter(subject__client=client, actor_type="client").exclude(event__in=fold.POSITIVE)
        last_no = stops.order_by("-pk").first()
        proven = ConsentEvent.objects.filter(subject__client=client, event="grant", evidence_level=3).order_by("-pk").first()
        may_write = last_no is None or (
            proven is not None and proven.pk > last_no.pk and proven.address_hmac == consent.address_hash(client, "email")
        )
        found = consent.reading(client, "mkt.review", "email").state
        assert found == consent.standing(client, "mkt.review", "email") == _oracle(client, "mkt.review", "email")
        assert may_write or found != "granted", (press, is_first)
        if press in {"click", "stop", "everything", "no", "old_click"}:
            assert found != "granted"
    page = letters.browser().get(letters.url(client))
    tick = next(one for one in page.context["sheet"].fields if one.name == "mkt.review:email")
    assert tick.is_on is (consent.standing(client, "mkt.review", "email") == "granted")


# --- what waits already -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "reason"),
    [({}, "marketing_objection"), ({"stop": "1"}, "marketing_objection"), ({"everything": "1"}, "marketing_objection"),
     ({"pause": "30"}, "paused")],
)  # fmt: skip
def test_a_press_stops_a_promotion_that_waits_already(amelie: Client, salon: Salon, form: dict[str, str], reason: str) -> None:
    instance.claim(salon)
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    message = marketing.waiting(amelie, marketing.campaign(timezone.now()), timezone.now())
    assert isinstance(_decision(message, noon), gate.Send)
    letters.browser().post(letters.url(amelie), form)
    found = _decision(message, noon)
    assert isinstance(found, gate.Refuse)
    assert found.reasons[0] == reason
    if reason == "paused":
        amelie.refresh_from_db()
        assert amelie.marketing_paused_until is not None
        assert not isinstance(_decision(message, amelie.marketing_paused_until + dt.timedelta(hours=12)), gate.Wait)
        assert "paused" not in getattr(_decision(message, amelie.marketing_paused_until), "reasons", ())
    else:
        planner.plan(timezone.now())
        message.refresh_from_db()
        assert message.state == State.CANCELLED


def _decision(message: Message, at: dt.datetime) -> gate.Decision:
    return gate.decide(facts.gather(message, facts.look(message)), at)
