"""The privacy form on the client's own phone: what it records, for how long the code works, and who cannot use it."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers, choices, consent, grid, records, wording
from clients.models import Client, ConsentEvent
from notifications import links, planner
from notifications.models import Message
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_pages import body
from tests.notifications import letters

pytestmark = pytest.mark.django_db
PROMOTION = "mkt.promotion:email"


@pytest.fixture
def address(salon: Salon) -> Salon:
    return factories.salon(public_url="https://carnet.example.org")


@pytest.fixture
def amelie(address: Salon, reception: User) -> Client:
    return records.add(
        by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="amelie@example.org", language="fr"
    )


def url(client: Client, now: dt.datetime | None = None) -> str:
    return f"/f/{links.form_token(client, now=now or timezone.now())}/"


def words_of(answer: Any) -> str:
    found = re.search(r'name="words" value="([\d.]+)"', answer.content.decode())
    assert found
    return found[1]


def send(client: Client, **ticks: str) -> Any:
    """Open the form and send it with these ticks (`mkt_promotion__email="yes"`), as the client's phone would."""
    fields = {name.replace("__", ":").replace("_", "."): answer for name, answer in ticks.items()}
    phone = letters.browser()
    return phone.post(url(client), {"words": words_of(phone.get(url(client))), **fields})


def events() -> list[ConsentEvent]:
    return list(ConsentEvent.objects.select_related("text").order_by("pk"))


# --- what it records ----------------------------------------------------------------------------------------------


def test_a_tick_is_the_clients_own_act_with_the_words_that_were_shown(amelie: Client) -> None:
    answer = send(amelie, mkt_promotion__email="yes", mkt_review__sms="no")
    assert answer.status_code == 200
    yes, no = events()
    assert (yes.purpose, yes.channel, yes.event, yes.source, yes.actor_type, yes.actor, yes.evidence_level) == (
        "mkt.promotion", "email", "grant", "own_form", "client", None, 2,
    )  # fmt: skip
    assert yes.text == wording.in_force("fr")["mkt.promotion", "email"]
    assert (no.purpose, no.channel, no.event, no.source, no.actor_type) == ("mkt.review", "sms", "withdraw", "own_form", "client")
    assert grid.cell(amelie, "mkt.promotion", "email").answer == "yes"
    assert consent.standing(amelie, "mkt.welcome", "email") == "unknown"
    assert "Promotions" in body(answer)


def test_another_language_records_the_words_of_that_language(amelie: Client) -> None:
    phone, address = letters.browser(), url(amelie) + "?lang=de"
    shown = phone.get(address)
    assert "Ihre Daten, Ihre Wahl" in shown.content.decode()
    phone.post(address, {"words": words_of(shown), PROMOTION: "yes"})
    assert events()[0].text == wording.in_force("de")["mkt.promotion", "email"]


def test_nothing_is_ticked_whatever_was_said_before(amelie: Client, reception: User) -> None:
    before = letters.browser().get(url(amelie)).content
    for pair in grid.pairs():
        grid.set_one(amelie, *pair, "yes", how="paper_form", by=reception)
    after = letters.browser().get(url(amelie)).content
    assert b"checked" not in before + after
    assert after.count(b'value="yes"') == after.count(b'value="no"') == len(grid.pairs())


def test_a_form_without_a_tick_is_answered_and_records_nothing(amelie: Client) -> None:
    answer = send(amelie)
    assert answer.status_code == 422
    assert "au moins" in body(answer)
    assert send(amelie, mkt_promotion__email="maybe").status_code == 422
    assert not events()


def test_a_form_sent_twice_writes_once(amelie: Client) -> None:
    for _time in range(2):
        assert send(amelie, mkt_promotion__email="yes", mkt_review__sms="no").status_code == 200
    assert len(events()) == 2


def test_words_that_changed_meanwhile_are_shown_before_anything_is_recorded(amelie: Client, owner: User) -> None:
    phone, address = letters.browser(), url(amelie)
    words = words_of(phone.get(address))
    new = "Oui, {salon} peut m'écrire par {channel} le dimanche."
    wording.publish(purpose="mkt.promotion", channel="email", language="fr", body=new, by=owner)
    answer = phone.post(address, {"words": words, PROMOTION: "yes"})
    assert answer.status_code == 422
    assert "le dimanche" in body(answer)
    assert not events()
    assert words_of(answer) != words
    phone.post(address, {"words": words_of(answer), PROMOTION: "yes"})
    assert events()[0].text == wording.in_force("fr")["mkt.promotion", "email"]


def test_an_answer_of_staff_becomes_the_clients_own(amelie: Client, reception: User) -> None:
    grid.set_one(amelie, "mkt.promotion", "email", "yes", how="in_person", by=reception)
    grid.set_one(amelie, "mkt.review", "sms", "no", by=reception)
    send(amelie, mkt_promotion__email="yes", mkt_review__sms="no")
    assert [(event.source, event.actor_type) for event in events()[2:]] == [("own_form", "client")] * 2
    assert grid.cell(amelie, "mkt.review", "sms").stopped_on, "from now on staff cannot turn it on"


def test_a_plain_no_of_the_client_can_be_taken_back_here_a_stop_cannot(amelie: Client) -> None:
    send(amelie, mkt_promotion__email="no")
    consent.record(amelie, purpose="*", channel="sms", event="object", source="preference_page", now=timezone.now())
    page = body(letters.browser().get(url(amelie)))
    assert page.count("disabled") == len(choices.KINDS), "every kind of SMS, and nothing else"
    send(amelie, mkt_promotion__email="yes", mkt_promotion__sms="yes")
    assert consent.standing(amelie, "mkt.promotion", "email") == "granted"
    assert consent.standing(amelie, "mkt.promotion", "sms") == "withdrawn"


def test_a_channel_without_an_address_takes_a_no_alone(amelie: Client) -> None:
    Client.objects.filter(pk=amelie.pk).update(email="")
    send(amelie, mkt_promotion__email="yes", mkt_welcome__email="no")
    assert [(event.purpose, event.event) for event in events()] == [("mkt.welcome", "withdraw")]


def test_in_germany_a_yes_to_e_mail_waits_for_the_link_and_the_link_is_sent(amelie: Client) -> None:
    factories.salon(country="DE", public_url="https://carnet.example.org")
    answer = send(amelie, mkt_promotion__email="yes", mkt_promotion__sms="yes")
    assert "dès que vous ouvrez le lien" in body(answer)
    assert consent.standing(amelie, "mkt.promotion", "email") == "pending"
    assert consent.standing(amelie, "mkt.promotion", "sms") == "granted"
    planner.plan(timezone.now() + dt.timedelta(minutes=1))
    assert Message.objects.get(kind="doi_request").client == amelie


def test_it_follows_nobody_into_profiling_without_a_tick(amelie: Client) -> None:
    send(amelie, profiling__="yes")
    assert [(event.purpose, event.channel) for event in events()] == [("profiling", "")]


# --- the code -----------------------------------------------------------------------------------------------------


def test_the_code_is_on_the_form_where_there_is_a_public_address_only(
    signed_in: Callable[[Role], Browser], amelie: Client, settings: Any
) -> None:
    desk = signed_in(Role.RECEPTION)
    paper, code = f"/clients/{amelie.pk}/privacy-form/", f"/clients/{amelie.pk}/privacy-form/code.svg"
    assert code in body(desk.get(paper))
    picture = desk.get(code)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/svg+xml")
    assert picture.content.startswith(b"<svg")
    assert picture.headers["Cache-Control"] == "no-store"
    event = AuditEvent.objects.get(action="client.form_linked")
    assert (event.subject_id, event.by and event.by.role) == (amelie.pk, Role.RECEPTION)
    factories.salon(public_url="")
    settings.PUBLIC_BASE_URL = ""
    assert "code.svg" not in body(desk.get(paper))
    assert desk.get(code).status_code == 404


def test_it_works_for_a_day(amelie: Client) -> None:
    now = timezone.now()
    token = links.form_token(amelie, now=now)
    ends = now + links.FORM_VALID_FOR
    assert links.read_form(token, now=ends - dt.timedelta(seconds=1)) is not None
    assert links.read_form(token, now=ends) is None


def forged(client: Client) -> list[str]:
    good = links.form_token(client, now=timezone.now())
    flipped = [good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :] for place in (0, 3, 12, 16, 20, 30, 43)]
    return [
        *flipped, good[:-1], good[1:], good + "A", good.lower(), "x", "é", "%20", "=" * 44, "A" * 44, "A" * 4000,
        links.token(client, "email"), links.confirm_token(1), links.form_token(client, now=timezone.now() - links.FORM_VALID_FOR),
    ]  # fmt: skip


def test_forged_and_old_codes_look_the_same_and_change_nothing(amelie: Client) -> None:
    words = words_of(letters.browser().get(url(amelie)))
    before = letters.dump()
    seen = set()
    for token in forged(amelie):
        for method in ("get", "post"):
            answer = getattr(letters.browser(), method)(f"/f/{token}/", {"words": words, PROMOTION: "yes"})
            seen.add((answer.status_code, answer.content))
            assert dict(answer.cookies) == {}
    assert len(seen) == 1
    assert letters.dump() == before


def test_no_other_links_token_opens_it_and_its_own_opens_no_other(amelie: Client) -> None:
    token = links.form_token(amelie, now=timezone.now())
    assert links.read(token) is None
    assert links.read_confirm(token) is None


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_to_open_it_changes_nothing_whoever_is_signed_in(
    amelie: Client, method: str, signed_in: Callable[[Role], Browser]
) -> None:
    staff = signed_in(Role.OWNER)
    before = letters.dump()
    for visitor in (letters.browser(), staff):
        for path in (url(amelie), url(amelie) + "?lang=de", "/f/wrong/"):
            answer = getattr(visitor, method)(path)
            assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert letters.dump() == before


def test_the_dump_sees_an_answer(amelie: Client) -> None:
    before = letters.dump()
    send(amelie, mkt_promotion__email="yes")
    assert letters.dump() != before


def test_it_names_nobody_and_shows_masks(amelie: Client) -> None:
    page = body(letters.browser().get(url(amelie)))
    assert "am•••@example.org" in page
    assert "06 •• •• •• 11" in page
    assert not re.search("Amélie|Bertrand|8821|88 21|amelie@", page)


def test_the_forgotten_have_no_form(amelie: Client) -> None:
    address = url(amelie)
    Client.objects.filter(pk=amelie.pk).update(erased_at=timezone.now())
    assert letters.browser().get(address).content == letters.browser().get("/f/wrong/").content


def test_an_inactive_client_can_say_no_but_not_yes(amelie: Client) -> None:
    Client.objects.filter(pk=amelie.pk).update(inactive_at=timezone.now())
    send(amelie, mkt_promotion__email="yes", mkt_review__email="no")
    assert [event.event for event in events()] == ["withdraw"]


def test_a_fault_leaves_no_line_with_the_address_in_the_log(amelie: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert send(amelie).status_code == 422
    assert "/f/" not in caplog.text


def test_the_history_says_that_the_client_did_it(amelie: Client, signed_in: Callable[[Role], Browser]) -> None:
    send(amelie, mkt_promotion__email="yes")
    page = body(signed_in(Role.RECEPTION).get(f"/clients/{amelie.pk}/consent/history/"))
    assert "Privacy form on their phone" in page
    assert "the client" in page
    assert answers.front(amelie, "email").answer == "some"
