"""The pages of the client book, as their reader meets them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import access, answers, records
from clients.answers import Answer
from clients.models import Client, OpenedCard
from salon.core.models import Salon, User
from salon.core.roles import Role

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(
        by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="amelie@example.org",
        birth_day=4, birth_month=4, birth_year=1991,
    )  # fmt: skip


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


def body(answer: Any) -> str:
    return str(answer.content.decode())


def part(html: str, pk: str) -> str:
    """Return the section, form or div with this id, without tokens that differ from one answer to the next."""
    found = re.search(rf'<(section|form|div) id="{pk}".*?</\1>', html, re.DOTALL)
    assert found, f"no #{pk}"
    return re.sub(r'value="[\w-]{64}"|\s+', " ", found[0].replace(" data-focus", ""))


def form_of(client: Client, **changes: str) -> dict[str, str]:
    """Return what the edit form posts."""
    first = {
        "first_name": client.first_name, "last_name": client.last_name, "phone": "06 88 21 04 11", "email": client.email,
        "birth_day": "4", "birth_month": "4", "birth_year": "1991", "language": client.language,
        "street": "", "postcode": "", "city": "", "country": "",
    }  # fmt: skip
    return {**first, **{f"initial-{name}": value for name, value in first.items()}, "version": str(client.version), **changes}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", ["", "new/", "{pk}/", "{pk}/edit/", "{pk}/note/", "{pk}/consent/history/"])
def test_every_page_opens_for_who_may(signed_in: SignIn, amelie: Client, role: Role, path: str) -> None:
    answer = signed_in(role).get(f"/clients/{path.format(pk=amelie.pk)}")
    refused = role is Role.STYLIST and path in {"new/", "{pk}/edit/"}
    assert answer.status_code == (403 if refused else 200)


def test_the_list_says_how_many_and_asks_for_the_first(desk: Browser) -> None:
    assert "Add your first client" in body(desk.get("/clients/"))


def test_the_rows_of_a_live_search_equal_those_of_the_fresh_page(desk: Browser, amelie: Client) -> None:
    fresh, live = (part(body(desk.get("/clients/?q=bert", headers=headers)), "rows") for headers in ({}, HTMX))
    assert fresh == live
    assert 'id="count"' in body(desk.get("/clients/?q=bert", headers=HTMX))


def test_an_empty_search_offers_to_add_and_to_look_in_inactive(desk: Browser, amelie: Client) -> None:
    shown = body(desk.get("/clients/?q=<Zoé>"))
    assert "/clients/new/?name=%3CZo%C3%A9%3E" in shown
    assert "status=inactive" in shown
    assert "<Zoé>" not in shown


def test_the_search_box_finds_who_is_inactive_where_nobody_else_is_and_then_offers_to_add(
    desk: Browser, amelie: Client, reception: User
) -> None:
    off = dict.fromkeys(("Zola", "Zoller"))
    for name in off:
        client = records.add(by=reception, last_name=name)
        Client.objects.filter(pk=client.pk).update(inactive_at=timezone.now())
        off[name] = client.pk
    shown = body(desk.get("/search/?q=zol", headers=HTMX))
    options = re.findall(r'role="option"[^>]* id="(hit-[\w-]+)"', shown)
    assert options[:2] == [f"hit-{off['Zola']}", f"hit-{off['Zoller']}"], "Enter opens the first"
    assert options[-1] == "hit-add"
    assert shown.count("Inactive") == 2
    assert desk.get("/search/?q=zola").headers["Location"] == f"/clients/{off['Zola']}/"
    records.add(by=reception, last_name="Zolang")
    shown = body(desk.get("/search/?q=zol", headers=HTMX))
    assert "Inactive" not in shown
    assert "hit-add" not in shown
    Client.objects.filter(last_name="Zola").update(inactive_reason=Client.DELETING)
    Client.objects.filter(last_name="Zoller").update(restricted_at=timezone.now())
    for name in off:
        assert f"hit-{off[name]}" not in body(desk.get(f"/search/?q={name}", headers=HTMX))


def test_pages_of_fifty_and_a_page_out_of_range_is_the_last(desk: Browser, reception: User) -> None:
    records.add_many([{"last_name": f"Nom{number:03}"} for number in range(120)], by=reception)
    assert body(desk.get("/clients/")).count("data-row") == 50
    assert body(desk.get("/clients/?page=3")).count("data-row") == 20
    assert body(desk.get("/clients/?page=99")).count("data-row") == 20
    assert body(desk.get("/clients/?page=x&sort=y&status=z")).count("data-row") == 50


@pytest.mark.parametrize("path", ["/clients/", "/clients/?q=nom", "/search/?q=nom"])
def test_a_list_asks_the_database_as_often_for_fifty_as_for_two(
    desk: Browser, reception: User, path: str, django_assert_max_num_queries: object
) -> None:
    records.add_many([{"last_name": "Nom000", "email": "a@example.org"}, {"last_name": "Nom"}], by=reception)
    desk.get(path)
    with django_assert_max_num_queries(13) as few:  # type: ignore[operator]
        desk.get(path)
    records.add_many([{"last_name": f"Nom{number:03}"} for number in range(49)], by=reception)
    with django_assert_max_num_queries(len(few)):  # type: ignore[operator]
        desk.get(path)


def test_a_chip_of_a_status_that_nobody_has_is_not_shown(desk: Browser, amelie: Client) -> None:
    assert re.findall(r'id="chip-(\w+)"', body(desk.get("/clients/"))) == ["active"]
    assert re.findall(r'id="chip-(\w+)"', body(desk.get("/clients/?status=blacklist"))) == ["active", "blacklist"]
    Client.objects.create(last_name="Zola", language="fr", inactive_at=timezone.now())
    assert re.findall(r'id="chip-(\w+)"', body(desk.get("/clients/"))) == ["active", "inactive"]


def test_enter_in_the_search_box_opens_the_one_card_that_is_found(desk: Browser, amelie: Client, reception: User) -> None:
    assert desk.get(f"/search/?q={amelie.last_name}").headers["Location"] == f"/clients/{amelie.pk}/"
    assert "Amélie" in body(desk.get(f"/search/?q={amelie.last_name}", headers={"HX-Request": "true"}))
    assert desk.get("/search/?q=zzzz").status_code == 200
    records.add(by=reception, last_name=amelie.last_name)
    assert desk.get(f"/search/?q={amelie.last_name}").status_code == 200


def test_visit_columns_come_from_the_room_above(desk: Browser, amelie: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def visits(ids: list[int], user: User, salon: Salon, now: object) -> dict[int, access.Visits]:
        calls.append(list(ids))
        return {amelie.pk: access.Visits(next_staff="Marco")}

    monkeypatch.setattr(access, "_columns", [visits])
    assert "Next appointment" in body(desk.get("/clients/"))
    assert calls == [[amelie.pk]]


def test_the_search_box_shows_cards_opened_last_and_then_what_it_finds(desk: Browser, amelie: Client, reception: User) -> None:
    other = records.add(by=reception, last_name="Zola")
    for pk in (amelie.pk, other.pk):
        desk.get(f"/clients/{pk}/")
    shown = body(desk.get("/search/", headers=HTMX))
    assert shown.index("Zola") < shown.index("Bertrand")
    assert 'role="option"' in body(desk.get("/search/?q=0411", headers=HTMX))
    assert "Nobody found" in body(desk.get("/search/?q=zzz", headers=HTMX))


def test_only_eight_opened_cards_are_kept(desk: Browser, reception: User) -> None:
    for pk in records.add_many([{"last_name": f"Nom{number}"} for number in range(10)], by=reception):
        desk.get(f"/clients/{pk}/")
    assert OpenedCard.objects.count() == 8


def test_the_card_leads_back_to_the_list_it_came_from(desk: Browser, amelie: Client) -> None:
    shown = body(desk.get(f"/clients/{amelie.pk}/?from=q%3Dbert%26status%3Dblacklist%26page%3D2%26evil%3D1"))
    assert 'href="/clients/?q=bert&amp;status=blacklist&amp;page=2"' in shown
    assert "evil" not in shown.split("<main")[1].split("</main>")[0]


def test_a_client_is_added_from_a_number_as_people_write_it(desk: Browser) -> None:
    answer = desk.post("/clients/new/", {"phone": "06.88 21-04.11", "language": "fr"})
    client = Client.objects.get()
    assert (answer.status_code, answer["Location"], str(client.phone)) == (303, f"/clients/{client.pk}/", "+33688210411")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Enter a first name, a last name or a phone number."),
        ({"phone": "12"}, "Enter a phone number, like 06 12 34 56 78"),
        ({"last_name": "A", "email": "a@"}, "Enter an e-mail address"),
        ({"last_name": "A", "birth_day": "31", "birth_month": "2"}, "There is no such day."),
        ({"last_name": "A", "birth_day": "3"}, "Enter the day and the month of birth"),
        ({"last_name": "A", "birth_day": "1", "birth_month": "1", "birth_year": "2999"}, "in the future"),
        ({"last_name": "A", "birth_day": "x", "birth_month": "1"}, "Enter the date of birth in numbers"),
        ({"last_name": "A", "country": "France"}, "at most 2"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_faulty_form_comes_back_with_everything_typed(
    desk: Browser, typed: dict[str, str], words: str, headers: dict[str, str]
) -> None:
    answer = desk.post("/clients/new/", {**typed, "language": "fr", "city": "Bourg-en-Bresse"}, headers=headers)
    assert answer.status_code == 422
    assert words in body(answer)
    assert "Bourg-en-Bresse" in body(answer)
    assert not Client.objects.exists()


def test_the_29th_of_february_is_a_birthday_without_a_year(desk: Browser) -> None:
    desk.post("/clients/new/", {"last_name": "A", "birth_day": "29", "birth_month": "2", "language": "fr"})
    client = Client.objects.get()
    assert "29 February" in body(desk.get(f"/clients/{client.pk}/"))


def test_details_are_edited_in_place_and_the_answer_equals_the_fresh_card(desk: Browser, amelie: Client) -> None:
    assert 'id="main-data"' in body(desk.get(f"/clients/{amelie.pk}/edit/", headers=HTMX))
    saved = body(desk.post(f"/clients/{amelie.pk}/edit/", form_of(amelie, city="Lyon"), headers=HTMX))
    fresh = body(desk.get(f"/clients/{amelie.pk}/"))
    assert part(saved, "main-data") == part(fresh, "main-data")
    assert "Lyon" in part(saved, "main-data")
    assert 'id="edit-details"' in saved
    assert "data-focus" in saved


def test_a_warning_stops_nobody(desk: Browser, amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    other = records.add(by=reception, first_name="Amelie", last_name="Zwei", phone="+33688210411", email="new@example.org")
    typed = form_of(amelie, email="new@example.org")
    shown = body(desk.post(f"/clients/{amelie.pk}/edit/", {**typed, "check": "1"}, headers=HTMX))
    assert "has the same phone" in shown
    assert "has the same e-mail" in shown
    assert "marketing answer goes back to Not asked" in shown
    assert f"/clients/{other.pk}/" in shown
    assert desk.post(f"/clients/{amelie.pk}/edit/", typed).status_code == 303
    amelie.refresh_from_db()
    assert answers.front(amelie, "email").answer is Answer.NOT_ASKED
    assert "Saved. New e-mail: marketing answer goes back to Not asked." in body(desk.get(f"/clients/{amelie.pk}/"))
    assert desk.post(f"/clients/{amelie.pk}/edit/", form_of(amelie, city="Lyon")).status_code == 303
    assert "goes back to Not asked" not in body(desk.get(f"/clients/{amelie.pk}/"))


def test_two_editors_see_both_values_and_lose_neither(desk: Browser, amelie: Client, reception: User) -> None:
    mine = form_of(amelie, city="Paris", last_name="Durand")
    records.edit(amelie, by=reception, version=1, city="Lyon", street="1 rue Neuve")
    answer = desk.post(f"/clients/{amelie.pk}/edit/", mine, headers=HTMX)
    assert answer.status_code == 409
    shown = body(answer)
    for value in ("Paris", "Lyon", "Durand", "1 rue Neuve"):
        assert value in shown
    assert Client.objects.get().city == "Lyon"
    assert re.search(r'name="pick_city" value="mine" checked', shown)
    assert re.search(r'name="pick_street" value="theirs" checked', shown)
    assert 'name="version" value="2"' in shown
    settled = {**mine, "version": "2", "pick_city": "theirs", "pick_last_name": "mine", "pick_street": "theirs"}
    assert desk.post(f"/clients/{amelie.pk}/edit/", settled).status_code == 303
    saved = Client.objects.get()
    assert (saved.city, saved.last_name, saved.street) == ("Lyon", "Durand", "1 rue Neuve")


def test_two_writers_of_the_note_see_both_texts(signed_in: SignIn, amelie: Client) -> None:
    stylist, desk = signed_in(Role.STYLIST), signed_in(Role.RECEPTION)
    assert stylist.post(f"/clients/{amelie.pk}/note/", {"note": "Allergic", "version": "1"}).status_code == 303
    answer = desk.post(f"/clients/{amelie.pk}/note/", {"note": "Likes tea", "version": "1"}, headers=HTMX)
    assert answer.status_code == 409
    assert "Allergic" in body(answer)
    assert "Likes tea" in body(answer)
    assert desk.post(f"/clients/{amelie.pk}/note/", {"note": "Both", "version": "2"}, headers=HTMX).status_code == 200
    assert Client.objects.get().note == "Both"


def consent(browser: Browser, client: Client, **said: str) -> Any:
    data = {"what": "marketing", "channel": "email", **said}
    return browser.post(f"/clients/{client.pk}/consent/", data, headers=HTMX)


def test_a_no_is_one_click_and_its_line_equals_the_fresh_page(desk: Browser, amelie: Client) -> None:
    line = f"client-{amelie.pk}-mk-email"
    answer = body(consent(desk, amelie, answer="no"))
    assert part(answer, line) == part(body(desk.get(f"/clients/{amelie.pk}/")), line)
    assert f'id="{line}-no" name="answer" value="no" checked' in answer
    assert "marketing e-mail off" in answer
    assert "data-undo" in answer


def test_a_yes_asks_how_and_stores_nothing_until_it_is_answered(desk: Browser, amelie: Client) -> None:
    asked = body(consent(desk, amelie, answer="yes"))
    assert "How did the client say so?" in asked
    assert "Not saved yet: say how" in asked
    assert answers.front(amelie, "email").answer is Answer.NOT_ASKED
    assert "How did" not in body(consent(desk, amelie, answer="cancel"))
    consent(desk, amelie, answer="yes", how="paper_form")
    assert answers.front(amelie, "email").answer is Answer.YES


@pytest.mark.parametrize(
    ("channel", "says"), [("email", "only when the client confirms it through a link"), ("sms", "Signed? Press Yes")]
)
def test_a_yes_that_does_not_count_yet_is_not_called_on(desk: Browser, amelie: Client, channel: str, says: str) -> None:
    Salon.objects.update(country="DE")
    shown = body(consent(desk, amelie, channel=channel, answer="yes", how="phone"))
    assert "It does not count yet." in shown
    assert "Waiting for the client" in shown
    assert says in shown
    assert "on." not in re.findall(r"<p>([^<]*)</p>", shown)[-1].split()
    assert answers.front(amelie, channel).answer is Answer.WAITING

    signed = body(consent(desk, amelie, channel=channel, answer="yes", how="paper_form"))
    assert ("marketing SMS on." in signed) is (channel == "sms")


def test_an_answer_tells_the_panels_of_the_card_and_a_question_does_not(desk: Browser, amelie: Client) -> None:
    assert 'hx-trigger="load, consent-changed from:body"' in body(desk.get(f"/clients/{amelie.pk}/"))
    for said in ({"what": "reminders", "answer": "no"}, {"what": "reminders", "answer": "yes"}, {"answer": "no"}):
        assert "consent-changed" in consent(desk, amelie, **said).headers["HX-Trigger"]
    for said in ({"answer": "no"}, {"answer": "yes"}, {"answer": "cancel"}):
        assert "HX-Trigger" not in consent(desk, amelie, **said).headers
    saved = desk.post(f"/clients/{amelie.pk}/edit/", form_of(amelie, email="a@example.org"), headers=HTMX)
    assert "consent-changed" in saved.headers["HX-Trigger"]


def test_the_history_leads_back_to_the_card_and_names_a_way_only_where_somebody_was_asked(desk: Browser, amelie: Client) -> None:
    consent(desk, amelie, what="reminders", answer="no")
    consent(desk, amelie, answer="no")
    address = f"/clients/{amelie.pk}/consent/history/"
    shown = body(desk.get(address))
    assert re.search(rf'id="back-to-list" href="/clients/{amelie.pk}/">.*?Amélie Bertrand</a>', shown)
    assert "Other" not in shown.split('class="s-timeline"')[1]
    consent(desk, amelie, answer="yes", how="other")
    assert "Other" in body(desk.get(address)).split('class="s-timeline"')[1]


def test_without_javascript_the_same_answers_work(desk: Browser, amelie: Client) -> None:
    address = f"/clients/{amelie.pk}/consent/"
    asked = desk.post(address, {"what": "marketing", "channel": "sms", "answer": "yes"})
    assert (asked.status_code, asked["Location"]) == (303, f"/clients/{amelie.pk}/?ask=sms")
    assert "How did the client say so?" in body(desk.get(asked["Location"]))
    assert desk.post(address, {"what": "reminders", "channel": "email", "answer": "no"}).status_code == 303
    assert not answers.reminders(amelie).is_on


def test_undo_from_the_toast(desk: Browser, amelie: Client) -> None:
    shown = body(consent(desk, amelie, what="reminders", answer="no"))
    token = re.search(r'name="token" value="([^"]+)"', shown)
    assert token
    desk.post(f"/clients/{amelie.pk}/consent/undo/", {"token": token[1]})
    assert answers.reminders(amelie).is_on


def test_a_stylist_records_consent_and_notes_but_edits_nothing(signed_in: SignIn, amelie: Client) -> None:
    stylist = signed_in(Role.STYLIST)
    assert consent(stylist, amelie, answer="no").status_code == 200
    assert 'id="edit-details"' not in body(stylist.get(f"/clients/{amelie.pk}/"))
    assert stylist.post(f"/clients/{amelie.pk}/edit/", form_of(amelie, city="Lyon")).status_code == 403


@pytest.mark.parametrize(
    "said", [{"answer": "maybe"}, {"channel": "fax", "answer": "no"}, {"what": "x", "answer": "yes", "how": "y"}]
)
def test_nonsense_records_nothing(desk: Browser, amelie: Client, said: dict[str, str]) -> None:
    assert consent(desk, amelie, **said).status_code < 400
    assert answers.front(amelie, "email").answer is Answer.NOT_ASKED
