"""The consent table: each kind of marketing on each channel, and profiling, by the rules of the card's front."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers, consent, fold, grid, invariants, records, wording
from clients.answers import Answer
from clients.models import Client, ConsentEvent, ConsentText
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_other import token_in
from tests.clients.test_pages import body, part

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}
PROMO = ("mkt.promotion", "email")


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="a@example.org")


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


def table_of(client: Client) -> dict[tuple[str, str], Answer]:
    return {(cell.purpose, cell.channel): cell.answer for row in grid.rows(client) for cell in row.cells}


def say(browser: Browser, client: Client, cell: str = "mkt.promotion:email", **said: str) -> Any:
    return browser.post(f"/clients/{client.pk}/consent/kind/", {"cell": cell, **said}, headers=HTMX)


def test_the_table_has_a_cell_for_every_kind_on_every_channel_and_one_for_profiling(amelie: Client) -> None:
    cells = table_of(amelie)
    assert set(cells) == {(purpose, channel) for purpose in fold.MARKETING for channel in ("email", "sms")} | {("profiling", "")}
    assert set(cells.values()) == {Answer.NOT_ASKED}


@pytest.mark.parametrize("pair", grid.pairs())
def test_a_yes_to_one_cell_opens_that_cell_and_no_other(amelie: Client, reception: User, pair: tuple[str, str]) -> None:
    """Oracle: the projection that the planner reads, looked up purpose by purpose (I-11)."""
    (event,) = grid.set_one(amelie, *pair, "yes", how="paper_form", by=reception)
    assert event.text is not None
    assert (event.text.purpose, event.text.channel, event.text.language) == (*pair, "fr")
    granted = {pair for pair in fold.pairs() if consent.standing(amelie, *pair) == "granted"}
    assert granted == {pair}
    assert {key for key, answer in table_of(amelie).items() if answer is Answer.YES} == {pair}
    assert list(invariants.faults()) == []


def test_the_front_is_the_sum_of_the_table_and_links_to_it_for_some(desk: Browser, amelie: Client, reception: User) -> None:
    for purpose in fold.MARKETING:
        grid.set_one(amelie, purpose, "email", "yes", how="phone", by=reception)
    assert answers.front(amelie, "email").answer is Answer.YES
    grid.set_one(amelie, "mkt.review", "email", "no", by=reception)
    assert answers.front(amelie, "email").answer is Answer.SOME
    assert f'href="/clients/{amelie.pk}/other/#consent-table"' in body(desk.get(f"/clients/{amelie.pk}/"))
    answers.set_channel(amelie, "email", "no", by=reception)
    assert {answer for (_p, channel), answer in table_of(amelie).items() if channel == "email"} == {Answer.NO}


def test_the_same_answer_again_records_nothing_and_a_better_proof_does(amelie: Client, reception: User) -> None:
    counts = [
        len(grid.set_one(amelie, *PROMO, said, how=how, by=reception))
        for said, how in (("yes", "phone"), ("yes", "in_person"), ("yes", "paper_form"), ("no", "other"), ("no", "other"))
    ]
    assert counts == [1, 0, 1, 1, 0]


@pytest.mark.parametrize("stop", ["object", "withdraw", "complaint"])
def test_a_clients_own_stop_cannot_be_lifted_by_staff(desk: Browser, amelie: Client, reception: User, stop: str) -> None:
    grid.set_one(amelie, *PROMO, "yes", how="paper_form", by=reception)
    source = "provider_webhook" if stop == "complaint" else "preference_page"
    consent.record(amelie, purpose="*", channel="email", event=stop, source=source)
    for how in answers.HOW:
        with pytest.raises(Refused):
            grid.set_one(amelie, *PROMO, "yes", how=how, by=reception)
    with pytest.raises(Refused):
        grid.enter_sheet(amelie, {PROMO: "yes"}, signed_on=factories.today(), by=reception, now=timezone.now())
    shown = body(desk.get(f"/clients/{amelie.pk}/other/"))
    assert re.search(r'id="cell-mkt-promotion-email-yes"[^>]* disabled', shown)
    assert not re.search(r'id="cell-mkt-promotion-sms-yes"[^>]* disabled', shown)
    assert "The client stopped this on" in shown
    assert "Only they can turn it on" in body(say(desk, amelie, answer="yes", how="paper_form"))
    assert table_of(amelie)[PROMO] is Answer.NO


def test_control_the_fold_would_let_a_later_signed_form_through(amelie: Client, reception: User) -> None:
    consent.record(amelie, purpose="*", channel="email", event="object", source="preference_page")
    said = consent.Said(amelie, *PROMO, "grant", "paper_form", actor_type="staff")
    consent.record_many([said], by=reception, now=timezone.now() + dt.timedelta(seconds=1))
    assert table_of(amelie)[PROMO] is Answer.YES


def test_no_address_no_yes(amelie: Client, reception: User, desk: Browser) -> None:
    bare = records.add(by=reception, first_name="Zoé")
    with pytest.raises(Refused):
        grid.set_one(bare, *PROMO, "yes", how="phone", by=reception)
    assert grid.set_one(bare, "profiling", "", "yes", how="phone", by=reception)
    assert "No e-mail on this card." in body(desk.get(f"/clients/{bare.pk}/other/"))


def test_a_no_is_one_press_and_a_yes_asks_how(desk: Browser, amelie: Client) -> None:
    refused = say(desk, amelie, answer="no")
    shown = body(refused)
    assert part(shown, "consent-table") == part(body(desk.get(f"/clients/{amelie.pk}/other/")), "consent-table")
    assert 'id="cell-mkt-promotion-email-no" name="answer" value="no" checked data-focus' in shown
    assert "consent-changed" in refused.headers["HX-Trigger"]
    asked = body(say(desk, amelie, cell="mkt.rebook:sms", answer="yes"))
    assert "Time to come back, SMS" in asked
    assert "How did the client say so?" in asked
    assert ConsentEvent.objects.count() == 1
    assert "How did" not in body(say(desk, amelie, cell="mkt.rebook:sms", answer="cancel"))
    said = body(say(desk, amelie, cell="mkt.rebook:sms", answer="yes", how="in_person"))
    assert "Time to come back, SMS: Yes." in said
    assert table_of(amelie)["mkt.rebook", "sms"] is Answer.YES


def test_undo_of_a_cell_is_an_event_of_the_ledger(desk: Browser, amelie: Client) -> None:
    say(desk, amelie, answer="yes", how="phone")
    shown = body(say(desk, amelie, answer="no"))
    assert desk.post(f"/clients/{amelie.pk}/consent/undo/", {"token": token_in(shown)}).status_code == 303
    assert table_of(amelie)[PROMO] is Answer.YES
    assert list(ConsentEvent.objects.order_by("pk").values_list("event", flat=True)) == ["grant", "withdraw", "void"]


def test_a_yes_that_does_not_count_yet_says_what_it_waits_for(desk: Browser, amelie: Client) -> None:
    Salon.objects.update(country="DE")
    assert "It does not count yet." in body(say(desk, amelie, answer="yes", how="phone"))
    shown = body(say(desk, amelie, cell="profiling:", answer="yes", how="phone"))
    assert "Counts on a signed form only." in shown
    assert "Counts when the client confirms it through a link." in shown
    assert "Profiling: Yes." in body(say(desk, amelie, cell="profiling:", answer="yes", how="paper_form"))


@pytest.mark.parametrize(
    "said", [{"answer": "maybe"}, {"cell": "svc.reminder:email", "answer": "no"}, {"cell": "", "answer": "yes"}]
)
def test_nonsense_records_nothing(desk: Browser, amelie: Client, said: dict[str, str]) -> None:
    assert say(desk, amelie, **said).status_code == 200
    assert not ConsentEvent.objects.exists()


def test_without_javascript_the_table_asks_on_the_page(desk: Browser, amelie: Client) -> None:
    address = f"/clients/{amelie.pk}/consent/kind/"
    asked = desk.post(address, {"cell": "mkt.review:email", "answer": "yes"})
    assert asked["Location"] == f"/clients/{amelie.pk}/other/?ask=mkt.review%3Aemail#consent-table"
    assert "How did the client say so?" in body(desk.get(asked["Location"]))
    assert desk.post(address, {"cell": "mkt.review:email", "answer": "no"}).status_code == 303
    assert table_of(amelie)["mkt.review", "email"] is Answer.NO


def sheet(browser: Browser, client: Client, day: dt.date, **ticks: str) -> Any:
    return browser.post(f"/clients/{client.pk}/consent/paper/", {"signed_on": day.isoformat(), **ticks})


def test_a_paper_form_holds_from_the_day_of_its_signature_with_its_wording(desk: Browser, amelie: Client) -> None:
    day = factories.today() - dt.timedelta(days=3)
    ConsentText.objects.update(published_at=timezone.now() - dt.timedelta(days=4))
    answer = sheet(desk, amelie, day, **{"mkt-promotion-email": "yes", "mkt-review-email": "no", "profiling-all": "yes"})
    assert answer.status_code == 303
    cells = table_of(amelie)
    assert {pair for pair, said in cells.items() if said is Answer.YES} == {PROMO, ("profiling", "")}
    assert {pair for pair, said in cells.items() if said is Answer.NO} == {("mkt.review", "email")}
    events = ConsentEvent.objects.all()
    assert {event.effective_at.astimezone(factories.PARIS).date() for event in events} == {day}
    assert {(event.source, event.evidence_level, event.actor_type) for event in events} == {("paper_form", 2, "staff")}
    assert all((event.text is not None) is (event.event == "grant") for event in events)
    assert list(invariants.faults()) == []


def test_a_paper_form_points_at_the_words_of_its_day_and_at_none_that_came_later(amelie: Client, reception: User) -> None:
    now = timezone.now()
    ConsentText.objects.update(published_at=now - dt.timedelta(days=30))
    old = wording.in_force("fr")[PROMO]
    new = wording.publish(purpose=PROMO[0], channel="email", language="fr", body=f"{old.body} Oui.", by=reception, now=now)
    for days, pair, expected in ((0, PROMO, new), (3, PROMO, old), (60, PROMO, None)):
        Client.objects.update(email=f"{days}@example.org")
        amelie.refresh_from_db()
        day = factories.today() - dt.timedelta(days=days)
        (event,) = grid.enter_sheet(amelie, {pair: "yes"}, signed_on=day, by=reception, now=now)
        assert event.text == expected


@pytest.mark.parametrize(
    ("day", "words"),
    [("1850-01-01", "before the client was born"), ("2016-05-01", "before the client was born"), ("2018-05-24", "25 May 2018")],
)
def test_a_signature_is_not_older_than_the_client_or_the_law(desk: Browser, amelie: Client, day: str, words: str) -> None:
    Client.objects.update(birth_year=2016, birth_month=5, birth_day=2)
    answer = sheet(desk, amelie, dt.date.fromisoformat(day), **{"mkt-promotion-email": "yes"})
    assert answer.status_code == 422
    assert words in body(answer)
    assert not ConsentEvent.objects.exists()


def test_an_old_form_does_not_undo_a_later_no(desk: Browser, amelie: Client, reception: User) -> None:
    grid.set_one(amelie, *PROMO, "no", by=reception)
    sheet(desk, amelie, factories.today() - dt.timedelta(days=3), **{"mkt-promotion-email": "yes"})
    assert table_of(amelie)[PROMO] is Answer.NO


@pytest.mark.parametrize(
    ("day", "ticks", "words"),
    [
        (2, {"mkt-promotion-email": "yes"}, "in the future"),  # wherever the salon is
        (0, {}, "Tick at least one box"),
        (0, {"mkt-promotion-email": "x"}, ""),
    ],
)
def test_a_faulty_form_comes_back_and_records_nothing(
    desk: Browser, amelie: Client, day: int, ticks: dict[str, str], words: str
) -> None:
    answer = sheet(desk, amelie, factories.today() + dt.timedelta(days=day), **ticks)
    assert answer.status_code == 422
    assert words in body(answer)
    assert not ConsentEvent.objects.exists()


def test_a_paused_client_is_said_to_be(desk: Browser, amelie: Client) -> None:
    Client.objects.update(marketing_paused_until=timezone.now() + dt.timedelta(days=30))
    assert "The client paused all marketing until" in body(desk.get(f"/clients/{amelie.pk}/other/"))


# --- a sheet names a day and no hour ----------------------------------------------------------------------------------


def enter(client: Client, answer: str, *, day: dt.date, at: dt.datetime, by: User) -> None:
    grid.enter_sheet(client, {PROMO: answer}, signed_on=day, by=by, now=at)


def test_a_no_signed_in_the_afternoon_ends_a_yes_of_the_same_day(amelie: Client, reception: User) -> None:
    day = dt.date(2026, 11, 18)
    yes_at, entered_at = (dt.datetime(2026, 11, 18, hour, tzinfo=factories.PARIS) for hour in (14, 17))
    grid.set_one(amelie, *PROMO, "yes", how="in_person", by=reception, now=yes_at)
    enter(amelie, "no", day=day, at=entered_at, by=reception)
    assert consent.standing(amelie, *PROMO) == "withdrawn"


def test_a_no_of_an_earlier_day_is_entered_as_of_its_end(amelie: Client, reception: User) -> None:
    yes_at, entered_at = (dt.datetime(2026, 11, day, 14, tzinfo=factories.PARIS) for day in (18, 20))
    grid.set_one(amelie, *PROMO, "yes", how="in_person", by=reception, now=yes_at)
    enter(amelie, "no", day=dt.date(2026, 11, 18), at=entered_at, by=reception)
    assert consent.standing(amelie, *PROMO) == "withdrawn"
    grid.set_one(amelie, *PROMO, "yes", how="in_person", by=reception, now=entered_at)
    enter(amelie, "no", day=dt.date(2026, 11, 19), at=entered_at + dt.timedelta(hours=1), by=reception)
    assert consent.standing(amelie, *PROMO) == "granted", "the Yes is of a later day"


def test_a_yes_on_paper_does_not_undo_a_no_of_its_day_and_the_desk_is_told(
    desk: Browser, amelie: Client, reception: User
) -> None:
    day = factories.today() - dt.timedelta(days=1)
    said_at = dt.datetime.combine(day, dt.time(10), factories.PARIS)
    grid.set_one(amelie, *PROMO, "no", how="phone", by=reception, now=said_at)
    answer = sheet(desk, amelie, day, **{"mkt-promotion-email": "yes", "mkt-review-email": "yes"})
    assert consent.standing(amelie, *PROMO) == "withdrawn"
    assert consent.standing(amelie, "mkt.review", "email") == "granted"
    shown = body(desk.get(answer.headers["Location"]))
    assert "A No of that day or later stands against its Yes: Promotions (E-mail)." in shown


# --- a No that somebody may still take back is none to lean on --------------------------------------------------------


def test_the_no_of_another_stays_when_a_slip_before_it_is_undone(amelie: Client, reception: User, owner: User) -> None:
    now = timezone.now()
    grid.set_one(amelie, *PROMO, "yes", how="paper_form", by=reception, now=now - dt.timedelta(days=2))
    slip = grid.set_one(amelie, *PROMO, "no", by=reception, now=now - dt.timedelta(minutes=3))
    enter(amelie, "no", day=timezone.localtime(now).date(), at=now, by=owner)
    consent.void_many([event.pk for event in slip], by=reception, now=now + dt.timedelta(minutes=1))
    assert consent.standing(amelie, *PROMO) == "withdrawn"


def test_the_same_no_again_by_the_same_hand_is_one_and_its_undo_brings_the_yes_back(amelie: Client, reception: User) -> None:
    now = timezone.now()
    grid.set_one(amelie, *PROMO, "yes", how="paper_form", by=reception, now=now - dt.timedelta(days=2))
    slip = grid.set_one(amelie, *PROMO, "no", by=reception, now=now - dt.timedelta(minutes=3))
    assert grid.set_one(amelie, *PROMO, "no", by=reception, now=now) == []
    consent.void_many([event.pk for event in slip], by=reception, now=now)
    assert consent.standing(amelie, *PROMO) == "granted"


@pytest.mark.parametrize("way", ["front", "reminders"])
def test_a_no_on_the_front_is_kept_beside_the_slip_of_another(amelie: Client, reception: User, owner: User, way: str) -> None:
    now = timezone.now()
    pair = ("mkt.promotion", "email") if way == "front" else ("svc.reminder", "email")

    def say_no(by: User) -> list[ConsentEvent]:
        if way == "front":
            return answers.set_channel(amelie, "email", "no", by=by, now=now)
        return answers.set_reminders(amelie, False, by=by, now=now)

    slip = say_no(reception)
    assert say_no(owner)
    consent.void_many([event.pk for event in slip], by=reception, now=now)
    assert consent.standing(amelie, *pair) == "withdrawn"
