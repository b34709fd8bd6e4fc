"""Cards that may be one person: the score, the household, answers that are remembered, a search that grows with the cards."""

import datetime as dt
import hashlib
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import contacts, inactivity, links, records
from clients.duplicates import blocks, facts, pairs, scan, telling, together
from clients.duplicates.score import Facts, Reason, verdict
from clients.models import Client, DuplicatePair, DuplicateSearch, HealthNote
from salon.core.errors import Refused
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests import factories

SignIn = Callable[[Role], Browser]
NOW = timezone.now()
HTMX = {"HX-Request": "true"}


def body(answer: Any) -> str:
    return str(answer.content.decode())


def who(first: str = "", last: str = "", phone: str = "", email: str = "", born: str = "", street: str = "") -> Facts:
    """Return the facts of a card written on one line; `born` is "1991-04-04", or "-04-04" without a year."""
    year, month, day = born.rsplit("-", 2) if born else ("", "", "")
    return facts.of(
        first_name=first, last_name=last, phones=[phone], emails=[email], street=street, postcode="69003" if street else "",
        birth=(int(year) if year else None, int(month) if month else None, int(day) if day else None),
    )  # fmt: skip


# --- the score: tables written by hand, apart from its points -------------------------------------------------------

TEL, MAIL, BORN = "+33688210411", "a.bertrand@example.org", "1991-04-04"
ONE_NAME = [
    ("Amélie", "Bertrand", "Amelie", "BERTRAND"),
    ("Jürgen", "Groß", "Juergen", "Gross"),
    ("Jürgen", "Müller", "Jurgen", "Muller"),
    ("Jürgen", "Müller", "Juergen", "Mueller"),
    ("Marie-Claire", "Le Goff", "Marie Claire", "LeGoff"),
    ("Françoise", "Lefèvre", "Francoise", "Lefevre"),
    ("Zoë", "O’Brien", "Zoe", "OBrien"),
    ("Bertrand", "Amélie", "Amelie", "Bertrand"),
    ("Sara", "Klein", "Sarah", "Klein"),
]
SHORT_FORMS = [
    ("Robert", "Bob"), ("William", "Bill"), ("Elizabeth", "Liz"), ("Margaret", "Peggy"), ("Bob", "Robbie"),
    ("Alexandre", "Alex"), ("Frédéric", "Fred"), ("Véronique", "Véro"), ("Guillaume", "Guigui"), ("Nicolas", "Nico"),
    ("Johannes", "Hans"), ("Katharina", "Kathi"), ("Sebastian", "Basti"), ("Friedrich", "Fritz"), ("Ursula", "Uschi"),
]  # fmt: skip
TWO_FIRST_NAMES = [
    ("Amélie", "Karim"), ("Michel", "Michèle"), ("Daniel", "Danielle"), ("Christian", "Christina"), ("Mario", "Maria"),
    ("Paul", "Paula"), ("Lena", "Lina"), ("Tom", "Tim"), ("Anna", "Peter"), ("Stefan", "Stefanie"), ("Martin", "Martine"),
    ("Anna", "Hanna"), ("Mia", "Mila"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "last", "its_first", "its_last"), ONE_NAME)
def test_one_name_in_two_spellings_with_one_phone_is_surely_one_person(
    first: str, last: str, its_first: str, its_last: str
) -> None:
    one, other = who(first, last, phone=TEL), who(its_first, its_last, phone=TEL)
    assert verdict(one, other).band == "sure"
    assert verdict(one, other) == verdict(other, one)


def test_short_forms_of_three_languages_are_known() -> None:
    bands = {pair: verdict(who(pair[0], "Keller", phone=TEL), who(pair[1], "Keller", phone=TEL)) for pair in SHORT_FORMS}
    assert {pair: found.band for pair, found in bands.items() if found.band != "sure"} == {}
    assert all(Reason.NAME_SHORT in found.reasons for found in bands.values())


@pytest.mark.parametrize("shared", ["phone", "email", "both"])
def test_two_first_names_at_one_address_are_a_household_and_never_sure(shared: str) -> None:
    given = {"phone": TEL if shared != "email" else "", "email": MAIL if shared != "phone" else ""}
    for (first, other), born in itertools.product(TWO_FIRST_NAMES, ("", BORN)):
        found = verdict(who(first, "Keller", born=born, **given), who(other, "Keller", born=born, **given))
        assert (found.band, Reason.HOUSEHOLD in found.reasons) == ("possible", True), (first, other, born)


BANDS = [
    ("same name and e-mail", who("Ann", "Lee", email=MAIL), who("Ann", "Lee", email=MAIL.upper(), phone=TEL), "sure"),
    ("same name and birth date", who("Ann", "Lee", born=BORN), who("Ann", "Lee", born=BORN), "sure"),
    ("a slip in one name, same birth date", who("Amelie", "Bertrand", born=BORN), who("Amelie", "Bertrant", born=BORN), "sure"),
    ("a slip in each name, same birth", who("Amelie", "Bertrand", born=BORN), who("Amelei", "Bertrant", born=BORN), "likely"),
    ("first name alone, same phone", who("Amélie", phone=TEL), who("Amelie", "Bertrand", phone=TEL), "likely"),
    ("a number alone, same phone", who(phone=TEL), who("Amelie", "Bertrand", phone=TEL), "possible"),
    ("same name, nothing else known", who("Ann", "Lee"), who("Ann", "Lee"), "possible"),
    ("same name, another phone", who("Ann", "Lee", phone=TEL), who("Ann", "Lee", phone="+33600000000"), "possible"),
    ("married: same first name and birth date", who("Ann", "Lee", born=BORN), who("Ann", "Roy", born=BORN), "possible"),
    ("father and son of one name", who("Hans", "Groß", TEL, born="1950-01-02"), who("Hans", "Groß", TEL, born=BORN), "likely"),
    ("a slip in the date", who("Ann", "Lee", born="1991-04-04"), who("Ann", "Lee", born="1991-04-14"), "likely"),
    ("day and month turned", who("Ann", "Lee", born="1991-04-05"), who("Ann", "Lee", born="1991-05-04"), "likely"),
    ("birthday without its year", who("Ann", "Lee", born="-04-04"), who("Ann", "Lee", born=BORN), "likely"),
    ("same name and address", who("Ann", "Lee", street="12 rue Lilas"), who("Ann", "Lee", street="12, Rue lilas"), "likely"),
    ("twins", who("Ann", "Lee", born=BORN, street="1 High St"), who("Eve", "Lee", born=BORN, street="1 High St"), "possible"),
    ("homonyms with their own phone and e-mail", who("Ann", "Lee", TEL, MAIL), who("Ann", "Lee", "+33600000000", "x@y.org"), ""),
    ("another birth date", who("Ann", "Lee", born=BORN), who("Ann", "Lee", born="1950-01-02"), ""),
    ("last name alone", who("Ann", "Lee"), who("Eve", "Lee"), ""),
    ("nothing", who(), who(), ""),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "band"), [row[1:] for row in BANDS], ids=[row[0] for row in BANDS])
def test_the_band_is_what_somebody_at_the_desk_would_say(one: Facts, other: Facts, band: str) -> None:
    found = verdict(one, other)
    assert found.band == band, found
    assert verdict(other, one) == found
    assert all(reason in telling.WORDS for reason in found.reasons)


# --- the search -----------------------------------------------------------------------------------------------------


@pytest.fixture
def amelie(reception: User) -> tuple[Client, Client]:
    """Amélie twice: with her e-mail, and once more by phone without an accent."""
    rows: list[dict[str, Any]] = [
        {"first_name": "Amélie", "last_name": "Bertrand", "phone": TEL, "email": MAIL, "birth_day": 4, "birth_month": 4},
        {"first_name": "Amelie", "last_name": "Bertrand", "phone": TEL},
        {"first_name": "Karim", "last_name": "Benali", "phone": "+33755103267"},
    ]
    first, second, _other = factories.cards(rows, by=reception)
    return first, second


def states() -> list[tuple[int, int, str]]:
    return list(DuplicatePair.objects.order_by("low", "high").values_list("low", "high", "state"))


@pytest.mark.django_db
def test_the_night_finds_the_pair_and_the_command_says_so(
    amelie: tuple[Client, Client], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("find_duplicates")
    assert "3 cards compared: 1 sure, 0 likely, 0 possible." in capsys.readouterr().out
    row = DuplicatePair.objects.get()
    assert ((row.low, row.high), row.band, set(row.reasons)) == (amelie, "sure", {"phone", "name"})
    found_at = row.found_at
    scan.all_cards(NOW)
    assert DuplicatePair.objects.get().found_at == found_at, "a second search changes nothing"


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"inactive_at": NOW}, {"restricted_at": NOW}, {"erased_at": NOW}])
def test_a_pair_vanishes_with_either_card(amelie: tuple[Client, Client], reception: User, change: dict[str, Any]) -> None:
    scan.all_cards(NOW)
    Client.objects.filter(pk=amelie[1].pk).update(**change)
    assert not pairs.shown(reception).exists(), "from the page at once"
    scan.all_cards(NOW)
    assert states() == [], "and for good at night"


@pytest.mark.django_db
def test_further_contacts_count_and_a_linked_family_is_no_pair(amelie: tuple[Client, Client], reception: User) -> None:
    first, second = amelie
    Client.objects.filter(pk=second.pk).update(phone="+33611111111", first_name="Hugo", sort_name="bertrand hugo")
    contacts.add(second, channel="email", address=MAIL, label="", by=reception)
    scan.all_cards(NOW)
    assert set(DuplicatePair.objects.get().reasons) >= {"email", "household"}
    links.add(first, second, kind="child", by=reception)
    scan.all_cards(NOW)
    assert states() == []


@pytest.mark.django_db
def test_a_card_is_looked_at_soon_after_it_was_added_changed_or_imported(reception: User) -> None:
    fields: dict[str, Any] = {"first_name": "Amélie", "last_name": "Bertrand", "phone": TEL}
    first = records.add(by=reception, **fields)
    scan.work(NOW)
    assert states() == []
    second = records.add(by=reception, first_name="Amelie", last_name="Bertrand")
    scan.work(NOW)
    assert DuplicatePair.objects.get().band == "possible"
    records.edit(second, by=reception, version=1, phone=TEL)
    scan.work(NOW)
    assert DuplicatePair.objects.get().band == "sure"
    inactivity.make_inactive(first, reason="other", by=reception, now=NOW)
    records.add_many([{**fields, "email": MAIL}, {**fields, "email": MAIL}], by=reception)
    scan.work(NOW)
    assert DuplicatePair.objects.filter(band="sure").count() == 3, "all cards were compared"


@pytest.mark.django_db
def test_all_cards_are_compared_once_a_night_by_the_salons_clock(salon: object) -> None:
    def at(hour: int, day: int = 18) -> dt.datetime:
        return dt.datetime(2026, 11, day, hour, tzinfo=factories.PARIS)

    def finished() -> dt.datetime | None:
        return DuplicateSearch.objects.values_list("finished_at", flat=True).get()

    times = [at(12), at(20), at(3, 19), at(4, 19), at(12, 19)]
    seen = []
    for time in times:
        scan.work(time)
        seen.append(finished())
    assert seen == [at(12), at(12), at(12), at(4, 19), at(4, 19)]
    scan.want(at(13, 19))
    scan.work(at(13, 19))
    assert finished() == at(13, 19)


def _book(numbers: range, by: User) -> None:
    """Add cards of which every second has the number of the one before, and every tenth its name but for a slip."""
    cards = []
    for number in numbers:
        digest = hashlib.sha256(str(number - number % 10 // 9).encode()).hexdigest()
        letters = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
        name = letters[:9].title() + ("x" if number % 10 == 9 else "")
        cards.append({"first_name": letters[9:16].title(), "last_name": name, "phone": f"+336{10**7 + number // 2:08}"})
    records.add_many(cards, by=by)


@pytest.mark.django_db
def test_the_search_grows_with_the_cards_and_not_with_their_pairs(reception: User) -> None:
    """Counted, not timed: four times the cards, about four times the comparisons, and hardly more statements."""
    seen = []
    for numbers in (range(250), range(250, 1000)):
        _book(numbers, reception)
        with CaptureQueriesContext(connection) as asked:
            found = blocks.every()
        seen.append((len(found.pairs), len(asked)))
    (compared, few), (more, statements) = seen
    assert compared >= 125, "each number stands on two cards"
    assert 3 * compared <= more <= 5 * compared, "of all pairs there are sixteen times as many"
    assert statements <= few + 4


@pytest.mark.django_db
def test_a_key_that_too_many_share_is_reported_and_not_compared(reception: User) -> None:
    crowd = blocks.MOST + 10
    names = ["".join(pair) for pair in itertools.product("abcdefgh", repeat=2)]
    cards = [{"first_name": f"{names[n]}xq", "last_name": f"{names[n]}vw", "phone": TEL} for n in range(crowd)]
    records.add_many([*cards, {**cards[0], "phone": "+33611111111"}], by=reception)
    row = scan.all_cards(NOW)
    assert row.skipped["phone"] == crowd
    pair = DuplicatePair.objects.get()
    assert Reason.NAME in pair.reasons, "found by another key"


# --- the answers ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_all_cards_are_kept_in_steps_that_each_stand_whole(reception: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        for name in ("Ann", "Anne"):
            factories.client(first_name=name, last_name=f"Lee{number}", phone=f"+3368800000{number}", email="")
    monkeypatch.setattr(pairs, "_STEP", 2)
    real, steps = pairs._made, list[int]()

    def stumbles(key: pairs.Key, *given: Any) -> DuplicatePair:
        steps.append(key[0])
        if len(steps) == 4:
            raise ZeroDivisionError
        return real(key, *given)

    monkeypatch.setattr(pairs, "_made", stumbles)
    with pytest.raises(ZeroDivisionError):
        scan.all_cards(NOW)
    assert DuplicatePair.objects.count() == 2, "the step before stands, the one that failed does not"
    scan.all_cards(NOW)
    first = DuplicatePair.objects.order_by("pk")[0]
    pairs.answer(first, "not_same", by=reception, now=NOW)
    names = ("Hugo Quint", "Tarek Varga", "Zofia Ostrow", "Ingrid Pell", "Bo Drach")
    for card, name in zip(Client.objects.filter(first_name="Anne"), names, strict=True):
        given, last = name.split()
        Client.objects.filter(pk=card.pk).update(
            phone="", first_name=given, last_name=last, sort_name=f"{last} {given}".lower(), search_text=name.lower()
        )
    scan.all_cards(NOW)
    assert list(DuplicatePair.objects.values_list("pk", "state")) == [(first.pk, "not_same")]


def test_a_pair_that_is_found_while_all_are_looked_at_stays(reception: User) -> None:
    one, two = factories.client(), factories.client()
    young = DuplicatePair.objects.create(low=one, high=two, score=60, band="likely", found_at=NOW + dt.timedelta(seconds=5))
    old = DuplicatePair.objects.create(low=two, high=factories.client(), score=60, band="likely", found_at=NOW)
    scan.all_cards(NOW)
    assert DuplicatePair.objects.filter(pk=young.pk).exists()
    assert not DuplicatePair.objects.filter(pk=old.pk).exists()


def test_an_answer_is_remembered_until_something_stronger_is_found(amelie: tuple[Client, Client], reception: User) -> None:
    first, second = amelie
    scan.all_cards(NOW)
    row = pairs.answer(DuplicatePair.objects.get(), "not_same", by=reception, now=NOW)
    with pytest.raises(Refused):
        pairs.answer(row, "household", by=reception, now=NOW)
    records.edit(second, by=reception, version=1, street="12 rue des Lilas", postcode="69003")
    scan.all_cards(NOW)
    scan.check({first.pk, second.pk}, now=NOW)
    assert states() == [(first.pk, second.pk, "not_same")]
    records.edit(second, by=reception, version=2, email=MAIL)
    scan.check({second.pk}, now=NOW)
    assert states() == [(first.pk, second.pk, "open")], "the same e-mail was not known when it was answered"
    assert AuditEvent.objects.get(action="duplicates.answered").facts == {
        "low": first.pk,
        "high": second.pk,
        "answer": "not_same",
    }


def test_what_is_asked_again_is_a_table() -> None:
    table = [
        ("not_same", ["name"], ["name", "address"], False),
        ("not_same", ["name"], ["name", "phone"], True),
        ("not_same", ["phone"], ["phone", "name"], True),
        ("not_same", ["phone", "name"], ["name"], False),
        ("household", ["phone", "household"], ["phone", "email", "household"], False),
        ("household", ["phone", "household"], ["phone", "name"], True),
        ("household", ["phone", "household"], ["phone", "birth", "household"], True),
    ]
    assert [row for row in table if pairs.asks_again(*row[:3]) is not row[3]] == []


@pytest.mark.django_db
def test_forgetting_a_card_leaves_no_pair_of_it(amelie: tuple[Client, Client], reception: User) -> None:
    scan.all_cards(NOW)
    pairs.answer(DuplicatePair.objects.get(), "household", by=reception, now=NOW)
    assert pairs.forget([amelie[0].pk]) == 1
    assert states() == []


@pytest.mark.django_db
def test_only_pairs_without_any_conflict_are_ready_to_be_merged_together(amelie: tuple[Client, Client], reception: User) -> None:
    first, second = amelie
    scan.all_cards(NOW)
    (one,) = together.ready(reception)
    assert ((one.main, one.other), one.gains) == ((first, second), ())
    changes = ({"email": "abertrand@example.org"}, {"city": "Lyon"}, {"blacklisted_at": NOW}, {"birth_day": 5, "birth_month": 4})
    for change in changes:
        Client.objects.filter(pk=first.pk).update(city="Paris")
        Client.objects.filter(pk=second.pk).update(**change)
        assert together.ready(reception) == [], change
        Client.objects.filter(pk=second.pk).update(email="", city="", blacklisted_at=None, birth_day=None, birth_month=None)
    Client.objects.filter(pk=second.pk).update(street="12 rue des Lilas", note="Likes tea")
    assert together.ready(reception)[0].gains == ("street", "note")
    records.add(by=reception, first_name="Amelie", last_name="Bertrand", phone=TEL)
    scan.all_cards(NOW)
    assert together.ready(reception) == [], "three in a knot are for a person to sort out"


# --- the pages ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_list_the_banner_and_the_page_lead_to_the_pair_and_its_answers(
    amelie: tuple[Client, Client], signed_in: SignIn
) -> None:
    first, second = amelie
    browser = signed_in(Role.RECEPTION)
    assert "have not been compared yet" in body(browser.get("/clients/duplicates/"))
    scan.all_cards(NOW)
    row = DuplicatePair.objects.get()
    assert 'id="chip-duplicates"' in body(browser.get("/clients/"))
    page = body(browser.get("/clients/duplicates/"))
    assert "Same phone, same name" in page or "Same name, same phone" in page or "same phone" in page
    assert f"/clients/merge/?id={first.pk}&amp;id={second.pk}" in page
    assert 'id="together"' in page
    card = body(browser.get(f"/clients/{second.pk}/"))
    assert f"/clients/merge/?id={second.pk}&amp;id={first.pk}" in card
    answered = browser.post(
        f"/clients/duplicates/{row.pk}/answer/", {"answer": "household", "next": f"/clients/{second.pk}/"}, follow=True
    )
    assert "Remembered: one household." in body(answered)
    assert 'id="likely"' not in body(answered)
    empty = body(browser.get("/clients/duplicates/"))
    assert "Nothing here" in empty or "No duplicates found" in empty
    assert "chip-duplicates" not in body(browser.get("/clients/"))
    assert f'id="ask-again-{row.pk}"' in body(browser.get("/clients/duplicates/?show=answered"))
    browser.post(f"/clients/duplicates/{row.pk}/undo/")
    assert states() == [(first.pk, second.pk, "open")]
    assert "likely" not in body(signed_in(Role.STYLIST).get(f"/clients/{second.pk}/"))
    browser.post("/clients/duplicates/search/")
    assert DuplicateSearch.objects.get().wanted_at is not None


@pytest.mark.django_db
def test_who_is_typed_twice_is_seen_while_typing_by_name_and_date_of_birth(
    amelie: tuple[Client, Client], signed_in: SignIn
) -> None:
    browser = signed_in(Role.RECEPTION)
    Client.objects.filter(pk=amelie[0].pk).update(birth_year=1991)

    def warned(**typed: str) -> str:
        return body(browser.post("/clients/new/", {"check": "1", "language": "fr", **typed}, headers=HTMX))

    assert "same name" in warned(first_name="AMELIE", last_name="Bertrand")
    assert "first and last name swapped" in warned(first_name="Bertrand", last_name="Amélie")
    near = warned(first_name="Amelie", last_name="Bertrant", birth_day="4", birth_month="4", birth_year="1991")
    assert "same date of birth" in near
    assert 'class="s-warning"' not in warned(first_name="Amelie", last_name="Bertrant")
    assert 'class="s-warning"' not in warned(first_name="Amélie")
    form = {"first_name": "Amelie", "last_name": "Bertrand", "language": "fr"}
    added = browser.post("/clients/new/", form, follow=True)
    assert 'id="likely"' in body(added), "and on the card at once, without a worker"


def test_sure_pairs_without_any_conflict_are_merged_with_one_press_and_the_others_left(signed_in: SignIn, owner: User) -> None:
    twins = [
        factories.client(first_name="Zoé", last_name="Marchand", email="zoe@example.org", phone="+33688210411") for _ in "ab"
    ]
    odd = [factories.client(first_name="Ida", last_name="Krug", email="ida@example.org", phone="+491713004127") for _ in "ab"]
    for card in odd:
        HealthNote.objects.create(client=card, text="Reacts to ammonia", written_at=timezone.now(), written_by=owner)
    scan.all_cards(timezone.now())
    browser = signed_in(Role.OWNER)
    page = browser.get("/clients/duplicates/?show=sure").content.decode()
    shown = re.findall(r'name="pair" value="(\d+)"', page)
    assert len(shown) == 2
    browser.post("/clients/duplicates/merge/", {"pair": shown})
    assert [Client.objects.get(pk=card.pk).merged_into_id for card in twins].count(None) == 1
    assert [Client.objects.get(pk=card.pk).merged_into_id for card in odd] == [None, None], "two health notes are for a person"
